//! Something that threads use one after the other. Who waits for a turn does so in the door: without the interpreter's
//! lock, which the thread before may want, and hearing Ctrl-C.
//!
//! Whose turn it is has the thing out of its place, and no lock: it may run Python code as long as it likes.

use crate::door;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant;

/// A `T` and whose turn it is.
pub(crate) struct Turns<T> {
    state: Mutex<State<T>>,
    free: Condvar,
}

struct State<T> {
    /// Here unless it is somebody's turn.
    thing: Option<Box<T>>,
    /// Whose turn it is, or was last.
    holder: ThreadId,
    /// How many wait: to wake nobody costs as much as to wake somebody.
    waiting: usize,
}

/// A thread's turn; over when it is dropped.
pub(crate) struct Turn<'a, T> {
    turns: &'a Turns<T>,
    /// Nothing only while it is dropped.
    thing: Option<Box<T>>,
}

impl<T: Send> Turns<T> {
    pub(crate) fn new(thing: T) -> Self {
        let state = State { thing: Some(Box::new(thing)), holder: thread::current().id(), waiting: 0 };
        Self { state: Mutex::new(state), free: Condvar::new() }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// `ValueError` if it is this thread's turn already, which would wait for itself; `KeyboardInterrupt`.
    pub(crate) fn take(&self, py: Python<'_>) -> PyResult<Turn<'_, T>> {
        let me = thread::current().id();
        let mut thing = self.state().take(me);
        if thing.is_none() {
            if self.state().holder == me {
                return Err(PyValueError::new_err("the inputs of a map cannot take its results"));
            }
            door::wait(py, None, |until| {
                thing = self.take_until(me, until);
                thing.is_some()
            })?;
        }
        Ok(Turn { turns: self, thing })
    }

    fn take_until(&self, me: ThreadId, deadline: Instant) -> Option<Box<T>> {
        let mut state = self.state();
        state.waiting += 1;
        let left = deadline.saturating_duration_since(Instant::now());
        let is_taken = |state: &mut State<T>| state.thing.is_none();
        let waited = self.free.wait_timeout_while(state, left, is_taken);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.waiting -= 1;
        state.take(me)
    }
}

impl<T> Turns<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, thing: Box<T>) {
        let mut state = self.state();
        state.thing = Some(thing);
        if state.waiting > 0 {
            self.free.notify_one();
        }
    }
}

impl<T> State<T> {
    fn take(&mut self, me: ThreadId) -> Option<Box<T>> {
        let thing = self.thing.take()?;
        self.holder = me;
        Some(thing)
    }
}

impl<T> Deref for Turn<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.thing.as_ref().expect("a turn has its thing until it is over")
    }
}

impl<T> DerefMut for Turn<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.thing.as_mut().expect("a turn has its thing until it is over")
    }
}

impl<T> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        if let Some(thing) = self.thing.take() {
            self.turns.give_back(thing);
        }
    }
}
