//! Which worker of which pool the calling thread is.

use crate::primitives::thread_local;
use std::cell::Cell;

/// A thread of a pool; the pool is named by the address of its state, which lives as long as the thread does.
#[derive(Debug, Clone, Copy)]
struct Worker {
    pool: usize,
    index: usize,
}

thread_local! {
    // loom's macro takes no constant initialiser.
    #[allow(clippy::missing_const_for_thread_local)]
    static CURRENT: Cell<Option<Worker>> = Cell::new(None);
    #[allow(clippy::missing_const_for_thread_local)]
    static BEFORE_REST: Cell<Option<fn()>> = Cell::new(None);
    #[allow(clippy::missing_const_for_thread_local)]
    static BEFORE_WORK: Cell<Option<fn()>> = Cell::new(None);
}

/// Calls `let_go` once, on this thread, when it has run all jobs there are and before it spins or sleeps.
///
/// For jobs that share something costly to take, such as an interpreter's lock: a job keeps it for the next job of
/// its thread, and the thread lets go of it when there is none. Outside of a pool's thread nobody ever calls it.
pub fn before_rest(let_go: fn()) {
    BEFORE_REST.with(|before| before.set(Some(let_go)));
}

/// Calls `prepare` on this thread, from now on, whenever it was idle and jobs have come, before it takes the first of them.
///
/// What is costly to take, and nobody can run jobs without, is taken here: meanwhile the jobs stay in the queue, for the
/// thread that has it and is soon done, and no other idle thread is called for the same. Outside of a pool's thread nobody
/// ever calls it.
pub fn before_work(prepare: fn()) {
    BEFORE_WORK.with(|before| before.set(Some(prepare)));
}

/// The thread is about to take a job.
pub(super) fn prepare() {
    if let Some(prepare) = BEFORE_WORK.with(Cell::get) {
        prepare();
    }
}

/// The thread found no more jobs.
pub(super) fn rest() {
    if let Some(let_go) = BEFORE_REST.with(Cell::take) {
        let_go();
    }
}

/// The index of the calling thread among the threads of its pool, or nothing outside of pools.
///
/// ```
/// assert_eq!(anyplace_sync::current_worker(), None);
/// ```
pub fn current_worker() -> Option<usize> {
    current().map(|worker| worker.index)
}

/// The calling thread's index if it is a thread of `pool`.
pub(super) fn worker_of(pool: usize) -> Option<usize> {
    current().filter(|worker| worker.pool == pool).map(|worker| worker.index)
}

pub(super) fn enter(pool: usize, index: usize) {
    CURRENT.with(|current| current.set(Some(Worker { pool, index })));
}

/// Nothing while a thread ends: its destructors run outside of any pool.
fn current() -> Option<Worker> {
    CURRENT.try_with(Cell::get).ok().flatten()
}
