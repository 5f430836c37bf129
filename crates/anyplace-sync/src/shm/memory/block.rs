//! Blocks as their holder has them: [`BlockMut`] while it is filled, [`Block`] once it is shared.

use super::leases;
use super::table::Entry;
use super::tenure::{self, Holder};
use super::{Full, Memory};
use std::fmt;
use std::io::{self, ErrorKind};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Bytes in shared memory that this process holds and nobody changes. Cloning it is cheap; the last one dropped gives
/// the block up, and it is available again once no worker reads it.
///
/// As with a mapped file, that nobody changes them is a promise of all who have the segment, not of the compiler.
pub struct Block {
    memory: Memory,
    /// [`GIVEN_AWAY`] once there is nothing to give up any more.
    number: AtomicU32,
    start: NonNull<u8>,
    len: usize,
}

/// Bytes in shared memory that this process alone has. Dropped, they are available again.
pub struct BlockMut {
    block: Block,
    capacity: usize,
}

const GIVEN_AWAY: u32 = u32::MAX;

// SAFETY: the bytes belong to the process, whose threads all see the same; `Memory` is `Send`.
unsafe impl Send for Block {}
// SAFETY: through `&Block` the bytes are only read; `Memory` is `Sync`.
unsafe impl Sync for Block {}

impl Block {
    /// Its number, by which other processes of the segment find it.
    pub fn number(&self) -> u32 {
        self.number.load(Relaxed)
    }

    /// Gives the block away, as [`BlockMut::publish`] does, for who has frozen it before: there must be no other lease of
    /// it, and nobody may read it through this one afterwards. (Worker.)
    ///
    /// # Panics
    /// On the host's side, where nobody could take it over.
    pub fn publish(&self) -> (u32, usize) {
        assert!(self.memory.0.worker.is_some(), "only workers publish blocks: the host adopts them");
        let number = self.number.swap(GIVEN_AWAY, Relaxed);
        if number != GIVEN_AWAY {
            self.memory.0.leases.end(number);
        }
        (number, self.len)
    }

    /// The block that we have just taken, if its bytes are where they can be.
    pub(super) fn taken(memory: &Memory, entry: Entry<'_>, len: usize) -> Option<Self> {
        Self::first(memory, entry, len).map(|(block, _)| block)
    }

    /// The first lease of the block that has become ours, and its capacity.
    fn first(memory: &Memory, entry: Entry<'_>, len: usize) -> Option<(Self, usize)> {
        let extent = entry.extent(memory.table()).filter(|extent| len <= extent.len())?;
        let start = memory.segment().pointer(extent.start, extent.len());
        memory.0.leases.begin(entry.number, start.addr().get());
        Some((Self { memory: memory.clone(), number: entry.number.into(), start, len }, extent.len()))
    }
}

impl Memory {
    /// Takes over the first `len` bytes of block `number`, which worker `from_worker` has published. (Host.)
    ///
    /// A block that the worker still fills can be taken over too, once the worker is dead and before it is
    /// [swept](Self::sweep): that is how what it had finished is saved.
    ///
    /// # Errors
    /// `InvalidData` if there is no such block, it is shorter, or the worker does not hold it: it never published it, was
    /// swept, or the block was adopted before.
    pub fn adopt(&self, number: u32, len: usize, from_worker: usize) -> io::Result<Block> {
        if self.is_inherited() {
            return Err(Full::Forked.into());
        }
        let refused = |why| Err(io::Error::new(ErrorKind::InvalidData, format!("block {number} {why}")));
        let entry = self.table().entry(number);
        let Some(entry) =
            entry.filter(|entry| entry.extent(self.table()).is_some_and(|all| len <= all.len()))
        else {
            return refused("does not exist or is shorter");
        };
        let known = from_worker < self.table().workers;
        if !known || !tenure::pass_on(&entry.words.tenure, Holder::worker(from_worker), self.0.me) {
            return refused("is not the worker's");
        }
        match Block::first(self, entry, len) {
            Some((block, _)) => Ok(block),
            None => refused("has moved"),
        }
    }

    /// Another lease of the block of ours in which the `len` bytes at `start` lie, and how far into it they begin.
    ///
    /// The lease is of the whole block, however much of it was asked for once. It finds the block of an array that came
    /// as a result and now goes into a task as its argument, so that nothing has to be copied.
    pub fn find(&self, start: *const u8, len: usize) -> Option<(Block, usize)> {
        let end = start.addr().checked_add(len)?;
        let number = self.0.leases.find(start.addr()).filter(|_| !self.is_inherited())?;
        let entry = self.table().entry(number)?;
        let extent = entry.extent(self.table())?;
        let first = self.segment().pointer(extent.start, extent.len());
        let block = Block { memory: self.clone(), number: number.into(), start: first, len: extent.len() };
        let all = first.addr().get()..first.addr().get() + extent.len();
        leases::contains(&all, &(start.addr()..end)).then(|| (block, start.addr() - all.start))
    }
}

impl Block {
    /// Whether it is a block of this memory: its number means nothing in another.
    pub fn is_of(&self, memory: &Memory) -> bool {
        std::sync::Arc::ptr_eq(&self.memory.0, &memory.0)
    }
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the block has at least `len` bytes, backed by memory, mapped as long as `memory` lives; while we hold it,
        // nobody else writes there (see the type).
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl Clone for Block {
    fn clone(&self) -> Self {
        self.memory.0.leases.another(self.number());
        Self { memory: self.memory.clone(), number: self.number().into(), ..*self }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // In a child by fork, the counts and the block are its parent's.
        let number = self.number();
        if number == GIVEN_AWAY || self.memory.is_inherited() || !self.memory.0.leases.end(number) {
            return;
        }
        if let Some(entry) = self.memory.table().entry(number) {
            self.memory.give_up(entry);
        }
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block").field("number", &self.number()).field("len", &self.len).finish()
    }
}

impl BlockMut {
    /// The block that we have just taken; none if it is shorter than `len`.
    pub(super) fn new(memory: &Memory, entry: Entry<'_>, len: usize) -> Option<Self> {
        Block::first(memory, entry, len).map(|(block, capacity)| Self { block, capacity })
    }

    /// Its number, by which other processes of the segment find it.
    pub fn number(&self) -> u32 {
        self.block.number()
    }

    /// How long it can become without moving.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Makes it `len` bytes long, if it is shorter. Where it has no room, the bytes move to another block, with another
    /// number; what is new has whatever was last written there.
    ///
    /// # Errors
    /// As [`Memory::allocate`]; the block stays as it was.
    pub fn grow(&mut self, len: usize) -> Result<(), Full> {
        if len > self.capacity {
            *self = self.moved(len)?;
        }
        self.block.len = self.block.len.max(len);
        Ok(())
    }

    /// A copy in another block, `len` bytes long, as [`grow`](Self::grow) makes it; this one stays until it is dropped.
    ///
    /// For a block whose number others know already: they can be told the new one before the old is gone, so that
    /// wherever its holder dies, they know one that is there.
    ///
    /// # Errors
    /// As [`Memory::allocate`].
    ///
    /// # Panics
    /// If `len` is less than what it holds.
    pub fn moved(&self, len: usize) -> Result<Self, Full> {
        let mut other = self.block.memory.allocate(len)?;
        other[..self.len()].copy_from_slice(self);
        Ok(other)
    }

    /// Keeps the first `len` bytes, if it is longer. The block stays as large as it is.
    pub fn truncate(&mut self, len: usize) {
        self.block.len = self.block.len.min(len);
    }

    /// The bytes as they are, shared from now on.
    pub fn freeze(self) -> Block {
        self.block
    }

    pub(super) fn parts(&self) -> (&Memory, u32) {
        (&self.block.memory, self.number())
    }

    /// Ends our only lease without giving the block up.
    pub(super) fn let_go(self) {
        let number = self.block.number.swap(GIVEN_AWAY, Relaxed);
        if number != GIVEN_AWAY {
            self.block.memory.0.leases.end(number);
        }
    }

    /// Gives the block away: its number and length, for the host to [`adopt`](Memory::adopt). (Worker.)
    ///
    /// It stays in this worker's name until then, so that it is not lost if nobody ever hears of it.
    ///
    /// # Panics
    /// On the host's side, where nobody could take it over.
    pub fn publish(self) -> (u32, usize) {
        self.block.publish()
    }
}

impl Deref for BlockMut {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.block
    }
}

impl DerefMut for BlockMut {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `Block`, and there is no other lease of it, here or in any other process, while it is not frozen.
        unsafe { std::slice::from_raw_parts_mut(self.block.start.as_ptr(), self.block.len) }
    }
}

impl fmt::Debug for BlockMut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BlockMut").field(&self.block).finish()
    }
}
