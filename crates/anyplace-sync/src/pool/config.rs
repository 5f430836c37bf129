//! What a pool is made from, and what it says when it refuses a job.

use std::any::Any;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// What a [`Pool`](super::Pool) runs.
///
/// A pool is generic over its jobs, so that a caller whose jobs are already in one allocation (an `Arc` of its own, an
/// enum) pays no second one. [`Thunk`] is the job for everybody else.
pub trait Job: Send + 'static {
    /// Does the work, on the thread with the index `worker`.
    fn run(self, worker: usize);
}

/// A boxed closure: the job of a pool that runs anything. It is given the worker's index.
pub type Thunk = Box<dyn FnOnce(usize) + Send>;

impl Job for Thunk {
    fn run(self, worker: usize) {
        self(worker);
    }
}

pub(super) type WorkerHook = Arc<dyn Fn(usize) + Send + Sync>;
pub(super) type PanicHook = Arc<dyn Fn(Box<dyn Any + Send>) + Send + Sync>;

/// How a pool is built: set the fields that matter, leave the others as [`new`](Self::new) made them.
///
/// ```
/// use anyplace_sync::{Pool, PoolConfig, Thunk};
///
/// let config = PoolConfig { on_start: Some(std::sync::Arc::new(|worker| drop(worker))), ..PoolConfig::new("cooks", 4) };
/// let pool: Pool<Thunk> = Pool::new(config);
/// assert_eq!(pool.threads_started(), 0);
/// ```
#[derive(Clone)]
pub struct PoolConfig {
    /// The most threads that run jobs at a time; 0 counts as 1.
    pub threads: usize,
    /// Threads are named `{name}-{index}`; Linux shows the first 15 bytes.
    pub name: String,
    /// How long an idle thread spins before it sleeps. `None` is what a wake-up costs: 50 µs, on one core nothing.
    pub spin: Option<Duration>,
    /// Runs on each thread before its first job, with the thread's index.
    pub on_start: Option<WorkerHook>,
    /// Runs on each thread after its last job, with the thread's index.
    pub on_exit: Option<WorkerHook>,
    /// Is given the payload of a job (or of another hook) that panicked. Without it the payload is dropped.
    pub on_panic: Option<PanicHook>,
}

impl PoolConfig {
    /// At most `threads` threads named `{name}-{index}`.
    pub fn new(name: impl Into<String>, threads: usize) -> Self {
        Self { threads, name: name.into(), spin: None, on_start: None, on_exit: None, on_panic: None }
    }
}

impl fmt::Debug for PoolConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { threads, name, spin, .. } = self;
        f.debug_struct("PoolConfig")
            .field("threads", threads)
            .field("name", name)
            .field("spin", spin)
            .finish_non_exhaustive()
    }
}

/// A job the pool did not take, and why.
pub struct Refused<J> {
    /// What was to be run, untouched.
    pub job: J,
    /// Why it was refused.
    pub reason: Reason,
}

/// Why a pool did not take a job.
#[derive(Debug)]
#[non_exhaustive]
pub enum Reason {
    /// The pool has been shut down.
    ShutDown,
    /// The pool has no thread, and the system did not give it the first one.
    NoThread(io::Error),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShutDown => f.write_str("the pool is shut down"),
            Self::NoThread(_) => f.write_str("the pool cannot start its first thread"),
        }
    }
}

impl<J> fmt::Debug for Refused<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<J> fmt::Display for Refused<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl<J> std::error::Error for Refused<J> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.reason {
            Reason::ShutDown => None,
            Reason::NoThread(error) => Some(error),
        }
    }
}
