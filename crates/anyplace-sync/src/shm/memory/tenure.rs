//! Who holds a block, who reads it, and how it passes on: the protocol, on the words of one block alone.
//!
//! The first word names the holder and counts how often the block was taken; a row of words has one bit for every worker
//! that reads it. Every step is one atomic operation, so that a process can be killed between any two of them. The states,
//! the races and why they cannot happen are told in `shm/README.md`.

#![cfg_attr(
    not(loom),
    allow(unreachable_pub, reason = "the models of tests/loom.rs call these from outside")
)]

use crate::primitives::atomic::AtomicU64;
use crate::primitives::atomic::Ordering::{AcqRel, Acquire, Relaxed};

/// Who holds a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder(u16);

/// The most workers that can be told apart.
pub const MOST_WORKERS: usize = 1023;

impl Holder {
    /// Nobody: whoever takes it has it. So are blocks that never were.
    pub const NOBODY: Self = Self(0);
    /// The host no longer needs it, but workers still read it: the last of them makes it available.
    pub const READERS: Self = Self(1);
    /// The process that made the segment.
    pub const HOST: Self = Self(2);

    /// Worker number `index`, below [`MOST_WORKERS`].
    ///
    /// # Panics
    /// If it is not.
    pub fn worker(index: usize) -> Self {
        assert!(index < MOST_WORKERS, "a segment has at most {MOST_WORKERS} workers");
        Self(3 + index as u16)
    }
}

/// How often a block was taken: which of its tenures is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times(pub u64);

/// One reading of the first word: the holder in the low 16 bits, above it how often the block was taken.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Tenure(u64);

impl Tenure {
    const TAKEN_ONCE: u64 = 1 << 16;

    fn read(word: &AtomicU64) -> Self {
        Self(word.load(Acquire))
    }

    fn holder(self) -> Holder {
        Holder(self.0 as u16)
    }

    fn held_by(self, holder: Holder) -> Self {
        Self(self.0 & !0xffff | u64::from(holder.0))
    }

    fn times(self) -> Times {
        Times(self.0 >> 16)
    }

    fn taken_once_more(self) -> Self {
        Self(self.0.wrapping_add(Self::TAKEN_ONCE))
    }

    /// Makes `word` say `next` if it still says `self`.
    fn becomes(self, next: Self, word: &AtomicU64) -> bool {
        word.compare_exchange(self.0, next.0, AcqRel, Relaxed).is_ok()
    }
}

/// Who holds the block now.
pub fn holder(word: &AtomicU64) -> Holder {
    Tenure::read(word).holder()
}

/// Takes the block if nobody holds it.
pub fn take(word: &AtomicU64, by: Holder) -> bool {
    let now = Tenure::read(word);
    now.holder() == Holder::NOBODY && now.becomes(now.taken_once_more().held_by(by), word)
}

/// Passes the block from one holder to another; false if `from` does not hold it (any more).
pub fn pass_on(word: &AtomicU64, from: Holder, to: Holder) -> bool {
    let now = Tenure::read(word);
    now.holder() == from && now.becomes(now.held_by(to), word)
}

/// Which tenure of the block this is.
pub fn times(word: &AtomicU64) -> Times {
    Tenure::read(word).times()
}

/// Takes the block from the host, if that has it in the tenure that `is_it` means. A new tenure begins, so that whoever
/// knows of the old one does nothing to the block any more.
pub fn withdraw(word: &AtomicU64, is_it: impl Fn(Times) -> bool, by: Holder) -> bool {
    let now = Tenure::read(word);
    now.holder() == Holder::HOST && is_it(now.times()) && now.becomes(now.taken_once_more().held_by(by), word)
}

/// Makes the block available, if the host has it in the tenure that `is_it` means, and lent it to nobody.
pub fn discard(word: &AtomicU64, is_it: impl Fn(Times) -> bool) -> bool {
    let now = Tenure::read(word);
    now.holder() == Holder::HOST && is_it(now.times()) && now.becomes(now.held_by(Holder::NOBODY), word)
}

/// Gives the block up; true if that made it available, false if workers still read it or `from` does not hold it.
pub fn give_up(word: &AtomicU64, readers: &[AtomicU64], from: Holder) -> bool {
    let now = Tenure::read(word);
    if now.holder() != from {
        return false;
    }
    // No reader can come any more, so nobody reading now means nobody reading from here on.
    if readers.iter().all(|word| word.load(Acquire) == 0) {
        return now.becomes(now.held_by(Holder::NOBODY), word);
    }
    now.becomes(now.held_by(Holder::READERS), word) && free_if_unread(word, readers)
}

/// Says that `worker` reads the block. Only while the host holds it, and holds it until the worker has been heard of.
pub fn enter(readers: &[AtomicU64], worker: usize) {
    let (word, bit) = place(readers, worker);
    // Needs no order of its own: the host hears of the worker, by other words, after this and before it gives up.
    word.fetch_or(bit, Relaxed);
}

/// Says that `worker` no longer reads the block; true if that made it available.
pub fn leave(word: &AtomicU64, readers: &[AtomicU64], worker: usize) -> bool {
    let (row, bit) = place(readers, worker);
    row.fetch_and(!bit, AcqRel);
    free_if_unread(word, readers)
}

/// Takes back what a dead `worker` held or read; true if that made the block available.
///
/// Also finishes what it may have begun: a reader that died after it left and before it looked for others.
pub fn bury(word: &AtomicU64, readers: &[AtomicU64], worker: usize) -> bool {
    pass_on(word, Holder::worker(worker), Holder::NOBODY) || leave(word, readers, worker)
}

/// Makes the block available if the host has given it up and nobody reads it; true if *this* call did.
///
/// The readers are looked at by writing (nothing): such operations on one word have one order. Whoever comes later in it
/// sees what the earlier wrote before, so of the host and the readers in leaving, the last sees that all have left. And
/// the word of the holder must not have changed since before that look, or the block may be another's by now.
fn free_if_unread(word: &AtomicU64, readers: &[AtomicU64]) -> bool {
    let now = Tenure::read(word);
    now.holder() == Holder::READERS
        && readers.iter().all(|word| word.fetch_or(0, AcqRel) == 0)
        && now.becomes(now.held_by(Holder::NOBODY), word)
}

fn place(readers: &[AtomicU64], worker: usize) -> (&AtomicU64, u64) {
    (&readers[worker / 64], 1 << (worker % 64))
}
