//! What a behaviour needs of a place, and the reason to skip it where that is missing.

use anyplace::Place;
use anyplace::work::WorkKind;

/// What a place must have for a behaviour to apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Workers of its own: the caller goes on while a task runs.
    Workers,
    /// Two workers or more, each with a thread that may wait.
    TwoThreads,
    /// Three workers or more.
    ThreeWorkers,
    /// A thread for each worker, which may wait.
    Threads,
    /// Its tasks are futures.
    Futures,
    /// It can end running tasks.
    Kill,
    /// It cannot.
    NoKill,
    /// Its workers are other processes.
    Processes,
    /// Its tasks run in this process.
    Here,
    /// No `timeout` around it yet.
    NoTimeout,
    /// No `retry` around it yet.
    NoRetry,
    /// No `limit` around it yet.
    NoLimit,
    /// No layers around it: the promise is the driver's alone.
    NoLayers,
}

impl Need {
    /// Why the place cannot show what needs this; `None` if it can.
    pub fn missing(self, place: &Place) -> Option<&'static str> {
        let limits = place.limits();
        let runs_futures = limits.takes == [WorkKind::Future];
        let has = |layer| place.layers().any(|name| name == layer);
        let (is_met, reason) = match self {
            Self::Workers => {
                (limits.workers > 0, "the caller runs the tasks, so nothing waits or runs beside it")
            }
            Self::TwoThreads => {
                (limits.workers >= 2 && !runs_futures, "it has no two workers with threads of their own")
            }
            Self::Threads => {
                (limits.workers > 0 && !runs_futures, "its tasks have no thread of their own to wait on")
            }
            Self::Futures => (runs_futures, "its tasks are no futures"),
            Self::Here => (!limits.takes(WorkKind::Named), "its tasks run in other processes"),
            Self::ThreeWorkers => (limits.workers >= 3, "it has fewer than three workers"),
            Self::Kill => (limits.can_kill, "it cannot end a running task"),
            Self::NoKill => (!limits.can_kill, "it can end a running task"),
            Self::Processes => (limits.takes(WorkKind::Named), "its tasks run in this process"),
            Self::NoTimeout => (!has("timeout"), "it has a timeout already"),
            Self::NoRetry => (!has("retry"), "it has a retry already"),
            Self::NoLimit => (!has("limit"), "it has a limit already"),
            Self::NoLayers => (place.layers().next().is_none(), "its layers decide it"),
        };
        (!is_met).then_some(reason)
    }
}
