//! A task while others have it.

use crate::outcome::{Done, Outcome};
use crate::task::{Shared, Started, Task};
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A task with the duty to say how it ended. Several may hold it, and one ends it.
pub(super) struct Given {
    pub(super) shared: Arc<Shared>,
    /// As the observers of its start are told. Which worker runs it, only the server knows.
    pub(super) started: Started,
    task: Mutex<Task>,
    done: Mutex<Option<Done>>,
    returns: AtomicU32,
}

/// A task that comes back unbegun so often is what ends the conversations.
const RETURNS: u32 = 8;

impl Given {
    pub(super) fn new(task: Task, done: Done) -> Self {
        let started = Started { task: task.id, index: task.index, attempt: task.attempt, worker: 0 };
        Self {
            shared: task.shared.clone(),
            started,
            task: Mutex::new(task),
            done: Mutex::new(Some(done)),
            returns: AtomicU32::new(0),
        }
    }

    /// The task itself, for who tells it to a server.
    pub(super) fn task(&self) -> MutexGuard<'_, Task> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It has come back unbegun: whether that is so often that it is not sent again.
    pub(super) fn returns_once_more(&self) -> bool {
        self.returns.fetch_add(1, Ordering::Relaxed) >= RETURNS
    }

    /// The duty, once.
    pub(super) fn take(&self) -> Option<Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Says how it ended, on this thread.
    pub(super) fn end(&self, outcome: Outcome) {
        if let Some(done) = self.take() {
            done.call(outcome);
        }
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.task().fmt(f)
    }
}
