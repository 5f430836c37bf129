//! The host's side of the board: it posts tasks, waits for them, takes them back, and buries dead workers.

use super::layout::{INLINE, Slot};
use super::word::{ANNOUNCED, AWAITED, BLOCKS, CONDEMNED, Phase, WATCHED, Word};
use super::{Board, Size};
use crate::primitives::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use crate::primitives::atomic::fence;
use crate::primitives::{Mutex, MutexGuard, lock};
use crate::{fork, spin};
use std::sync::Arc;
use std::time::Instant;

/// Bytes on their way: short ones travel in the slot, others in a block of shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// The bytes, at most [`INLINE`].
    Inline(&'a [u8]),
    /// The block's number and the length of what is in it.
    Block(u32, usize),
}

/// Which task on the board. It stays good for ever: the slot's next task has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    slot: u32,
    generation: u32,
}

impl From<Ticket> for u64 {
    fn from(ticket: Ticket) -> Self {
        Self::from(ticket.slot) << 32 | Self::from(ticket.generation)
    }
}

impl From<u64> for Ticket {
    fn from(number: u64) -> Self {
        Self { slot: (number >> 32) as u32, generation: number as u32 }
    }
}

/// When the host's keeper is called for a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// When it begins.
    pub at_start: bool,
    /// When it is done.
    pub at_end: bool,
}

impl Calls {
    fn flags(self) -> u32 {
        let flag = |wanted, flag| if wanted { flag } else { 0 };
        flag(self.at_start, ANNOUNCED) | flag(self.at_end, WATCHED)
    }
}

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// No worker has begun it.
    Waiting,
    /// This worker runs it.
    Running(usize),
    /// It is done, taken back, or lost; [`Host::collect`] has its reply, unless another thread was faster.
    Over,
}

/// What a worker replied.
#[derive(Debug)]
pub struct Reply {
    worker: usize,
    block: Option<(u32, usize)>,
    inline: [u8; INLINE],
    length: usize,
    /// Keeps the blocks of this worker, should it die, until this reply is read.
    _reading: Option<Reading>,
}

impl Reply {
    /// The bytes that lie in the slot.
    pub fn inline(&self) -> &[u8] {
        &self.inline[..self.length]
    }

    /// The block with the others, and how many they are. Both come from another process and are checked by whoever
    /// opens it.
    pub fn block(&self) -> Option<(u32, usize)> {
        self.block
    }

    /// Who owns the blocks of this reply.
    pub fn worker(&self) -> usize {
        self.worker
    }
}

/// What a worker left of the task over which it died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partial {
    /// The item that ran.
    pub item: u32,
    /// The block and the length of the replies that were written.
    pub written: Option<(u32, usize)>,
    /// The block and the length of the list of what stands beside them.
    pub beside: Option<(u32, usize)>,
    /// It was [condemned](Host::condemn).
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

/// The host of a board. Threads may share it; what it does under its lock is short.
pub struct Host<T> {
    pub(super) board: Board,
    state: Mutex<State<T>>,
    /// How many tasks were condemned, and their workers not buried: mostly none, and then nobody has to look for them.
    condemned: std::sync::atomic::AtomicUsize,
    /// Per worker: replies that refer to its blocks and are not read yet.
    readings: Arc<[std::sync::atomic::AtomicUsize]>,
    /// The generation of forks that the board belongs to.
    born: u32,
}

struct State<T> {
    free: Vec<u32>,
    entries: Vec<Option<T>>,
}

/// A reply that is being read.
#[derive(Debug)]
struct Reading(Arc<[std::sync::atomic::AtomicUsize]>, usize);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0[self.1].fetch_sub(1, Release);
    }
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

    fn state(&self) -> MutexGuard<'_, State<T>> {
        lock(&self.state)
    }

    fn slot(&self, number: u32) -> &Slot {
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

    /// Waits until the task is over or `deadline` comes; true if it is over. It spins for about as long as a wake-up
    /// costs, if a core can be spared, and sleeps then.
    pub fn wait(&self, ticket: Ticket, deadline: Option<Instant>) -> bool {
        let slot = self.slot(ticket.slot);
        let over = || !slot.load().is_live(ticket.generation);
        if over() || spin(deadline, over) {
            return true;
        }
        loop {
            let asleep = slot.update(|word| word.is_live(ticket.generation).then(|| word.with(AWAITED)));
            let Some(word) = asleep else { return true };
            if !slot.word.sleep_while(word.with(AWAITED).0, deadline) {
                return over();
            }
        }
    }

    /// Waits until some task is finished that nobody has collected, or `arrived`, or `deadline` comes.
    pub fn wait_any(&self, deadline: Option<Instant>, arrived: impl Fn() -> bool) {
        let found = || self.board.has_finished() || arrived();
        if found() || spin(deadline, found) {
            return;
        }
        let header = self.board.header();
        header.callers.0.fetch_add(1, SeqCst);
        let any = &header.any.0;
        let seen = any.word().load(Acquire);
        fence(SeqCst);
        if !found() {
            any.sleep_while(seen, deadline);
        }
        header.callers.0.fetch_sub(1, SeqCst);
    }

    /// Wakes all that wait in [`wait_any`](Self::wait_any), to look again. Costs no call of the kernel if there are none.
    pub fn rouse_callers(&self) {
        let header = self.board.header();
        fence(SeqCst);
        if header.callers.0.load(SeqCst) > 0 {
            header.any.0.word().fetch_add(1, SeqCst);
            header.any.0.wake(u32::MAX);
        }
    }

    /// Gives all finished tasks with their replies, the one that finished first first.
    pub fn collect(&self, into: &mut Vec<(T, Reply)>) {
        if self.board.has_finished() {
            self.collect_locked(&mut self.state(), into);
        }
    }

    fn collect_locked(&self, state: &mut State<T>, into: &mut Vec<(T, Reply)>) {
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
    fn read(&self, state: &mut State<T>, number: u32, slot: &Slot) -> Option<(T, Reply)> {
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
    fn release(&mut self, number: u32, slot: &Slot) {
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

fn spin(deadline: Option<Instant>, found: impl FnMut() -> bool) -> bool {
    let limit = Instant::now() + spin::DEFAULT;
    let until = deadline.map_or(limit, |deadline| deadline.min(limit));
    spin::WAITERS.enter().is_some_and(|permit| permit.spin_until(until, found))
}

impl<T> std::fmt::Debug for Host<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Host({:?})", self.board)
    }
}
