//! What the slots of a place share: the tasks that wait, who is idle, whether the place is closed or broken.

use super::bell::Bell;
use super::crew::Crew;
use super::options::Choices;
use super::program::Program;
use crate::driver::Setup;
use crate::error::{Error, Retry};
use crate::outcome::{Done, Outcome};
use crate::task::Task;
use crate::wire::Terms;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A place is broken when so many workers in a row have died before they were ready.
const STARTS: u32 = 3;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) workers: usize,
    /// Each worker is replaced after so many tasks.
    pub(super) max_tasks: u64,
    pub(super) program: Program,
    pub(super) setup: Setup,
    pub(super) terms: Terms,
    place: String,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(Task, Done)>,
    bells: Vec<Bell>,
    /// Slots that wait for a bell. The lowest is woken first, so that a little work keeps a few workers warm.
    idle: BTreeSet<usize>,
    crew: Crew,
    closed: bool,
    /// What runs has had its time.
    killing: bool,
    failed_starts: u32,
    broken: Option<Error>,
}

/// What a slot does next.
pub(super) enum Take {
    Task(Task, Done),
    Wait,
    End,
}

impl Shared {
    pub(super) fn new(workers: usize, choices: Choices, setup: Setup, place: String) -> Self {
        let program = Program::new(choices.start, choices.preload, &setup);
        let terms = Terms { argument: setup.argument.clone(), ..choices.terms };
        let (state, ended) = (Mutex::default(), Condvar::new());
        Self { workers, max_tasks: choices.max_tasks, program, setup, terms, place, state, ended }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of others runs under this lock, so a poisoned one is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a task wait for a slot: `true` if none is idle and there may be one more.
    pub(super) fn push(&self, task: Task, done: Done) -> bool {
        let mut state = self.state();
        if state.closed {
            drop(state);
            done.call(Outcome::Lost(closed().at(&self.place)));
            return false;
        }
        state.waiting.push_back((task, done));
        if let Some(slot) = state.idle.pop_first() {
            state.bells[slot].ring();
            return false;
        }
        state.bells.len() < self.workers
    }

    /// Makes room for one more slot and gives its number; nothing if others were quicker, or the place is closed.
    pub(super) fn enter(&self, bell: Bell) -> Option<usize> {
        let mut state = self.state();
        let number = state.bells.len();
        if number >= self.workers || state.closed {
            return None;
        }
        state.bells.push(bell);
        state.crew.add();
        Some(number)
    }

    /// A slot's thread ends, or could not begin.
    pub(super) fn leave(&self) {
        self.state().crew.leave();
        self.ended.notify_all();
    }

    /// A slot's thread begins.
    pub(super) fn begin(&self) {
        self.state().crew.begin();
    }

    pub(super) fn take(&self, slot: usize) -> Take {
        let mut state = self.state();
        state.idle.remove(&slot);
        match state.waiting.pop_front() {
            Some((task, done)) => Take::Task(task, done),
            None if state.closed => Take::End,
            None => {
                state.idle.insert(slot);
                Take::Wait
            }
        }
    }

    /// Whether what runs must end now, since the place is closed and its time is over.
    pub(super) fn is_killing(&self) -> bool {
        self.state().killing
    }

    pub(super) fn broken(&self) -> Option<Error> {
        self.state().broken.clone()
    }

    /// No worker of this place can do anything: every task is told why.
    pub(super) fn break_down(&self, error: Error) -> Error {
        self.state().broken.get_or_insert(error.at(&self.place)).clone()
    }

    pub(super) fn worker_is_ready(&self) {
        self.state().failed_starts = 0;
    }

    /// A worker died before it was ready. Some deaths in a row mean that the next would die too.
    pub(super) fn start_failed(&self, error: Error) {
        let mut state = self.state();
        state.failed_starts += 1;
        if state.failed_starts >= STARTS {
            drop(state);
            self.break_down(error);
        }
    }

    /// Takes no more tasks, and returns when no slot's thread is left, but for those whose callbacks close the place
    /// if this is one: after `grace`, what runs is ended. Gives those of the threads that have ended.
    pub(super) fn close(&self, grace: Duration, threads: Vec<JoinHandle<()>>) -> Vec<JoinHandle<()>> {
        let mut state = self.state();
        state.closed = true;
        let closer = state.crew.closes();
        self.ended.notify_all();
        state.bells.iter().for_each(Bell::ring);
        let deadline = Instant::now().checked_add(grace);
        while !state.crew.has_gone(closer) {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            state = match left.filter(|_| !state.killing) {
                Some(Duration::ZERO) => {
                    state.killing = true;
                    state.bells.iter().for_each(Bell::ring);
                    state
                }
                Some(left) => self.ended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.ended.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        // Nobody rings any more, and a closed place that somebody still holds shall hold no descriptors.
        state.bells.clear();
        state.crew.ended(threads)
    }

    pub(super) fn cancel_waiting(&self) {
        let waiting = std::mem::take(&mut self.state().waiting);
        waiting.into_iter().for_each(|(_, done)| done.call(Outcome::cancelled()));
    }

    /// Tells what waits that it never runs, if no slot is there to run it.
    pub(super) fn refuse_waiting(&self, error: impl FnOnce() -> Error) {
        let mut state = self.state();
        if !state.crew.is_empty() || state.waiting.is_empty() {
            return;
        }
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        let error = error().at(&self.place).with_retry(Retry::Safe);
        waiting.into_iter().for_each(|(_, done)| done.call(Outcome::Lost(error.clone())));
    }

    pub(super) fn refuse_closed(&self) {
        self.refuse_waiting(closed);
    }
}

fn closed() -> Error {
    Error::new(crate::Kind::PlaceClosed, "the place was closed before the task could begin")
        .with_retry(Retry::Safe)
        .with_help("submit before it is closed, or open it again")
}
