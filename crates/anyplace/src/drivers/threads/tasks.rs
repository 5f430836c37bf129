//! Tasks on a pool of threads, and how a worker that waits helps itself.
//!
//! A worker that waits for a task of its own pool could wait for ever: every worker may wait for tasks that no worker
//! is left to run. So a task that a worker submits is put into a box that both the pool and the waiting worker can
//! open; whoever comes first runs it. The waiter runs only what it waits for, never a stranger's task, which might
//! want a lock that the waiter holds.

use crate::driver::Tasks;
use crate::outcome::{Done, Outcome};
use crate::task::Task;
use anyplace_sync::{Job, Pool, PoolConfig};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The shortest time that threads get to end after their last task.
const AT_LEAST: Duration = Duration::from_secs(1);

pub(super) struct Threads {
    pool: Pool<Queued>,
    workers: usize,
}

impl Threads {
    pub(super) fn new(workers: usize) -> Self {
        Self { pool: Pool::new(PoolConfig::new("anyplace", workers)), workers }
    }

    /// Ends what waits. At most what waits now: an outcome's callback may bring the next task.
    pub(super) fn cancel(&self) {
        for queued in (0..self.pool.queued()).map_while(|_| self.pool.take_back()) {
            queued.end(Outcome::cancelled());
        }
    }

    pub(super) fn close(&self, grace: Duration) -> bool {
        self.pool.shutdown();
        // A callback that closes the place runs on one of the threads, which ends when the callback returns.
        self.pool.worker().is_some() || self.pool.join_within(grace.max(AT_LEAST))
    }
}

impl Tasks for Threads {
    fn submit(&self, task: Task, done: Done) {
        let workers = self.workers;
        let body = if self.pool.worker().is_some() {
            let control = task.control();
            let boxed = Arc::new(Mutex::new(Some((task, done))));
            let own = boxed.clone();
            control.0.on_wait(Box::new(move || {
                run_boxed(&own, anyplace_sync::current_worker().unwrap_or(0), workers);
            }));
            Body::Boxed(boxed)
        } else {
            Body::Plain(task, done)
        };
        if let Err(refused) = self.pool.spawn(Queued { body, workers }) {
            refused.job.end(Outcome::too_late());
        }
    }
}

type Boxed = Arc<Mutex<Option<(Task, Done)>>>;

struct Queued {
    body: Body,
    workers: usize,
}

#[allow(
    clippy::large_enum_variant,
    reason = "almost all are plain, and an allocation for each would cost more"
)]
enum Body {
    Plain(Task, Done),
    Boxed(Boxed),
}

impl Queued {
    /// Ends the task, which never begins.
    fn end(self, outcome: Outcome) {
        match self.body {
            Body::Plain(_, done) => done.call(outcome),
            Body::Boxed(boxed) => {
                if let Some((_, done)) = open(&boxed) {
                    done.call(outcome);
                }
            }
        }
    }
}

impl Job for Queued {
    fn run(self, worker: usize) {
        match self.body {
            Body::Plain(task, done) => crate::worker::run(task, done, worker, self.workers),
            Body::Boxed(boxed) => run_boxed(&boxed, worker, self.workers),
        }
    }
}

fn open(boxed: &Boxed) -> Option<(Task, Done)> {
    boxed.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn run_boxed(boxed: &Boxed, worker: usize, workers: usize) {
    if let Some((task, done)) = open(boxed) {
        crate::worker::run(task, done, worker, workers);
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Threads({})", self.workers)
    }
}
