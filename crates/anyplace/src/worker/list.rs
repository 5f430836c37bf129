//! The list of what stands beside the replies of a chunk while they are written: the place finds there what was finished
//! when this process dies. See `wire/listed.rs`.

use super::memory::Shared;
use crate::wire::listed::{self, WIDTH};
use crate::work::Bytes;
use anyplace_sync::shm::BlockMut;

/// The block is of this size at first.
const FIRST: usize = 4 << 10;

/// A list that begins with the first value beside the replies.
#[derive(Default)]
pub(super) struct List {
    block: Option<BlockMut>,
    entries: usize,
    /// There was no room once: what comes later would stand in the wrong place.
    ended: bool,
}

impl List {
    /// Lists what has been added to `beside`. `tell` hears of the block and of how far it is written, and of a new block
    /// before the old one is gone.
    #[inline]
    pub(super) fn follow(&mut self, beside: &[Bytes], memory: &Shared, tell: impl Fn(u32, usize)) {
        if self.entries < beside.len() && !self.ended {
            self.ended = self.extend(beside, memory, tell).is_none();
        }
    }

    #[cold]
    fn extend(&mut self, beside: &[Bytes], memory: &Shared, tell: impl Fn(u32, usize)) -> Option<()> {
        let (written, end) = (self.entries * WIDTH, beside.len() * WIDTH);
        let block = match &mut self.block {
            Some(block) => block,
            None => self.block.insert(memory.0.allocate(end.max(FIRST)).ok()?),
        };
        if end > block.len() {
            let larger = block.moved(end * 2).ok()?;
            tell(larger.number(), written);
            *block = larger;
        }
        // It has this room, so nothing moves, and nothing can fail.
        let _ = block.grow(block.capacity());
        let added = beside[self.entries..].iter().map(|value| listed::entry(value, memory));
        for (room, entry) in block[written..end].chunks_exact_mut(WIDTH).zip(added) {
            room.copy_from_slice(&entry);
        }
        self.entries = beside.len();
        tell(block.number(), end);
        Some(())
    }
}
