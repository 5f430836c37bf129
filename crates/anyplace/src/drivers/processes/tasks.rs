//! Takes tasks and has slots run them: as many threads as there are workers, each started when it is first needed.

use super::bell::Bell;
use super::options::Choices;
use super::shared::Shared;
use super::slot::Slot;
use crate::driver::{Setup, Tasks};
use crate::error::Error;
use crate::outcome::{Done, Outcome};
use crate::task::Task;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Workers {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Workers {
    pub(super) fn new(workers: usize, choices: Choices, setup: Setup, place: String) -> Self {
        let shared = Arc::new(Shared::new(workers, choices, setup, place));
        Self { shared, threads: Mutex::default() }
    }

    fn start_slot(&self) -> std::io::Result<()> {
        let bell = Bell::new()?;
        let Some(number) = self.shared.enter(bell.clone()) else { return Ok(()) };
        let leave = Leave(self.shared.clone());
        let slot = Slot::new(number, self.shared.clone(), bell);
        let run = move || {
            leave.0.begin();
            let _leave = leave;
            slot.run();
        };
        let thread = thread::Builder::new().name(format!("anyplace-{number}")).spawn(run)?;
        self.threads().push(thread);
        Ok(())
    }

    fn threads(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends what waits for a slot.
    pub(super) fn cancel(&self) {
        self.shared.cancel_waiting();
    }

    /// Ends every worker. What runs gets `grace`; nothing is left when this returns.
    pub(super) fn close(&self, grace: Duration) {
        let threads = std::mem::take(&mut *self.threads());
        // A callback that closes the place runs on a slot's thread, which ends by itself when the callback returns.
        for thread in self.shared.close(grace, threads) {
            // A slot's panic has already become its task's outcome: `Done` tells when it is dropped.
            drop(thread.join());
        }
        self.shared.refuse_closed();
        self.shared.program.close();
    }
}

impl Tasks for Workers {
    fn submit(&self, task: Task, done: Done) {
        if let Err(error) = self.shared.program.check() {
            return done.call(Outcome::Failed(error));
        }
        if self.shared.push(task, done)
            && let Err(error) = self.start_slot()
        {
            // The slots that there are will do it. If there is none, nobody will.
            self.shared.refuse_waiting(|| Error::from(error));
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.close(Duration::ZERO);
    }
}

/// Tells that a slot's thread has ended, also by a panic, or never began.
struct Leave(Arc<Shared>);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.leave();
    }
}
