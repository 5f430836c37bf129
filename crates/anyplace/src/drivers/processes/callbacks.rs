//! The thread that runs callbacks of others. Whoever brings an outcome home may hold locks of its own, and has more to
//! do: what callbacks do, and for how long, is nobody else's business.

use crate::context::{caught, within_engine};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

pub(crate) type Callback = Box<dyn FnOnce() + Send>;

/// The thread begins with the first callback.
#[derive(Clone, Default)]
pub(crate) struct Callbacks(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Callback>,
    thread: Option<JoinHandle<()>>,
    closed: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // No code of others runs under this lock, so a poisoned one is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut state = self.state();
        loop {
            if let Some(callback) = state.waiting.pop_front() {
                drop(state);
                within_engine(|| caught(callback));
                state = self.state();
            } else if state.closed {
                return;
            } else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl Callbacks {
    /// Runs the callback soon, after those before it.
    pub(crate) fn run(&self, callback: Callback) {
        let mut state = self.0.state();
        if state.thread.is_none() && !state.closed {
            let shared = self.0.clone();
            let begin = thread::Builder::new().name("anyplace-callbacks".to_owned());
            state.thread = begin.spawn(move || shared.run()).ok();
        }
        if state.thread.is_none() {
            drop(state);
            return within_engine(|| caught(callback));
        }
        state.waiting.push_back(callback);
        drop(state);
        self.0.changed.notify_one();
    }

    /// Returns when all callbacks have been run and the thread is gone; at once if this is that very thread, which then
    /// ends by itself.
    pub(crate) fn close(&self) {
        let thread = {
            let mut state = self.0.state();
            state.closed = true;
            state.thread.take()
        };
        self.0.changed.notify_one();
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id()) {
            drop(thread.join());
        }
    }
}

impl std::fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Callbacks")
    }
}
