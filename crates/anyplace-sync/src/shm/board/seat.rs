//! A worker's side of the board.

use super::layout::{INLINE, SharedFutex, Slot};
use super::queue::Claim;
use super::word::{ANNOUNCED, AWAITED, BLOCKS, CONDEMNED, Phase, WATCHED, Word};
use super::{Board, Body};
use crate::primitives::atomic::Ordering::{Relaxed, Release, SeqCst};
use crate::primitives::atomic::fence;
use crate::{fork, spin, usable_cores};
use std::time::Instant;

pub(super) const AWAKE: u32 = 0;
const ASLEEP: u32 = 1;

/// A worker's seat at the board. One process has one, and one thread uses it.
pub struct Seat {
    board: Board,
    worker: usize,
    ring: Box<dyn Fn() + Send>,
    /// The generation of forks that this seat belongs to: a child that a task makes by `fork` has none.
    born: u32,
}

/// A task that this worker runs now.
#[derive(Debug)]
pub struct Job {
    number: u32,
    inline: [u8; INLINE],
    length: usize,
    block: Option<(u32, usize)>,
}

impl Job {
    /// The message: its bytes if it was short, else its block with its length. A block's number and length come from
    /// another process and are checked by whoever opens it.
    pub fn message(&self) -> Body<'_> {
        match self.block {
            Some((number, length)) => Body::Block(number, length),
            None => Body::Inline(&self.inline[..self.length]),
        }
    }
}

impl Seat {
    pub(super) fn at(board: Board, worker: usize, ring: impl Fn() + Send + 'static) -> Self {
        Self { board, worker, ring: Box::new(ring), born: fork::fork_generation() }
    }

    /// Ends the process if it is a child that a task made by `fork`, and that came back from there: the seat, the task
    /// and what the worker owns are its parent's.
    pub fn end_strays(&self) {
        if fork::current() != self.born {
            // SAFETY: it ends this process at once; nothing of it runs any more.
            unsafe { libc::_exit(0) }
        }
    }

    /// For models: takes a hint and nothing more, as a worker that dies right behind that.
    #[cfg(loom)]
    pub fn take_hint(&self) -> bool {
        use crate::primitives::atomic::Ordering::AcqRel;
        let head = &self.board.header().head.0;
        let position = head.load(SeqCst);
        self.board.waiting() > 0 && head.compare_exchange(position, position + 1, AcqRel, Relaxed).is_ok()
    }

    /// Whether the place is closed.
    pub fn is_stopped(&self) -> bool {
        self.board.header().bell.0.stop.load(SeqCst) != 0
    }

    /// The next task, if one is there now. Otherwise this worker counts as seeking: it must call [`wait`](Self::wait).
    pub fn next(&self) -> Option<Job> {
        let seeking = &self.board.header().seeking.0;
        seeking.set(self.worker);
        let mut makes_room = false;
        let ours = std::iter::from_fn(|| self.board.pop(self.worker)).find_map(|claim| match claim {
            Claim::Ours(number) => Some(number),
            Claim::TakenBack(number) => {
                self.slot(number).into_iter().for_each(|slot| self.board.link(number, slot));
                makes_room = true;
                None
            }
            Claim::Stale => None,
        });
        if ours.is_some() {
            self.stop_seeking();
        }
        // The host may have more tasks, for which there was no slot.
        if makes_room {
            self.call(false);
        }
        ours.map(|number| self.begin(number))
    }

    /// Leaves the table: the process will end by itself.
    pub fn leave(&self) {
        self.stop_seeking();
    }

    /// Whoever put something into the queue may have counted on us, so another worker is woken for it, or the host starts
    /// one.
    fn stop_seeking(&self) {
        self.board.header().seeking.0.take(self.worker);
        fence(SeqCst);
        if self.board.waiting() > 0
            && !self.board.wake_one()
            && self.board.header().bell.0.hires.load(SeqCst) != 0
        {
            self.ring();
        }
    }

    fn slot(&self, number: u32) -> Option<&Slot> {
        self.board.slot(number)
    }

    fn begin(&self, number: u32) -> Job {
        let mut job = Job { number, inline: [0; INLINE], length: 0, block: None };
        if let Some(slot) = self.slot(number) {
            let length = usize::try_from(slot.length.load(Relaxed)).unwrap_or(usize::MAX);
            match slot.block.load(Relaxed).checked_sub(1) {
                Some(block) => {
                    job.block = Some((block, length));
                    slot.block.store(0, Relaxed);
                }
                None => {
                    job.length = length.min(INLINE);
                    // SAFETY: the slot runs and is ours: nobody writes to it but this thread.
                    job.inline = unsafe { *slot.inline.get() };
                }
            }
            if slot.load().has(ANNOUNCED) {
                self.ring();
            }
        }
        job
    }

    /// Waits until there may be something to do: for about as long as a wake-up costs awake, if a core can be spared,
    /// then asleep.
    pub fn wait(&self) {
        let header = self.board.header();
        let found = || self.board.waiting() > 0 || self.is_stopped();
        if self.may_spin() && spin::spin_until(Instant::now() + spin::DEFAULT, found) {
            return;
        }
        let word = &self.board.seat(self.worker).word;
        // A swap, so that this sees all that was done before it was last set to `AWAKE`: the end, too.
        word.word().swap(ASLEEP, SeqCst);
        header.asleep.0.set(self.worker);
        header.seeking.0.take(self.worker);
        fence(SeqCst);
        if !found() {
            word.sleep_while(ASLEEP, None);
        }
        header.asleep.0.take(self.worker);
    }

    /// A few seekers are enough, and one core is left to those who work.
    fn may_spin(&self) -> bool {
        let seekers = self.board.header().seeking.0.count(self.board.size.workers);
        !cfg!(loom) && usable_cores() > 1 && seekers < usable_cores()
    }

    /// Says which item of a chunk runs now, so that only this one is lost if the process dies over it.
    pub fn item(&self, job: &Job, item: u32) {
        self.end_strays();
        self.slot(job.number).into_iter().for_each(|slot| slot.item.store(item, Relaxed));
    }

    /// Says where the replies of a chunk are, as far as they are written: what was finished is not lost with its
    /// worker. The block may be another than before if it holds the same bytes and more.
    pub fn written(&self, job: &Job, block: u32, length: usize) {
        let Some(slot) = self.slot(job.number) else { return };
        // The block first: with the old length it is right, too.
        if slot.reply_block.load(Relaxed) != block + 1 {
            slot.reply_block.store(block + 1, Release);
        }
        slot.reply_length.store(length as u64, Release);
    }

    /// Says where it is listed what stands beside these replies. Say it before they are [written](Self::written).
    pub fn beside(&self, job: &Job, block: u32, length: usize) {
        let Some(slot) = self.slot(job.number) else { return };
        if slot.block.load(Relaxed) != block + 1 {
            slot.block.store(block + 1, Release);
        }
        slot.length.store(length as u64, Release);
    }

    /// Ends the task. The reply is short, or it lies in a block and `inline` says what that is. `refers` says that it
    /// refers to other blocks of this worker.
    ///
    /// A worker that will be killed for this very task does not return.
    ///
    /// # Panics
    /// If there are more than [`INLINE`] bytes.
    pub fn finish(&self, job: &Job, inline: &[u8], block: Option<(u32, usize)>, refers: bool) {
        self.end_strays();
        let Some(slot) = self.slot(job.number) else { return };
        write(slot, inline, block);
        // Seeking before anybody can see that it is done: whoever submits the next task then knows that we take it.
        self.board.header().seeking.0.set(self.worker);
        let flag = if refers || block.is_some() { BLOCKS } else { 0 };
        let done = slot.update(|word| {
            let may = word.phase() == Phase::Running && !word.has(CONDEMNED);
            may.then(|| word.with(flag).step(Phase::Done))
        });
        match done {
            Some(word) => self.tell(job.number, slot, word),
            None => self.wait_for_the_end(),
        }
    }

    fn tell(&self, number: u32, slot: &Slot, word: Word) {
        self.board.link(number, slot);
        if word.has(AWAITED) {
            slot.wake();
        }
        self.call(word.has(WATCHED));
    }

    /// Calls those who wait for whatever is put on the stack: callers, and the keeper where it has to hear of it.
    fn call(&self, is_watched: bool) {
        let header = self.board.header();
        // A caller that falls asleep counts itself first and looks at the stack then.
        fence(SeqCst);
        if header.callers.0.load(SeqCst) > 0 {
            let any: &SharedFutex = &header.any.0;
            any.word().fetch_add(1, SeqCst);
            any.wake(u32::MAX);
        }
        let low = u64::from(header.bell.0.low.load(SeqCst));
        if is_watched || header.bell.0.always.load(SeqCst) != 0 || (low > 0 && self.board.waiting() < low) {
            self.ring();
        }
    }

    /// One ring is enough until the host has looked.
    fn ring(&self) {
        if self.board.header().bell.0.rung.swap(1, SeqCst) == 0 {
            (self.ring)();
        }
    }

    /// The host has decided to kill this process; it must not begin anything.
    fn wait_for_the_end(&self) -> ! {
        self.board.header().seeking.0.take(self.worker);
        let word = &self.board.seat(self.worker).word;
        loop {
            word.word().store(ASLEEP, SeqCst);
            word.sleep_while(ASLEEP, None);
        }
    }
}

fn write(slot: &Slot, bytes: &[u8], block: Option<(u32, usize)>) {
    // SAFETY: the slot runs and is ours until its word says that it is done.
    let inline = unsafe { &mut *slot.inline.get() };
    inline[..bytes.len()].copy_from_slice(bytes);
    slot.reply_inline.store(bytes.len() as u32, Relaxed);
    let (number, length) = block.map_or((0, 0), |(number, length)| (number + 1, length));
    slot.reply_block.store(number, Relaxed);
    slot.reply_length.store(length as u64, Relaxed);
}

impl std::fmt::Debug for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seat({} at {:?})", self.worker, self.board)
    }
}
