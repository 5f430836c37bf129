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

enum State<T> {
    Free(Box<T>),
    Taken(ThreadId),
}

/// A thread's turn; over when it is dropped.
pub(crate) struct Turn<'a, T> {
    turns: &'a Turns<T>,
    /// Nothing only while it is dropped.
    thing: Option<Box<T>>,
}

impl<T: Send> Turns<T> {
    pub(crate) fn new(thing: T) -> Self {
        Self { state: Mutex::new(State::Free(Box::new(thing))), free: Condvar::new() }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// `ValueError` if it is this thread's turn already, which would wait for itself; `KeyboardInterrupt`.
    pub(crate) fn take(&self, py: Python<'_>) -> PyResult<Turn<'_, T>> {
        let mut thing = self.state().take();
        if thing.is_none() {
            if self.state().is_mine() {
                return Err(PyValueError::new_err("the inputs of a map cannot take its results"));
            }
            door::wait(py, None, |until| {
                thing = self.take_until(until);
                thing.is_some()
            })?;
        }
        Ok(Turn { turns: self, thing })
    }

    fn take_until(&self, deadline: Instant) -> Option<Box<T>> {
        let is_taken = |state: &mut State<T>| matches!(state, State::Taken(_));
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self.free.wait_timeout_while(self.state(), left, is_taken);
        waited.unwrap_or_else(PoisonError::into_inner).0.take()
    }
}

impl<T> Turns<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn take(&mut self) -> Option<Box<T>> {
        match std::mem::replace(self, Self::Taken(thread::current().id())) {
            Self::Free(thing) => Some(thing),
            taken => {
                *self = taken;
                None
            }
        }
    }

    fn is_mine(&self) -> bool {
        matches!(self, Self::Taken(holder) if *holder == thread::current().id())
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
            *self.turns.state() = State::Free(thing);
            self.turns.free.notify_one();
        }
    }
}
