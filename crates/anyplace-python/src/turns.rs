//! Something that threads use one after the other. Who waits for a turn does so in the door: without the interpreter's
//! lock, which the thread before may want, and hearing Ctrl-C.
//!
//! Whose turn it is holds no lock: it may run Python code as long as it likes. A turn that nobody else wants costs two
//! atomic operations.
//!
//! Nobody sleeps while it is nobody's turn: who ends a turn stores that it is free and then looks for waiters; who
//! waits says so and then looks whether it is free. All four are sequentially consistent, so one of the two sees the
//! other; and a waiter that was seen is woken under the mutex that it lets go of only by falling asleep.

use crate::door;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

const FREE: usize = 0;

/// A `T` and whose turn it is.
pub(crate) struct Turns<T> {
    /// Which thread's turn it is, or `FREE`.
    holder: AtomicUsize,
    /// How many wait: to wake nobody costs as much as to wake somebody.
    waiting: AtomicUsize,
    waits: Mutex<()>,
    free: Condvar,
    thing: UnsafeCell<T>,
}

// SAFETY: `thing` is reached through a `Turn` only, and there is at most one: `holder` says whose. The next turn's
// exchange of `holder` sees what the turn before has done, since that ended with a store to it.
unsafe impl<T: Send> Sync for Turns<T> {}

/// A thread's turn; over when it is dropped.
pub(crate) struct Turn<'a, T>(&'a Turns<T>);

impl<T: Send> Turns<T> {
    pub(crate) fn new(thing: T) -> Self {
        Self {
            holder: AtomicUsize::new(FREE),
            waiting: AtomicUsize::new(0),
            waits: Mutex::new(()),
            free: Condvar::new(),
            thing: UnsafeCell::new(thing),
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// `ValueError` if it is this thread's turn already, which would wait for itself; `KeyboardInterrupt`.
    pub(crate) fn take(&self, py: Python<'_>) -> PyResult<Turn<'_, T>> {
        let me = this_thread();
        if !self.try_take(me) {
            if self.holder.load(SeqCst) == me {
                return Err(PyValueError::new_err("the inputs of a map cannot take its results"));
            }
            door::wait(py, None, |until| self.take_until(me, until))?;
        }
        Ok(Turn(self))
    }

    fn try_take(&self, me: usize) -> bool {
        self.holder.compare_exchange(FREE, me, SeqCst, SeqCst).is_ok()
    }

    fn take_until(&self, me: usize, deadline: Instant) -> bool {
        let waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_add(1, SeqCst);
        let left = deadline.saturating_duration_since(Instant::now());
        let mut is_mine = false;
        let is_taken = |(): &mut ()| {
            is_mine = self.try_take(me);
            !is_mine
        };
        drop(self.free.wait_timeout_while(waits, left, is_taken));
        self.waiting.fetch_sub(1, SeqCst);
        is_mine
    }
}

impl<T> Turns<T> {
    fn give_back(&self) {
        self.holder.store(FREE, SeqCst);
        if self.waiting.load(SeqCst) > 0 {
            drop(self.waits.lock());
            self.free.notify_one();
        }
    }
}

/// A number that no other living thread has.
fn this_thread() -> usize {
    thread_local! {
        static HERE: u8 = const { 0 };
    }
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

impl<T> Deref for Turn<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: it is this thread's turn, until this is dropped.
        unsafe { &*self.0.thing.get() }
    }
}

impl<T> DerefMut for Turn<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: it is this thread's turn, until this is dropped, and this is borrowed mutably.
        unsafe { &mut *self.0.thing.get() }
    }
}

impl<T> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        self.0.give_back();
    }
}
