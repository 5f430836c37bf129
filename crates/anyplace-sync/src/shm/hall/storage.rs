//! The blocks that belong to objects: a semaphore's counters, a queue's ring, a dict's table, an array's bytes.

use super::Hall;
use super::layout::Entry;
use crate::shm::{BlockMut, Deposit, Full};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64};

impl Hall {
    /// A block of at least `len` bytes, all of them zero: also those beyond, as others see the whole block.
    pub(super) fn blank(&self, len: usize) -> Result<BlockMut, Full> {
        let mut block = self.memory().allocate(len)?;
        block.grow(block.capacity())?;
        block.fill(0);
        Ok(block)
    }

    /// The first words of the block that belongs to the object at an entry.
    pub(super) fn counters_of(&self, entry: &Entry, count: usize) -> Option<&[AtomicU32]> {
        let deposit = Deposit::from_word(entry.storage.load(Acquire))?;
        let extent = self.memory().extent_of(deposit).filter(|extent| extent.len() >= count * 4)?;
        Some(self.segment.shared(extent.start, count))
    }

    /// The words of the block that belongs to the object at an entry.
    pub(super) fn storage(&self, entry: &Entry) -> &[AtomicU64] {
        let deposit = Deposit::from_word(entry.storage.load(Acquire));
        deposit.and_then(|deposit| self.words_of(deposit)).unwrap_or_default()
    }

    /// The words of a block.
    pub(super) fn words_of(&self, deposit: Deposit) -> Option<&[AtomicU64]> {
        let extent = self.memory().extent_of(deposit)?;
        Some(self.segment().shared(extent.start, extent.len() / 8))
    }

    /// Puts `block`, which is to be the deposit `new`, in the place of the block that belongs to an object. Inside its
    /// monitor; killed anywhere, one of the two belongs to it, and who comes next discards the other.
    pub(super) fn exchange_storage(&self, entry: &Entry, block: BlockMut, new: Deposit) {
        let old = entry.storage.load(Acquire);
        entry.moving[0].store(old, Relaxed);
        entry.moving[1].store(new.word(), Release);
        block.deposit();
        entry.storage.store(new.word(), Release);
        if let Some(old) = Deposit::from_word(old) {
            self.memory().discard(old);
        }
        entry.moving.iter().for_each(|word| word.store(0, Release));
    }
}
