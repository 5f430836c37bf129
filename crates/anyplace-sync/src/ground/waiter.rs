//! The record of a thread that waits: what it sleeps on, its neighbours in the line, and who it is.

use super::{Party, clock};
use crate::futex::Futex;
use crate::primitives::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use crate::primitives::atomic::{AtomicU32, AtomicU64, fence};
use std::time::Instant;

/// In no line, or awake in one.
const AWAKE: u32 = 0;
/// In the line, and looks at the word by itself: waking it needs no call of the kernel.
const WAITING: u32 = 1;
/// In the line, and sleeps on the word.
const ASLEEP: u32 = 2;
/// Was woken, and has not looked again yet.
const WOKEN: u32 = 3;
/// Was told what it waited for; it is out of the line.
const TOLD: u32 = 4;

/// How long one that was woken may take to look, in nanoseconds, before others no longer wait for it.
const LATE: u64 = 10_000_000;

const LABEL_WORDS: usize = 12;

/// A thread that waits, or a record that no thread has. It is all atomics, so that it may lie in shared memory.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Waiter {
    word: Futex<true>,
    /// Its neighbours in the line, by number: changed inside the object's monitor only.
    pub(super) next: AtomicU32,
    pub(super) previous: AtomicU32,
    /// Whose thread it is; 0 if nobody has the record.
    party: AtomicU32,
    /// What it stands in line for; 0 if in none. This decides who is in a line: the links only say it faster.
    object: AtomicU64,
    since: AtomicU64,
    /// When it was woken last.
    woken: AtomicU64,
    /// What it stood in line for when it was told.
    told: AtomicU64,
    task: AtomicU64,
    thread: AtomicU32,
    label_len: AtomicU32,
    label: [AtomicU64; LABEL_WORDS],
    /// The record of the bell that is rung when it is called; 0 if its own thread sleeps here.
    bell: AtomicU32,
    reserved: AtomicU32,
}

/// What others see of a waiting thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its process.
    pub party: Party,
    /// What it waits for, as its ground calls it.
    pub object: u64,
    /// When it began, by [`now`](super::now).
    pub since: u64,
    /// The number of the task that waits, as its place counts them; 0 if it is none.
    pub task: u64,
    /// Its thread's number.
    pub thread: u32,
    /// Where in the program it waits, if it told.
    pub label: String,
}

impl Waiter {
    /// Makes the record `party`'s if nobody has it.
    pub fn take(&self, party: Party) -> bool {
        self.party.load(Relaxed) == 0 && self.party.compare_exchange(0, party, Acquire, Relaxed).is_ok()
    }

    /// Makes the record `party`'s unless it is already, whoever else had it: where others are no more.
    #[cfg(not(loom))]
    pub(super) fn take_from_others(&self, party: Party) -> bool {
        let before = self.party.load(Relaxed);
        before != party && self.party.compare_exchange(before, party, Acquire, Relaxed).is_ok()
    }

    /// Makes the record nobody's. It must be in no line.
    pub fn give(&self) {
        self.party.store(0, Release);
    }

    /// Whose thread it is; 0 if nobody has the record.
    pub fn party(&self) -> Party {
        self.party.load(Acquire)
    }

    /// What it stands in line for; 0 if in none.
    pub fn object(&self) -> u64 {
        self.object.load(Acquire)
    }

    /// When it joined the line.
    pub fn since(&self) -> u64 {
        self.since.load(Relaxed)
    }

    /// What it tells of itself, if it waits. Another thread may have the record a moment later.
    pub fn seen(&self) -> Option<Seen> {
        let (party, object) = (self.party(), self.object());
        (party != 0 && object != 0).then(|| Seen {
            party,
            object,
            since: self.since(),
            task: self.task.load(Relaxed),
            thread: self.thread.load(Relaxed),
            label: self.label(),
        })
    }

    fn label(&self) -> String {
        let bytes: Vec<u8> = self.label.iter().flat_map(|word| word.load(Relaxed).to_le_bytes()).collect();
        let len = (self.label_len.load(Relaxed) as usize).min(bytes.len());
        String::from_utf8_lossy(&bytes[..len]).into_owned()
    }

    /// Says who waits, and where. What does not fit in 96 bytes is cut at its beginning: the end of a path says more.
    pub(super) fn describe(&self, task: u64, label: &str) {
        let excess = label.len().saturating_sub(LABEL_WORDS * 8);
        let start = (excess..=label.len()).find(|&at| label.is_char_boundary(at)).unwrap_or(0);
        let text = &label.as_bytes()[start..];
        for (word, bytes) in self.label.iter().zip(text.chunks(8)) {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            word.store(u64::from_le_bytes(padded), Relaxed);
        }
        self.label_len.store(text.len() as u32, Relaxed);
        self.task.store(task, Relaxed);
    }

    /// It now stands in line for `object`. (Inside the object's monitor.)
    pub(super) fn join(&self, object: u64) {
        self.since.store(clock::now(), Relaxed);
        self.thread.store(clock::thread(), Relaxed);
        self.bell.store(0, Relaxed);
        self.word.word().store(WAITING, Relaxed);
        self.object.store(object, Release);
    }

    /// It stands in no line any more. (Inside the object's monitor.)
    pub(super) fn part(&self) {
        self.object.store(0, Release);
    }

    /// It looks again, in vain, and goes on waiting. (Inside the object's monitor.)
    pub(super) fn stay(&self) {
        self.word.word().store(WAITING, Relaxed);
    }

    /// Whether it was woken and has not looked yet. (Inside the object's monitor.)
    pub(super) fn is_woken(&self) -> bool {
        matches!(self.word.word().load(Relaxed), WOKEN | TOLD)
    }

    pub(super) fn is_told(&self) -> bool {
        self.word.word().load(Acquire) == TOLD
    }

    /// Whether it was woken long ago and still has not looked: its thread may be stopped, or be no more. (Inside the
    /// object's monitor.)
    pub(super) fn is_late(&self) -> bool {
        self.is_woken() && clock::now().saturating_sub(self.woken.load(Relaxed)) >= LATE
    }

    /// Has it look again; true if it sleeps, and has to be [roused](Self::rouse). (Inside the object's monitor.)
    #[must_use]
    pub(super) fn wake(&self) -> bool {
        self.woken.store(clock::now(), Relaxed);
        self.word.word().swap(WOKEN, AcqRel) == ASLEEP
    }

    /// Tells it, which stood in line for `object`, that what it waited for has come; true if it has to be roused. (Inside
    /// the object's monitor.)
    #[must_use]
    pub(super) fn tell(&self, object: u64) -> bool {
        self.told.store(object, Relaxed);
        self.word.word().swap(TOLD, AcqRel) == ASLEEP
    }

    /// Whether it was told in the line of `object`. (Inside the object's monitor.)
    pub(super) fn is_told_of(&self, object: u64) -> bool {
        self.is_told() && self.told.load(Relaxed) == object
    }

    /// Calls the kernel, for one that sleeps. If another thread has the record by now, that one looks once in vain.
    pub(super) fn rouse(&self) {
        self.word.wake(1);
    }

    /// Forgets what was told.
    pub(super) fn forget(&self) {
        self.word.word().store(AWAKE, Relaxed);
    }

    /// Whether there is something to look at: one load.
    pub(super) fn is_called(&self) -> bool {
        matches!(self.word.word().load(Acquire), WOKEN | TOLD)
    }

    /// Has `bell` rung when it is called; false if it is called already.
    pub(super) fn watch(&self, bell: u32) -> bool {
        self.bell.store(bell, Relaxed);
        let asleep = self.word.word().compare_exchange(WAITING, ASLEEP, AcqRel, Acquire);
        asleep.is_ok() || asleep == Err(ASLEEP)
    }

    pub(super) fn bell(&self) -> u32 {
        self.bell.load(Relaxed)
    }

    /// Wakes whoever hears this bell. If the record is another's by now, that one looks once in vain.
    pub(super) fn ring(&self) {
        // Before it stands that the turn is called. So either we see that the bell can be rung again, or who made it so sees
        // that call.
        fence(SeqCst);
        let can_ring = |word| matches!(word, AWAKE | ASLEEP).then_some(WOKEN);
        if self.word.word().fetch_update(AcqRel, Acquire, can_ring) == Ok(ASLEEP) {
            self.word.wake(1);
        }
    }

    /// As a bell: sleeps until it has been rung, or `until`; then it can be rung again.
    pub(super) fn sleep_for_bell(&self, until: Option<Instant>) {
        let word = self.word.word();
        if word.compare_exchange(AWAKE, ASLEEP, AcqRel, Relaxed).is_ok() {
            self.word.sleep_while(ASLEEP, until);
        }
        word.store(AWAKE, Relaxed);
        // Who heard it now looks which turns are called.
        fence(SeqCst);
    }

    /// Sleeps until it is called, or `until`; it may also return early for no reason.
    pub(super) fn sleep(&self, until: Option<Instant>) {
        let word = self.word.word();
        self.bell.store(0, Relaxed);
        let asleep = word.compare_exchange(WAITING, ASLEEP, AcqRel, Acquire);
        if asleep.is_ok() || asleep == Err(ASLEEP) {
            self.word.sleep_while(ASLEEP, until);
        }
    }
}
