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
