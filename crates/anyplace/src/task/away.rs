//! Tasks that a driver has put where workers take them by themselves, such as a slot in shared memory.
//!
//! Nobody in this process hears when such a task begins, and only who looks hears that it ended. So whoever waits for
//! one has the driver look: the thread that waits does the work of bringing outcomes home, for itself and for others.

use super::Shared;
use crate::task::Ending;
use std::sync::Arc;
use std::time::Instant;

/// Where a task is, as its driver knows it.
#[derive(Clone)]
pub(crate) struct Whereabouts {
    pub(crate) driver: Arc<dyn Away>,
    /// The driver's number for it: `None` while it waits in the driver for a place where workers find it.
    pub(crate) key: Option<u64>,
}

/// A driver whose tasks are away. `key` is what the driver said of the task when it [left](Shared::leave).
pub(crate) trait Away: Send + Sync {
    /// Takes the task back if no worker has begun it: `true` if it now never runs, and has ended as cancelled.
    fn take_back(&self, key: u64) -> bool;

    /// Whether a worker has begun it, and it has not ended.
    fn has_begun(&self, key: u64) -> bool;

    /// Ends it, running or not: `true` if it will be ended; the outcome follows.
    fn end(&self, key: u64, ending: Ending) -> bool;

    /// Somebody wants to hear of its end without waiting for it: from now on the driver sees to that.
    fn watch(&self, key: u64);

    /// Brings home what has ended, without waiting.
    fn collect(&self);

    /// Brings outcomes home until this task's is there: `true`, or `false` if `deadline` came first.
    fn wait(&self, task: &Shared, deadline: Option<Instant>) -> bool;

    /// Brings outcomes home until `arrived`: `true`, or `false` if `deadline` came first.
    fn wait_any(&self, arrived: &dyn Fn() -> bool, deadline: Option<Instant>) -> bool;

    /// Lets all who [wait for any](Self::wait_any) look again.
    fn rouse(&self);

    /// Runs a callback of others, on a thread that has nothing else to do.
    fn call_back(&self, callback: Box<dyn FnOnce() + Send>);
}
