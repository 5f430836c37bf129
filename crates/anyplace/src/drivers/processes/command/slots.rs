//! Hands commands to slots.

use super::slot::Slot;

use super::crew::Crew;
use crate::error::Error;
use crate::outcome::{Done, Outcome};
use crate::task::{Control, Ending, Task};
use anyplace_sync::spawn::Guard;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// N slots that run commands, in the order they were submitted.
pub(crate) struct Slots {
    shared: Arc<Shared>,
    limit: usize,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(Task, Done)>,
    running: HashMap<usize, Control>,
    threads: Vec<JoinHandle<()>>,
    /// Lives as long as the threads do; nothing on a system that is too old for it.
    guard: Option<Arc<Guard>>,
    crew: Crew,
    idle: usize,
    closed: bool,
}

impl Slots {
    /// At most `limit` commands at once.
    pub(crate) fn new(limit: usize) -> Self {
        Self { shared: Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() }), limit }
    }

    /// Accepts a task with a command.
    pub(crate) fn submit(&self, task: Task, done: Done) {
        let mut state = self.shared.state();
        if state.closed {
            drop(state);
            return done.call(Outcome::too_late());
        }
        state.waiting.push_back((task, done));
        let needs_thread = state.idle < state.waiting.len() && state.threads.len() < self.limit;
        if needs_thread && let Err(error) = self.start_thread(&mut state) {
            // With other slots at work the task only waits longer.
            let refused = if state.threads.is_empty() { state.waiting.pop_back() } else { None };
            drop(state);
            if let Some((_, done)) = refused {
                done.call(Outcome::from(Error::from(error)));
            }
            return;
        }
        drop(state);
        self.shared.changed.notify_one();
    }

    fn start_thread(&self, state: &mut State) -> std::io::Result<()> {
        let (shared, number) = (self.shared.clone(), state.threads.len());
        if state.threads.is_empty() {
            state.guard = Guard::start().ok().map(Arc::new);
        }
        let mut slot = Slot::new(number, state.guard.clone())?;
        let thread = std::thread::Builder::new().name(format!("command-{number}")).stack_size(256 * 1024);
        state.crew.add();
        let run = move || {
            let member = Member::begin(shared);
            while let Some((task, done)) = member.0.next(number) {
                slot.run(&task, done);
            }
        };
        let started = thread.spawn(run).inspect_err(|_| state.crew.leave())?;
        state.threads.push(started);
        Ok(())
    }

    /// Ends what waits for a slot.
    pub(crate) fn cancel(&self) {
        let waiting = std::mem::take(&mut self.shared.state().waiting);
        waiting.into_iter().for_each(|(_, done)| done.call(Outcome::cancelled()));
    }

    /// Ends everything: what waits is cancelled, what runs gets `grace`, then TERM, then KILL. All children are gone
    /// when it returns.
    pub(crate) fn close(&self, grace: Duration) {
        let (threads, guard) = {
            let mut state = self.shared.state();
            state.closed = true;
            (std::mem::take(&mut state.threads), state.guard.take())
        };
        self.cancel();
        self.shared.changed.notify_all();
        self.shared.end_after(grace);
        for thread in self.shared.wait_for_end(threads) {
            // A slot's panic has already become its task's outcome (`Done` tells when it is dropped).
            drop(thread.join());
        }
        drop(guard);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next task; nothing when the place is closed.
    fn next(&self, slot: usize) -> Option<(Task, Done)> {
        let mut state = self.state();
        if state.running.remove(&slot).is_some() && state.closed {
            self.changed.notify_all();
        }
        loop {
            if let Some((task, done)) = state.waiting.pop_front() {
                state.running.insert(slot, task.control());
                return Some((task, done));
            }
            if state.closed {
                return None;
            }
            state.idle += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// Waits until no slot's thread is left, but for those whose callbacks close the place if this is one. Gives those
    /// of the threads that have ended.
    fn wait_for_end(&self, threads: Vec<JoinHandle<()>>) -> Vec<JoinHandle<()>> {
        let mut state = self.state();
        let closer = state.crew.closes();
        self.changed.notify_all();
        let is_there = |state: &mut State| !state.crew.has_gone(closer);
        state = self.changed.wait_while(state, is_there).unwrap_or_else(PoisonError::into_inner);
        state.crew.ended(threads)
    }

    fn end_after(&self, grace: Duration) {
        let state = self.state();
        let busy = |state: &mut State| !state.running.is_empty();
        let waited = self.changed.wait_timeout_while(state, grace.min(LONG), busy);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let running: Vec<Control> = state.running.values().cloned().collect();
        drop(state);
        for control in running {
            control.kill(Ending::Cancelled);
        }
    }
}

/// A slot's thread, until it ends, also by a panic.
struct Member(Arc<Shared>);

impl Member {
    fn begin(shared: Arc<Shared>) -> Self {
        shared.state().crew.begin();
        Self(shared)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.0.state().crew.leave();
        self.0.changed.notify_all();
    }
}

/// Longer than any process lives, and short enough for every clock.
const LONG: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

impl Drop for Slots {
    fn drop(&mut self) {
        self.close(Duration::ZERO);
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.state();
        write!(f, "Slots({} of {}, {} wait)", state.running.len(), self.limit, state.waiting.len())
    }
}
