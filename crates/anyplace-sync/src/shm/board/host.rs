//! The host's side of the board: it posts tasks, takes them back, and collects replies. How it waits is in `waits.rs`, and
//! what it does when a worker dies in `bury.rs`.

use super::layout::{INLINE, Slot};
use super::reply::{Reading, Reply};
use super::ticket::{Calls, Stage, Ticket};
use super::word::{AWAITED, BLOCKS, CONDEMNED, Phase, WATCHED, Word};
use super::{Board, Size};
use crate::fork;
use crate::primitives::atomic::Ordering::{Relaxed, Release, SeqCst};
use crate::primitives::atomic::fence;
use crate::primitives::{Mutex, MutexGuard, lock};
use std::sync::Arc;

/// Bytes on their way: short ones travel in the slot, others in a block of shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// The bytes, at most [`INLINE`].
    Inline(&'a [u8]),
    /// The block's number and the length of what is in it.
    Block(u32, usize),
}

/// The host of a board. Threads may share it; what it does under its lock is short.
pub struct Host<T> {
    pub(super) board: Board,
    state: Mutex<State<T>>,
    /// How many tasks were condemned, and their workers not buried: mostly none, and then nobody has to look for them.
    pub(super) condemned: std::sync::atomic::AtomicUsize,
    /// Per worker: replies that refer to its blocks and are not read yet.
    pub(super) readings: Arc<[std::sync::atomic::AtomicUsize]>,
    /// The generation of forks that the board belongs to.
    born: u32,
}

pub(super) struct State<T> {
    pub(super) free: Vec<u32>,
    pub(super) entries: Vec<Option<T>>,
}

impl<T> Host<T> {
    pub(super) fn on(board: Board) -> Self {
        let Size { workers, slots } = board.size;
        // The slot used last is used next: its lines are still in the caches.
        let free = (0..slots as u32).rev().collect();
        let state = State { free, entries: (0..slots).map(|_| None).collect() };
        Self {
            board,
            state: Mutex::new(state),
            condemned: Default::default(),
            readings: (0..workers).map(|_| Default::default()).collect(),
            born: fork::fork_generation(),
        }
    }

    /// Whether this process is a child by `fork` of the host: the board is its parent's. All it may do here is to
    /// [give up](Self::give_up).
    pub fn is_elsewhere(&self) -> bool {
        fork::current() != self.born
    }

    /// In a child by `fork`: gives the entries that it has of its parent's tasks, and leaves the board alone.
    pub fn give_up(&self) -> Vec<T> {
        self.state().entries.iter_mut().filter_map(Option::take).collect()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State<T>> {
        lock(&self.state)
    }

    pub(super) fn slot(&self, number: u32) -> &Slot {
        self.board.slot(number).expect("tickets and free slots are the host's own")
    }

    /// Posts a task and wakes a worker for it if none is awake. Gives `entry` back if there is no room now.
    ///
    /// # Errors
    /// The entry, if all slots are taken.
    pub fn post(&self, message: Body<'_>, calls: Calls, entry: T) -> Result<Ticket, T> {
        let mut state = self.state();
        if state.free.is_empty() || !self.board.has_room() {
            self.pass_over_idle(&mut state);
        }
        if !self.board.has_room() {
            return Err(entry);
        }
        let Some(number) = state.free.pop() else { return Err(entry) };
        let slot = self.slot(number);
        write(slot, message);
        let word = slot.load().posted(calls.flags());
        state.entries[number as usize] = Some(entry);
        // The slot is free, so nobody else moves its word; a hint that is in the queue twice may find it from now on.
        slot.word.word().store(word.0, Release);
        self.board.push(number, slot);
        drop(state);
        self.board.wake_one();
        Ok(Ticket { slot: number, generation: word.generation() })
    }

    /// Frees the slots at the front of the queue whose tasks were taken back, as a worker would: there may be none.
    fn pass_over_idle(&self, state: &mut State<T>) {
        while let Some((number, slot)) = self.board.pop_idle() {
            let word = slot.load();
            if word.phase() == Phase::Cancelled && slot.swap(word, word.freed()) {
                state.free.push(number);
            }
        }
    }

    /// How many tasks wait for a worker, and how many workers are free to take them.
    pub fn demand(&self) -> (usize, usize) {
        let (header, workers) = (self.board.header(), self.board.size.workers);
        let free = header.seeking.0.count(workers) + header.asleep.0.count(workers);
        (usize::try_from(self.board.waiting()).unwrap_or(usize::MAX), free)
    }

    /// How many tasks wait for a worker. It looks at every slot: the hints that [`demand`](Self::demand) counts may be of
    /// tasks that were taken back.
    pub fn ready(&self) -> usize {
        self.board.slots().filter(|(_, slot)| slot.load().phase() == Phase::Ready).count()
    }

    /// How far the task is.
    pub fn stage(&self, ticket: Ticket) -> Stage {
        let word = self.slot(ticket.slot).load();
        match (word.is_live(ticket.generation), word.owner()) {
            (false, _) => Stage::Over,
            (true, Some(worker)) => Stage::Running(worker),
            (true, None) => Stage::Waiting,
        }
    }

    /// Takes a task back that no worker has begun: gives its entry, once.
    pub fn take_back(&self, ticket: Ticket) -> Option<T> {
        let slot = self.slot(ticket.slot);
        let mut state = self.state();
        let word = slot.update(|word| {
            let waits = word.generation() == ticket.generation && word.phase() == Phase::Ready;
            waits.then(|| word.step(Phase::Cancelled))
        })?;
        let entry = state.entries[ticket.slot as usize].take();
        drop(state);
        if word.has(AWAITED) {
            slot.wake();
        }
        entry
    }

    /// Decides that the worker which runs the task will be killed: the task does not end by itself any more, and the
    /// worker takes no other. Gives the worker; nothing if the task does not run.
    pub fn condemn(&self, ticket: Ticket) -> Option<usize> {
        let word = self.slot(ticket.slot).update(|word| {
            let runs = word.generation() == ticket.generation && word.phase() == Phase::Running;
            runs.then(|| word.with(CONDEMNED))
        })?;
        if !word.has(CONDEMNED) {
            self.condemned.fetch_add(1, SeqCst);
        }
        word.owner()
    }

    /// The workers that are to be killed.
    pub fn condemned(&self) -> Vec<usize> {
        if self.condemned.load(SeqCst) == 0 {
            return Vec::new();
        }
        let words = self.board.slots().map(|(_, slot)| slot.load());
        let condemned = words.filter(|word| word.phase() == Phase::Running && word.has(CONDEMNED));
        condemned.filter_map(Word::owner).filter(|worker| *worker < self.board.size.workers).collect()
    }

    /// Asks for a ring of the bell when the task is done; false if it already is.
    pub fn watch(&self, ticket: Ticket) -> bool {
        let live = |word: Word| word.is_live(ticket.generation).then(|| word.with(WATCHED));
        self.slot(ticket.slot).update(live).is_some()
    }

    /// Gives all finished tasks with their replies, the one that finished first first.
    pub fn collect(&self, into: &mut Vec<(T, Reply)>) {
        if self.board.has_finished() {
            self.collect_locked(&mut self.state(), into);
        }
    }

    pub(super) fn collect_locked(&self, state: &mut State<T>, into: &mut Vec<(T, Reply)>) {
        let before = into.len();
        for (number, slot) in self.board.unlink_all() {
            if let Some(found) = self.read(state, number, slot) {
                into.push(found);
            }
            state.release(number, slot);
        }
        into[before..].reverse();
    }

    /// Gives this task's reply if it is there and nobody else has it: also one that is not on the stack yet.
    pub fn collect_one(&self, ticket: Ticket) -> Option<(T, Reply)> {
        let slot = self.slot(ticket.slot);
        let mut state = self.state();
        let word = slot.load();
        if word.generation() != ticket.generation || word.phase() != Phase::Done {
            return None;
        }
        let found = self.read(&mut state, ticket.slot, slot);
        // Only the host moves the word of a slot that is done, and only under its lock.
        slot.swap(word, word.step(Phase::Collected));
        found
    }

    /// The entry and the reply of a slot that is done. Nothing if it was taken back or has been read.
    pub(super) fn read(&self, state: &mut State<T>, number: u32, slot: &Slot) -> Option<(T, Reply)> {
        let word = slot.load();
        if word.phase() != Phase::Done {
            return None;
        }
        let entry = state.entries[number as usize].take()?;
        let worker = word.owner()?;
        let inline_length = slot.reply_inline.load(Relaxed) as usize;
        let length = usize::try_from(slot.reply_length.load(Relaxed)).unwrap_or(usize::MAX);
        let block = slot.reply_block.load(Relaxed).checked_sub(1).map(|block| (block, length));
        let reading = (word.has(BLOCKS) && worker < self.board.size.workers).then(|| {
            self.readings[worker].fetch_add(1, Relaxed);
            Reading(self.readings.clone(), worker)
        });
        // SAFETY: the slot is done, so its worker writes to it no more, and only the host frees it, under this lock.
        let inline = unsafe { *slot.inline.get() };
        Some((entry, Reply { worker, block, inline, length: inline_length.min(INLINE), _reading: reading }))
    }

    /// Takes back all that waits.
    pub fn take_back_all(&self) -> Vec<T> {
        let live = |(number, slot): (u32, &Slot)| {
            let word = slot.load();
            let ticket = Ticket { slot: number, generation: word.generation() };
            (word.phase() == Phase::Ready).then_some(ticket)
        };
        let tickets: Vec<Ticket> = self.board.slots().filter_map(live).collect();
        tickets.into_iter().filter_map(|ticket| self.take_back(ticket)).collect()
    }

    /// The tasks that run, and where.
    pub fn running(&self) -> Vec<(Ticket, usize)> {
        let runs = |(number, slot): (u32, &Slot)| {
            let word = slot.load();
            let ticket = Ticket { slot: number, generation: word.generation() };
            word.owner().filter(|_| word.phase() == Phase::Running).map(|worker| (ticket, worker))
        };
        self.board.slots().filter_map(runs).collect()
    }

    /// Workers ring at the end of every task from now on: nobody else may be there to hear of it.
    pub fn ring_always(&self) {
        self.board.header().bell.0.always.store(1, SeqCst);
        fence(SeqCst);
    }

    /// Workers ring when fewer than this many tasks wait; 0 for never.
    pub fn ring_below(&self, tasks: u32) {
        self.board.header().bell.0.low.store(tasks, SeqCst);
        fence(SeqCst);
    }

    /// Workers ring when a task waits and none of them is free: there are places for more.
    pub fn ring_for_more(&self, wanted: bool) {
        self.board.header().bell.0.hires.store(u32::from(wanted), SeqCst);
        fence(SeqCst);
    }

    /// Whether few tasks wait, so that workers would [ring](Self::ring_below) now, and something is over that nobody
    /// has collected: it may have ended before they were told to ring.
    pub fn has_run_low(&self) -> bool {
        self.board.waiting() < u64::from(self.board.header().bell.0.low.load(SeqCst))
            && self.board.has_finished()
    }

    /// The keeper has heard the bell: the next event rings again. It looks around after this.
    pub fn hush(&self) {
        self.board.header().bell.0.rung.store(0, SeqCst);
        fence(SeqCst);
    }

    /// Tells all workers to leave when they have nothing to do.
    pub fn stop(&self) {
        self.board.header().bell.0.stop.store(1, SeqCst);
        (0..self.board.size.workers).for_each(|worker| self.board.rouse(worker));
    }

    /// How large the board is.
    pub fn size(&self) -> Size {
        self.board.size
    }
}

impl<T> State<T> {
    pub(super) fn release(&mut self, number: u32, slot: &Slot) {
        self.entries[number as usize] = None;
        let word = slot.load();
        slot.word.word().store(word.freed().0, Release);
        self.free.push(number);
        // Its worker wakes the callers, too; but it may have died right before.
        if word.has(AWAITED) {
            slot.wake();
        }
    }
}

fn write(slot: &Slot, message: Body<'_>) {
    slot.item.store(0, Relaxed);
    slot.reply_block.store(0, Relaxed);
    slot.reply_length.store(0, Relaxed);
    match message {
        Body::Inline(bytes) => {
            assert!(bytes.len() <= INLINE, "longer messages go into blocks");
            // SAFETY: the slot is free: only the host, under its lock, writes to it.
            let inline = unsafe { &mut *slot.inline.get() };
            inline[..bytes.len()].copy_from_slice(bytes);
            slot.block.store(0, Relaxed);
            slot.length.store(bytes.len() as u64, Relaxed);
        }
        Body::Block(number, length) => {
            slot.block.store(number + 1, Relaxed);
            slot.length.store(length as u64, Relaxed);
        }
    }
}

impl<T> std::fmt::Debug for Host<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Host({:?})", self.board)
    }
}
