//! The one door to atomics, locks and threads: the standard library's, or those of a model, whose scheduler decides what
//! runs next. Loom explores every interleaving of a small one, shuttle many random ones of a large one. Code that must not
//! depend on time in a model asks for `cfg(loom)`, which is set for both.

#[cfg(all(loom, not(shuttle)))]
pub(crate) use loom::{
    sync::{Condvar, Mutex, MutexGuard, atomic},
    thread, thread_local,
};
#[cfg(all(loom, shuttle))]
pub(crate) use shuttle::{
    sync::{Condvar, Mutex, MutexGuard, atomic},
    thread, thread_local,
};
#[cfg(not(loom))]
pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard, atomic},
    thread, thread_local,
};

use std::sync::PoisonError;

/// Locks `mutex` even if a thread panicked while it held it: nothing guarded in this crate is left half changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
