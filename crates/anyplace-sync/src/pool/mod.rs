//! A [`Pool`]: threads that run jobs in the order they come. README.md has the protocol and why it holds.

mod config;
mod counts;
mod current;
mod queue;
mod shared;
mod threads;
mod worker;

pub use config::{Job, PoolConfig, Reason, Refused, Thunk};
pub use current::{before_rest, before_work, current_worker};

use shared::Shared;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Threads that run jobs, first in, first out.
///
/// Threads start as they are needed: one more only when a job comes and no idle thread can take it. An idle thread spins
/// for about as long as a wake-up costs and then sleeps, so that an idle pool uses no CPU time. A job that panics does
/// not end its thread.
///
/// A pool is a handle: clones stand for the same threads. When the last one is dropped, the pool shuts down, runs what is
/// queued and waits for its threads to end, unless it is dropped by one of them.
///
/// ```
/// use anyplace_sync::{Pool, PoolConfig, Thunk};
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use std::sync::Arc;
///
/// let sum = Arc::new(AtomicUsize::new(0));
/// let pool: Pool<Thunk> = Pool::new(PoolConfig::new("adders", 2));
/// for number in 1..=10 {
///     let sum = Arc::clone(&sum);
///     pool.spawn(Box::new(move |_worker| {
///         sum.fetch_add(number, Ordering::Relaxed);
///     }))?;
/// }
/// pool.join();
/// assert_eq!(sum.load(Ordering::Relaxed), 55);
/// # Ok::<(), anyplace_sync::Refused<Thunk>>(())
/// ```
pub struct Pool<J: Job = Thunk>(Arc<Owner<J>>);

/// What all handles share and the threads do not: when it goes, nobody can submit any more.
struct Owner<J: Job>(Arc<Shared<J>>);

impl<J: Job> Pool<J> {
    /// A pool without threads; the first job starts the first one.
    pub fn new(mut config: PoolConfig) -> Self {
        config.threads = config.threads.clamp(1, counts::MOST_THREADS);
        Self(Arc::new(Owner(Arc::new(Shared::new(config)))))
    }

    /// Queues `job`. It starts after every job queued before it.
    ///
    /// # Errors
    /// The job comes back if the pool is shut down, or has no thread and the system does not give it one. A system that
    /// refuses any later thread leaves the pool with those it has.
    pub fn spawn(&self, job: J) -> Result<(), Refused<J>> {
        match self.shared().enter() {
            Ok(submitter) => {
                submitter.push(job);
                Ok(())
            }
            Err(reason) => Err(Refused { job, reason }),
        }
    }

    /// Queues all `jobs` or none. The first ones may run while the iterator still makes the others.
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn); the iterator comes back untouched. A shutdown meanwhile refuses none of them.
    pub fn spawn_many<I: IntoIterator<Item = J>>(&self, jobs: I) -> Result<(), Refused<I>> {
        match self.shared().enter() {
            Ok(submitter) => {
                jobs.into_iter().for_each(|job| submitter.push_and_call(job));
                Ok(())
            }
            Err(reason) => Err(Refused { job: jobs, reason }),
        }
    }

    /// The calling thread's index if it is a thread of this pool. See also [`current_worker`].
    pub fn worker(&self) -> Option<usize> {
        self.shared().worker()
    }

    /// The most threads this pool may have.
    pub fn threads(&self) -> usize {
        self.shared().config.threads
    }

    /// How many threads have been started so far; their indices are below this.
    pub fn threads_started(&self) -> usize {
        self.shared().threads.started()
    }

    /// How many jobs wait for a thread: a moment's count, already old when it is read.
    pub fn queued(&self) -> usize {
        self.shared().queue.len()
    }

    /// Takes back the job that would start next: no thread runs it. `None` if none waits.
    pub fn take_back(&self) -> Option<J> {
        self.shared().queue.take()
    }

    /// Takes no more jobs, from anybody. What is queued still runs, then the threads end.
    pub fn shutdown(&self) {
        self.shared().shut_down();
    }

    /// Shuts down and waits until every queued job has run and no thread is left.
    ///
    /// A thread of this pool cannot wait for its own end: called from there, it only shuts down.
    pub fn join(&self) {
        self.shared().join(None);
    }

    /// Like [`join`](Self::join), for at most `time`; true if no thread is left.
    pub fn join_within(&self, time: Duration) -> bool {
        self.shared().join(Instant::now().checked_add(time))
    }

    fn shared(&self) -> &Arc<Shared<J>> {
        &self.0.0
    }
}

impl<J: Job> Clone for Pool<J> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<J: Job> fmt::Debug for Pool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("config", &self.shared().config)
            .field("threads_started", &self.threads_started())
            .field("queued", &self.queued())
            .finish()
    }
}

impl<J: Job> Drop for Owner<J> {
    fn drop(&mut self) {
        self.0.join(None);
    }
}
