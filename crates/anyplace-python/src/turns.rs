//! Something that threads use one after the other. Who waits for a turn does so in the door: without the interpreter's
//! lock, which the thread before may want, and hearing Ctrl-C.
//!
//! Whose turn it is holds no mutex: it may run Python code, which lets go of the interpreter's lock, as long as it likes.
//! Whose turn it is, and how many wait, is only looked at and changed with the interpreter's lock, so a turn that nobody
//! else wants costs a few plain loads and stores. (The module asks for that lock where Python could do without.)
//!
//! Nobody sleeps while it is nobody's turn: who waits says so while it still has the interpreter's lock, and has seen how
//! many turns were given back until then. Who gives one back does so with that lock, thus sees the waiter, counts one more
//! under the mutex that the waiter lets go of only by falling asleep, and wakes it.

use crate::door;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

const FREE: usize = 0;

/// A `T` and whose turn it is.
pub(crate) struct Turns<T> {
    /// What a thread is told that would wait for itself.
    refusal: &'static str,
    /// Which thread's turn it is, or `FREE`.
    holder: AtomicUsize,
    /// How many wait: to wake nobody costs as much as to wake somebody.
    waiting: AtomicUsize,
    /// How many turns were given back while somebody waited.
    freed: Mutex<u64>,
    free: Condvar,
    thing: UnsafeCell<T>,
}

// SAFETY: `thing` is reached through a `Turn` only, and there is at most one: `holder` says whose, and is only changed with
// the interpreter's lock. The next turn sees what the turn before has done, since the lock passed between them.
unsafe impl<T: Send> Sync for Turns<T> {}

/// A thread's turn; over when it is dropped, with the interpreter's lock as it was begun.
pub(crate) struct Turn<'a, 'py, T>(&'a Turns<T>, PhantomData<Python<'py>>);

impl<T: Send> Turns<T> {
    /// `refusal` is for a thread that asks for a turn in its own turn.
    pub(crate) fn new(thing: T, refusal: &'static str) -> Self {
        Self {
            refusal,
            holder: AtomicUsize::new(FREE),
            waiting: AtomicUsize::new(0),
            freed: Mutex::new(0),
            free: Condvar::new(),
            thing: UnsafeCell::new(thing),
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// `ValueError` if it is this thread's turn already, which would wait for itself; `KeyboardInterrupt`.
    #[inline]
    pub(crate) fn take<'py>(&self, py: Python<'py>) -> PyResult<Turn<'_, 'py, T>> {
        let me = this_thread();
        if self.holder.load(Relaxed) != FREE {
            self.wait(py, me)?;
        }
        self.holder.store(me, Relaxed);
        Ok(Turn(self, PhantomData))
    }

    #[cold]
    fn wait(&self, py: Python<'_>, me: usize) -> PyResult<()> {
        while self.holder.load(Relaxed) != FREE {
            if self.holder.load(Relaxed) == me {
                return Err(PyValueError::new_err(self.refusal));
            }
            let seen = *self.freed();
            self.waiting.fetch_add(1, Relaxed);
            let waited = door::wait(py, None, |until| self.is_freed_since(seen, until));
            self.waiting.fetch_sub(1, Relaxed);
            waited?;
        }
        Ok(())
    }
}

impl<T> Turns<T> {
    fn freed(&self) -> MutexGuard<'_, u64> {
        self.freed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_freed_since(&self, seen: u64, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self.free.wait_timeout_while(self.freed(), left, |freed| *freed == seen);
        *waited.unwrap_or_else(PoisonError::into_inner).0 != seen
    }

    #[cold]
    fn wake(&self) {
        *self.freed() += 1;
        self.free.notify_one();
    }
}

/// A number that no other living thread has.
fn this_thread() -> usize {
    thread_local! {
        static HERE: u8 = const { 0 };
    }
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

impl<T> Deref for Turn<'_, '_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: it is this thread's turn, until this is dropped.
        unsafe { &*self.0.thing.get() }
    }
}

impl<T> DerefMut for Turn<'_, '_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: it is this thread's turn, until this is dropped, and this is borrowed mutably.
        unsafe { &mut *self.0.thing.get() }
    }
}

impl<T> Drop for Turn<'_, '_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.holder.store(FREE, Relaxed);
        if self.0.waiting.load(Relaxed) > 0 {
            self.0.wake();
        }
    }
}
