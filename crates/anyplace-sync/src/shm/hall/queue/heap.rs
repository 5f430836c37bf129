//! The smallest first: records in slots of one size, and an order of the slots that is a heap.
//!
//! ```text
//! | order: one word a slot; the first `len` are those in use, as a heap, the rest those that are free | slots |
//! ```
//!
//! A slot says itself whether it is in use: one store puts a message, and one takes it. The order only says it faster, and
//! can be made again from the slots. "Last in, first out" is the same with keys that fall.

use super::super::words;
use super::message::{Record, Writing};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// So many bytes lie in a slot.
pub(super) const INLINE: usize = 128;

/// In use, key, sequence, and the record.
const SLOT: usize = 4 + INLINE / 8;

#[derive(Clone, Copy)]
pub(super) struct Heap<'a> {
    len: &'a AtomicU64,
    order: &'a [AtomicU64],
    slots: &'a [AtomicU64],
}

impl<'a> Heap<'a> {
    pub(super) fn new(len: &'a AtomicU64, words: &'a [AtomicU64]) -> Self {
        let (order, slots) = words.split_at(words.len() / (1 + SLOT));
        Self { len, order, slots }
    }

    pub(super) fn len(&self) -> usize {
        (self.len.load(Acquire) as usize).min(self.order.len())
    }

    pub(super) fn has_room(&self) -> bool {
        self.len() < self.order.len()
    }

    fn slot(&self, number: usize) -> &'a [AtomicU64] {
        &self.slots[number * SLOT..(number + 1) * SLOT]
    }

    /// The number of the slot at `place` of the order.
    fn at(&self, place: usize) -> usize {
        (self.order[place].load(Relaxed) as usize).min(self.order.len() - 1)
    }

    fn swap(&self, one: usize, other: usize) {
        let kept = self.order[one].load(Relaxed);
        self.order[one].store(self.order[other].load(Relaxed), Relaxed);
        self.order[other].store(kept, Relaxed);
    }

    fn rank(&self, place: usize) -> (u64, u64) {
        let slot = self.slot(self.at(place));
        (slot[1].load(Relaxed), slot[2].load(Relaxed))
    }

    /// Puts a record, for which there must be room.
    pub(super) fn push(&self, rank: (u64, u64), writing: Writing<'_>, before: impl FnOnce()) {
        let last = self.len();
        let slot = self.slot(self.at(last));
        slot[1].store(rank.0, Relaxed);
        slot[2].store(rank.1, Relaxed);
        writing.write(&slot[3..]);
        before();
        slot[0].store(1, Release);
        self.len.store(last as u64 + 1, Release);
        self.rise(last);
    }

    /// The first record, and where it lies.
    pub(super) fn first(&self) -> Option<(Record, &'a [AtomicU64])> {
        let slot = (self.len() > 0).then(|| self.slot(self.at(0)))?;
        Some((Record::read(&slot[3..])?, &slot[3..]))
    }

    /// Takes the first record.
    pub(super) fn pass(&self) {
        let Some(last) = self.len().checked_sub(1) else { return };
        self.slot(self.at(0))[0].store(0, Release);
        self.len.store(last as u64, Release);
        self.swap(0, last);
        self.sink(0, last);
    }

    fn rise(&self, mut place: usize) {
        while place > 0 && self.rank(place) < self.rank((place - 1) / 2) {
            self.swap(place, (place - 1) / 2);
            place = (place - 1) / 2;
        }
    }

    fn sink(&self, mut place: usize, len: usize) {
        loop {
            let children = [2 * place + 1, 2 * place + 2].into_iter().filter(|&child| child < len);
            let Some(least) = children.min_by_key(|&child| self.rank(child)) else { return };
            if self.rank(place) <= self.rank(least) {
                return;
            }
            self.swap(place, least);
            place = least;
        }
    }

    /// Makes the order from the slots alone.
    pub(super) fn set_in_order(&self) {
        let is_used = |&number: &usize| self.slot(number)[0].load(Acquire) != 0;
        let all = 0..self.order.len();
        let (used, free): (Vec<_>, Vec<_>) = all.partition(is_used);
        for (word, number) in self.order.iter().zip(used.iter().chain(&free)) {
            word.store(*number as u64, Relaxed);
        }
        self.len.store(used.len() as u64, Release);
        (0..used.len() / 2).rev().for_each(|place| self.sink(place, used.len()));
    }

    /// All records, in any order.
    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        let slots = (0..self.order.len()).map(|number| self.slot(number));
        slots.filter(|slot| slot[0].load(Acquire) != 0).filter_map(|slot| Record::read(&slot[3..]))
    }

    /// Copies all slots to a larger heap, which is all zero, and sets that in order.
    pub(super) fn copy_to(&self, larger: &'a [AtomicU64]) {
        let larger = Heap::new(self.len, larger);
        words::copy(self.slots, larger.slots);
        larger.set_in_order();
    }
}
