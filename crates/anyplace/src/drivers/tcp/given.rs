//! A task while others have it.

use crate::outcome::{Done, Outcome};
use crate::task::{Shared, Started, Task};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A task with the duty to say how it ended. Several may hold it, and one ends it.
pub(super) struct Given {
    pub(super) shared: Arc<Shared>,
    /// As the observers of its start are told. Which worker runs it, only the server knows.
    pub(super) started: Started,
    task: Mutex<Task>,
    done: Mutex<Option<Done>>,
}

impl Given {
    pub(super) fn new(task: Task, done: Done) -> Self {
        let started = Started { task: task.id, index: task.index, attempt: task.attempt, worker: 0 };
        Self { shared: task.shared.clone(), started, task: Mutex::new(task), done: Mutex::new(Some(done)) }
    }

    /// The task itself, for who tells it to a server.
    pub(super) fn task(&self) -> MutexGuard<'_, Task> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
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
