//! The memory that a place shares with its workers, as the engine sees it: large values are put there once, and read
//! where they are.

use super::bell::Bell;
use crate::driver::Memory;
use crate::wire::beside::Blocks;
use crate::work::Bytes;
use anyplace_sync::shm;
use std::fmt;
use std::sync::Arc;

/// From this size on, the keeper hears of it when a block is used, and gives its memory back when it is used no more.
const WORTH_TRIMMING: usize = 1 << 20;

/// The place's side.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) blocks: shm::Memory,
    bell: Bell,
}

impl Shared {
    pub(super) fn new(blocks: shm::Memory, bell: Bell) -> Self {
        Self { blocks, bell }
    }

    /// So much of it is used now.
    pub(super) fn is_used(&self, length: usize) {
        if length >= WORTH_TRIMMING {
            self.bell.ring();
        }
    }
}

/// The bytes of a block that this side holds.
struct Held(shm::Block);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// A block as bytes.
pub(super) fn bytes_of(block: shm::Block) -> Bytes {
    let length = block.len();
    Bytes::shared(Arc::new(Held(block)), 0..length)
}

impl Memory for Shared {
    fn write(&self, length: usize, fill: &mut dyn FnMut(&mut [u8])) -> Option<Bytes> {
        let mut block = self.blocks.allocate(length).ok()?;
        fill(&mut block);
        self.is_used(length);
        Some(bytes_of(block.freeze()))
    }
}

/// A position in shared memory as one number: the block's above, the position in the block below.
pub(crate) fn position(block: u32, start: usize) -> Option<u64> {
    (start < 1 << 40).then(|| u64::from(block) << 40 | start as u64)
}

/// The block and the position in it; nothing if there cannot be such a block.
pub(crate) fn block_at(position: u64) -> Option<(u32, usize)> {
    Some((u32::try_from(position >> 40).ok()?, usize::try_from(position & ((1 << 40) - 1)).ok()?))
}

/// What is said to workers: blocks of the place's own. Those of other places are copied, as all else is.
impl Blocks for Shared {
    fn locate(&self, bytes: &Bytes) -> Option<u64> {
        let held = bytes.owner::<Held>().filter(|held| held.0.is_of(&self.blocks))?;
        position(held.0.number(), bytes.range().start)
    }

    fn find(&self, _: u64, _: u64) -> Option<Bytes> {
        None
    }
}

/// What a worker says: blocks that it gives away.
pub(super) struct From<'a> {
    pub(super) memory: &'a Shared,
    pub(super) worker: usize,
}

impl Blocks for From<'_> {
    fn locate(&self, _: &Bytes) -> Option<u64> {
        None
    }

    fn find(&self, at: u64, length: u64) -> Option<Bytes> {
        let (number, start) = block_at(at)?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        let block = self.memory.blocks.adopt(number, end, self.worker).ok()?;
        Some(bytes_of(block).slice(start..end))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.blocks.fmt(f)
    }
}
