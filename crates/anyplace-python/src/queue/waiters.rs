//! Those who wait for one change of a queue, threads and coroutines, in the order in which they began to.

use super::held::Held;
use crate::door;
use anyplace_sync::{Latch, fork_generation};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// A line in which each is called once, and looks again then. Who is called has left the line.
///
/// It is only touched with the interpreter's lock. Who finds nothing to take joins it before letting go of that lock, so
/// whoever changes something later finds the line as it has to be: no wake-up is lost.
#[derive(Default)]
pub(super) struct Waiters(Held<VecDeque<Waiter>>);

struct Waiter {
    who: Who,
    /// Of its process: the threads and loops of a parent are not in its child.
    generation: u32,
}

enum Who {
    Thread(Arc<Latch>),
    /// It is called with nothing, and says whether the coroutine's loop still runs.
    Coroutine(Py<PyAny>),
}

/// Where to stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Last,
    /// For who was called, and found that another one had been faster.
    First,
}

impl Place {
    pub(super) fn of(is_first: bool) -> Self {
        if is_first { Self::First } else { Self::Last }
    }
}

impl Waiters {
    /// Waits to be called, without the interpreter's lock; false if `deadline` came first.
    ///
    /// # Errors
    /// What a signal's handler raises. Whoever was called just then leaves that to the next.
    pub(super) fn wait(&self, py: Python<'_>, deadline: Option<Instant>, place: Place) -> PyResult<bool> {
        let latch = Arc::new(Latch::new());
        self.join(py, Who::Thread(latch.clone()), place);
        let waits = |is_first: &mut bool, until| {
            let is_called = if std::mem::take(is_first) {
                latch.wait_spinning_first(Some(until))
            } else {
                latch.wait(Some(until))
            };
            is_called.then_some(())
        };
        let called = door::attend(py, deadline, &mut true, waits, |_| ()).map(|called| called.is_some());
        if matches!(called, Ok(true)) {
            return called;
        }
        let is_called = !self.strike(py, |who| matches!(who, Who::Thread(own) if Arc::ptr_eq(own, &latch)));
        if is_called && called.is_err() {
            self.call(py, 1);
        }
        called.map(|_| is_called)
    }

    /// Has `tell` called at the next change.
    pub(super) fn expect(&self, py: Python<'_>, tell: Py<PyAny>, place: Place) {
        self.join(py, Who::Coroutine(tell), place);
    }

    /// Ends that; if it has been called already, the next one is called in its place.
    pub(super) fn leave(&self, tell: &Bound<'_, PyAny>) {
        let py = tell.py();
        if !self.strike(py, |who| matches!(who, Who::Coroutine(own) if own.is(tell))) {
            self.call(py, 1);
        }
    }

    /// How many wait.
    pub(super) fn count(&self, py: Python<'_>) -> usize {
        self.0.with(py, |line| line.len())
    }

    /// Whether anybody waits.
    #[inline]
    pub(super) fn is_any(&self, py: Python<'_>) -> bool {
        self.0.with(py, |line| !line.is_empty())
    }

    /// Calls up to `count` of those who wait, the first ones.
    #[inline]
    pub(super) fn call(&self, py: Python<'_>, count: usize) {
        if self.is_any(py) {
            self.call_waiting(py, count);
        }
    }

    pub(super) fn call_all(&self, py: Python<'_>) {
        self.call(py, self.count(py));
    }

    #[cold]
    fn call_waiting(&self, py: Python<'_>, mut count: usize) {
        while count > 0
            && let Some(waiter) = self.0.with(py, VecDeque::pop_front)
        {
            count -= usize::from(waiter.call(py));
        }
    }

    fn join(&self, py: Python<'_>, who: Who, place: Place) {
        let waiter = Waiter { who, generation: fork_generation() };
        self.0.with(py, |line| match place {
            Place::Last => line.push_back(waiter),
            Place::First => line.push_front(waiter),
        });
    }

    /// Takes one out of the line; false if it is not there any more.
    fn strike(&self, py: Python<'_>, is_it: impl Fn(&Who) -> bool) -> bool {
        let struck = self.0.with(py, |line| {
            let place = line.iter().position(|waiter| is_it(&waiter.who))?;
            line.remove(place)
        });
        struck.is_some()
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let each = |waiter: &Waiter| match &waiter.who {
            Who::Coroutine(tell) => visit.call(tell),
            Who::Thread(_) => Ok(()),
        };
        self.0.visit(|line| line.iter().try_for_each(each)).unwrap_or(Ok(()))
    }

    pub(super) fn clear(&self) {
        drop(self.0.clear());
    }
}

impl Waiter {
    /// False if it cannot hear: then another one is called.
    fn call(self, py: Python<'_>) -> bool {
        if self.generation != fork_generation() {
            return false;
        }
        match self.who {
            Who::Thread(latch) => {
                latch.set();
                true
            }
            Who::Coroutine(tell) => {
                let told = tell.call0(py).and_then(|told| told.is_truthy(py));
                told.unwrap_or_else(|error| {
                    error.write_unraisable(py, Some(tell.bind(py)));
                    false
                })
            }
        }
    }
}
