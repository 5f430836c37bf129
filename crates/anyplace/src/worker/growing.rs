//! The replies of a chunk while they are written, in a block that the place finds if this process dies.

use crate::wire::rows::{Head, LONGEST_HEAD, OpenRun};
use crate::work::Bytes;
use anyplace_sync::shm::{BlockMut, Full, Memory};

/// The block is of this size at first.
const FIRST: usize = 16 << 10;

/// The rows that are whole, and what stands beside them.
pub(super) struct Growing {
    /// As long as it can be.
    block: BlockMut,
    written: usize,
    rows: usize,
    run: OpenRun,
    beside: Vec<Bytes>,
}

impl Growing {
    pub(super) fn new(memory: &Memory) -> Result<Self, Full> {
        let block = whole(memory.allocate(FIRST)?);
        Ok(Self { block, written: 0, rows: 0, run: OpenRun::default(), beside: Vec::new() })
    }

    /// The number of the block, and how far it is written.
    #[inline]
    pub(super) fn written(&self) -> (u32, usize) {
        (self.block.number(), self.written)
    }

    /// The rows, what stands beside them, and how many they are.
    pub(super) fn parts(&self) -> (&[u8], &[Bytes], usize) {
        (&self.block[..self.written], &self.beside, self.rows)
    }

    /// Whether a row with so many bytes finds room.
    #[inline]
    pub(super) fn has_room(&self, value: usize) -> bool {
        self.block.len() - self.written >= LONGEST_HEAD + value
    }

    /// Moves to a block where `more` bytes find room. `tell` hears of the new block before the old one is gone.
    pub(super) fn move_on(&mut self, more: usize, tell: impl FnOnce(u32, usize)) -> Result<(), Full> {
        let larger = whole(self.block.moved((self.written + more) * 2)?);
        tell(larger.number(), self.written);
        self.block = larger;
        Ok(())
    }

    /// Adds a row for which there is room.
    #[inline]
    pub(super) fn push(&mut self, kind: u8, bytes: &[u8], buffers: &[Bytes]) {
        if !self.run.takes(kind, bytes.len(), buffers.len()) {
            return self.push_apart(kind, bytes, buffers);
        }
        self.append(bytes);
        self.run.count(&mut self.block);
        self.rows += 1;
    }

    #[cold]
    fn push_apart(&mut self, kind: u8, bytes: &[u8], buffers: &[Bytes]) {
        let Some((head, run)) = OpenRun::begin(self.written, kind, bytes.len(), buffers.len()) else {
            return self.push_beside(kind, bytes.into(), buffers);
        };
        self.append(head.as_bytes());
        self.append(bytes);
        self.beside.extend_from_slice(buffers);
        self.rows += 1;
        self.run = run;
    }

    /// As [`push`](Self::push), for a value that stays where it is.
    pub(super) fn push_beside(&mut self, kind: u8, bytes: Bytes, buffers: &[Bytes]) {
        self.append(Head::beside(kind, buffers.len() + 1).as_bytes());
        self.beside.push(bytes);
        self.beside.extend_from_slice(buffers);
        self.rows += 1;
        self.run = OpenRun::default();
    }

    #[inline]
    fn append(&mut self, bytes: &[u8]) {
        self.block[self.written..][..bytes.len()].copy_from_slice(bytes);
        self.written += bytes.len();
    }

    /// The block, which ends behind the rows and `more`: the rest of the reply.
    pub(super) fn finish<'a>(mut self, more: impl Iterator<Item = &'a [u8]>) -> BlockMut {
        more.for_each(|bytes| self.append(bytes));
        self.block.truncate(self.written);
        self.block
    }
}

fn whole(mut block: BlockMut) -> BlockMut {
    // It has this room, so nothing moves, and nothing can fail.
    let _ = block.grow(block.capacity());
    block
}
