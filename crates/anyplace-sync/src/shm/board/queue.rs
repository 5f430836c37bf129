//! The queue of slots that are ready, and the stack of those that are finished.
//!
//! An entry of the queue is a hint: whoever takes it looks at the slot's word, and does nothing if another was faster.

use super::Board;
use super::layout::Slot;
use super::word::{Phase, Word};
use crate::primitives::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use crate::primitives::atomic::fence;

impl Slot {
    pub(super) fn load(&self) -> Word {
        Word(self.word.word().load(Acquire))
    }

    /// One step of the word: false if somebody else took one since `from` was read.
    pub(super) fn swap(&self, from: Word, to: Word) -> bool {
        self.word.word().compare_exchange(from.0, to.0, AcqRel, Acquire).is_ok()
    }

    /// Steps from whatever the word is, as long as `to` finds that right. Gives the word before the step.
    pub(super) fn update(&self, to: impl Fn(Word) -> Option<Word>) -> Option<Word> {
        let mut from = self.load();
        loop {
            let next = to(from)?;
            if self.swap(from, next) {
                return Some(from);
            }
            from = self.load();
        }
    }

    /// Wakes the callers that sleep on this slot.
    pub(super) fn wake(&self) {
        self.word.wake(u32::MAX);
    }
}

/// What became of a hint.
pub(super) enum Claim {
    /// The task of this slot is ours to run.
    Ours(u32),
    /// The slot was taken back: it is finished without having begun.
    TakenBack(u32),
    /// Somebody else was faster, or the slot is in the queue twice.
    Stale,
}

impl Board {
    /// How many hints are in the queue.
    ///
    /// The head is read first: it never passes the tail.
    pub(super) fn waiting(&self) -> u64 {
        let head = self.header().head.0.load(Acquire);
        self.header().tail.0.load(Acquire).saturating_sub(head)
    }

    /// Whether another hint fits, and leaves room for one more of each slot.
    pub(super) fn has_room(&self) -> bool {
        self.waiting() < (self.size.hints() - self.size.slots) as u64
    }

    /// Puts a slot into the queue; the host calls it under its lock, and posts nothing unless there [is
    /// room](Self::has_room).
    pub(super) fn push(&self, number: u32, slot: &Slot) {
        let tail = self.header().tail.0.load(Relaxed);
        slot.position.store(tail, Relaxed);
        self.hint(tail).store(number, Relaxed);
        self.header().tail.0.store(tail + 1, Release);
    }

    /// Takes the next hint for `worker`; nothing if the queue is empty.
    pub(super) fn pop(&self, worker: usize) -> Option<Claim> {
        let head = &self.header().head.0;
        loop {
            let position = head.load(Acquire);
            if position >= self.header().tail.0.load(Acquire) {
                return None;
            }
            // If nobody has moved the head since, this entry has not been written again.
            let number = self.hint(position).load(Relaxed);
            if head.compare_exchange(position, position + 1, AcqRel, Relaxed).is_ok() {
                return Some(self.claim(number, worker));
            }
        }
    }

    /// Takes the next hint if its slot has no task that a worker could run. The host calls it under its lock: nobody else
    /// posts, so that the slot stays without a task while the hint is taken.
    pub(super) fn pop_idle(&self) -> Option<(u32, &Slot)> {
        let head = &self.header().head.0;
        loop {
            let position = head.load(Acquire);
            if position >= self.header().tail.0.load(Relaxed) {
                return None;
            }
            let number = self.hint(position).load(Relaxed);
            let slot = self.slot(number).filter(|slot| slot.load().phase() != Phase::Ready)?;
            if head.compare_exchange(position, position + 1, AcqRel, Relaxed).is_ok() {
                return Some((number, slot));
            }
        }
    }

    fn claim(&self, number: u32, worker: usize) -> Claim {
        let Some(slot) = self.slot(number) else { return Claim::Stale };
        let taken = slot.update(|word| match word.phase() {
            Phase::Ready => Some(word.step(Phase::Running).owned_by(worker)),
            Phase::Cancelled => Some(word.step(Phase::Done).owned_by(worker)),
            _ => None,
        });
        match taken.map(Word::phase) {
            Some(Phase::Ready) => Claim::Ours(number),
            Some(_) => Claim::TakenBack(number),
            None => Claim::Stale,
        }
    }

    /// Puts a slot on the stack of those that are finished.
    pub(super) fn link(&self, number: u32, slot: &Slot) {
        let top = &self.header().finished.0;
        let mut below = top.load(Relaxed);
        loop {
            slot.next.store(below, Relaxed);
            match top.compare_exchange(below, number + 1, Release, Relaxed) {
                Ok(_) => return,
                Err(now) => below = now,
            }
        }
    }

    /// Takes the whole stack, the slot that finished last first. The host calls it under its lock.
    pub(super) fn unlink_all(&self) -> impl Iterator<Item = (u32, &Slot)> {
        let top = &self.header().finished.0;
        let mut next = if top.load(Relaxed) == 0 { 0 } else { top.swap(0, Acquire) };
        std::iter::from_fn(move || {
            let number = next.checked_sub(1)?;
            let slot = self.slot(number)?;
            next = slot.next.load(Relaxed);
            Some((number, slot))
        })
    }

    pub(super) fn has_finished(&self) -> bool {
        self.header().finished.0.load(Acquire) != 0
    }

    /// Wakes a worker, unless one is awake that will look at the queue. False if there is neither.
    ///
    /// The caller has put something into the queue before. A worker that falls asleep sets its bit in `asleep`, clears
    /// the one in `seeking`, and looks at the queue once more. There is a fence between the two on both sides: either it
    /// sees what was put there, or we see that it sleeps.
    pub(super) fn wake_one(&self) -> bool {
        fence(SeqCst);
        let (header, workers) = (self.header(), self.size.workers);
        if !header.seeking.0.is_empty(workers) {
            return true;
        }
        header.asleep.0.take_lowest(workers).inspect(|worker| self.rouse(*worker)).is_some()
    }

    pub(super) fn rouse(&self, worker: usize) {
        let word = &self.seat(worker).word;
        word.word().swap(super::seat::AWAKE, SeqCst);
        word.wake(1);
    }
}
