//! The Tasks family of `processes:`: a desk, and the keeper's thread from the first task on.

use super::desk::Desk;
use super::keeper::{Keeper, Relief};
use super::options::Choices;
use super::posted::Posted;
use crate::Address;
use crate::driver::{Memory, Setup, Tasks};
use crate::error::{Error, Kind, Result, Retry};
use crate::outcome::{Done, Outcome};
use crate::share::Halls;
use crate::task::Task;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Workers {
    desk: Arc<Desk>,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

impl Workers {
    pub(super) fn new(workers: usize, choices: Choices, setup: &Setup, address: &Address) -> Result<Self> {
        let desk = Desk::new(workers, choices, setup, address.to_string())
            .map_err(|error| no_memory(&error.into()))?;
        Ok(Self { desk, keeper: Mutex::default() })
    }

    fn keeper(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before the first task.
    fn start_keeper(&self) -> std::result::Result<(), Outcome> {
        self.desk.program.check().map_err(Outcome::Failed)?;
        let mut keeper = self.keeper();
        if keeper.is_none() && self.desk.closing().is_none() {
            let desk = self.desk.clone();
            let run = move || {
                let _relief = Relief(desk.clone());
                Keeper::new(desk).run();
            };
            let thread = thread::Builder::new().name("anyplace-keeper".to_owned()).spawn(run);
            let lost = |error| Outcome::Lost(Error::from(error).with_retry(Retry::Safe));
            *keeper = Some(thread.map_err(lost)?);
        }
        Ok(())
    }

    pub(super) fn memory(&self) -> Option<Arc<dyn Memory>> {
        Some(Arc::new(self.desk.memory.clone()))
    }

    pub(super) fn halls(&self) -> &Arc<Halls> {
        &self.desk.halls
    }

    pub(super) fn is_strict(&self) -> bool {
        self.desk.choices.strict
    }

    /// What has broken a strict place.
    pub(super) fn broken(&self) -> Option<Error> {
        self.desk.broken_for_ever().cloned()
    }

    /// In a strict place, what cannot be read breaks it.
    pub(super) fn reject(&self, unreadable: Error) -> Option<Error> {
        self.is_strict().then(|| self.desk.reject(unreadable))
    }

    /// Nobody may wait for outcomes any more: the keeper brings them all.
    pub(super) fn attend(&self) {
        if !self.desk.is_elsewhere() {
            self.desk.host.ring_always();
        }
        self.desk.collect();
    }

    /// Ends what waits for a worker.
    pub(super) fn cancel(&self) {
        if self.desk.is_elsewhere() {
            return self.desk.collect();
        }
        self.desk.refuse_waiting(Outcome::cancelled);
    }

    /// Ends every worker. What runs gets `grace`; nothing is left when this returns.
    pub(super) fn close(&self, grace: Duration) {
        if self.desk.is_elsewhere() {
            return self.desk.collect();
        }
        self.desk.close(grace);
        self.desk.bell.ring();
        let keeper = self.keeper().take();
        // A log's reader that closes the place runs on the keeper's thread, which ends by itself when it returns.
        if let Some(keeper) = keeper.filter(|keeper| keeper.thread().id() != thread::current().id()) {
            // A keeper's panic has become the outcome of all its tasks.
            drop(keeper.join());
        }
        self.desk.program.close();
        self.desk.leave();
        // A callback that closes the place runs on the thread of callbacks, which ends by itself when it returns.
        self.desk.callbacks.close();
        self.desk.let_go();
    }
}

impl Tasks for Workers {
    fn submit(&self, task: Task, done: Done) {
        if !self.desk.is_elsewhere()
            && self.keeper().is_none()
            && let Err(outcome) = self.start_keeper()
        {
            return done.call(outcome);
        }
        self.desk.submit(Posted::new(task, done));
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.close(Duration::ZERO);
    }
}

fn no_memory(error: &Error) -> Error {
    Error::new(Kind::ResourceExhausted, format!("the place's shared memory cannot be made: {error}"))
        .with_retry(Retry::Safe)
        .with_help("raise the limits on memory, file sizes and descriptors (`ulimit -v`, `-f`, `-n`)")
}
