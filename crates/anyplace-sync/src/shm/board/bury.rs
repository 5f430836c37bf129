//! What becomes of what a dead worker held: the README has each place where it may have died.

use super::host::Host;
use super::layout::Slot;
use super::reply::Reply;
use super::word::{CONDEMNED, Phase, Word};
use crate::primitives::atomic::Ordering::{Acquire, Relaxed, SeqCst};

/// What a worker left of the task over which it died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partial {
    /// The item that ran.
    pub item: u32,
    /// The block and the length of the replies that were written.
    pub written: Option<(u32, usize)>,
    /// The block and the length of the list of what stands beside them.
    pub beside: Option<(u32, usize)>,
    /// It was [condemned](super::Host::condemn).
    pub condemned: bool,
}

/// What a dead worker leaves.
#[derive(Debug)]
pub struct Buried<T> {
    /// Tasks that it had finished.
    pub finished: Vec<(T, Reply)>,
    /// The task over which it died.
    pub running: Option<(T, Partial)>,
}

impl<T> Host<T> {
    /// Whether replies are being read that refer to blocks of this worker: until then, its blocks must be kept.
    pub fn is_reading(&self, worker: usize) -> bool {
        self.readings[worker].load(Acquire) > 0
    }

    /// Takes a dead worker off the board. Its process must be gone; another may take its seat afterwards.
    ///
    /// What it had finished is given, and what it ran; what it had taken from the queue and not begun is in the queue
    /// again.
    pub fn bury(&self, worker: usize) -> Buried<T> {
        let mut state = self.state();
        let mut buried = Buried { finished: Vec::new(), running: None };
        // After this, whatever is done and the dead worker's is on no stack, and nobody will put it there.
        self.collect_locked(&mut state, &mut buried.finished);
        let head = self.board.header().head.0.load(SeqCst);
        for (number, slot) in self.board.slots() {
            let word = slot.load();
            let is_theirs = word.owner() == Some(worker);
            // Its hint was popped, perhaps by the dead. If it was by a living worker, that one or the new hint is late.
            let is_popped = slot.position.load(Relaxed) < head;
            match word.phase() {
                Phase::Running if is_theirs => {
                    let partial = Partial::of(slot, slot.load());
                    if partial.condemned {
                        self.condemned.fetch_sub(1, SeqCst);
                    }
                    let entry = state.entries[number as usize].take();
                    state.release(number, slot);
                    // Whoever falls asleep at this moment has not marked the word that was released.
                    slot.wake();
                    buried.running = entry.map(|entry| (entry, partial));
                }
                Phase::Done | Phase::Collected if is_theirs => {
                    buried.finished.extend(self.read(&mut state, number, slot));
                    state.release(number, slot);
                }
                Phase::Ready if is_popped => self.board.push(number, slot),
                Phase::Cancelled if is_popped && slot.swap(word, word.freed()) => state.free.push(number),
                _ => {}
            }
        }
        drop(state);
        let header = self.board.header();
        header.seeking.0.take(worker);
        header.asleep.0.take(worker);
        // A wake-up may have been given to the dead, for any number of tasks.
        (0..self.board.size.workers).for_each(|worker| self.board.rouse(worker));
        self.rouse_callers();
        buried
    }
}

impl Partial {
    fn of(slot: &Slot, word: Word) -> Self {
        let length = |length: u64| usize::try_from(length).unwrap_or(usize::MAX);
        let written = length(slot.reply_length.load(Acquire));
        let beside = length(slot.length.load(Acquire));
        let block = |block: u32| block.checked_sub(1);
        Self {
            item: slot.item.load(Relaxed),
            written: block(slot.reply_block.load(Acquire)).map(|block| (block, written)),
            beside: block(slot.block.load(Acquire)).map(|block| (block, beside)),
            condemned: word.has(CONDEMNED),
        }
    }
}
