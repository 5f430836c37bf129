//! Those who wait for one change of a queue: threads in a line, and coroutines.

use super::held::Held;
use crate::door;
use anyplace_sync::Line;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use std::collections::VecDeque;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicUsize, fence};
use std::time::Instant;

/// Who begins to wait says so with the interpreter's lock, and who changes something has that lock, too: to find nobody
/// costs a plain load.
#[derive(Default)]
pub(super) struct Waiters {
    /// Threads and coroutines.
    waiting: AtomicUsize,
    line: Line,
    /// What tells a coroutine to look again: called once, it says whether the coroutine's loop still runs.
    awaiting: Held<VecDeque<Py<PyAny>>>,
}

impl Waiters {
    /// Waits until `ready` or `deadline`, without the interpreter's lock; true if it is ready.
    pub(super) fn wait(
        &self,
        py: Python<'_>,
        deadline: Option<Instant>,
        ready: impl Fn() -> bool + Sync,
    ) -> PyResult<bool> {
        let stand = Stand::new(self);
        let mut is_first = true;
        door::wait(py, deadline, |until| {
            let is_ready = if std::mem::take(&mut is_first) {
                self.line.wait_spinning_first(Some(until), &ready)
            } else {
                self.line.wait(Some(until), &ready)
            };
            if is_ready {
                // It looks again as soon as it has the interpreter's lock. Until then nobody need call it.
                stand.leave();
            }
            is_ready
        })
    }

    /// Has `tell` called at the next change.
    pub(super) fn expect(&self, py: Python<'_>, tell: Py<PyAny>) {
        self.awaiting.with(py, |awaiting| awaiting.push_back(tell));
        self.waiting.fetch_add(1, Relaxed);
    }

    /// Who waits no longer is struck; if it has been called already, the next one is called in its place.
    pub(super) fn leave(&self, tell: &Bound<'_, PyAny>) {
        let py = tell.py();
        let struck = self.awaiting.with(py, |awaiting| {
            let place = awaiting.iter().position(|own| own.is(tell))?;
            awaiting.remove(place)
        });
        match struck {
            Some(_) => drop(self.waiting.fetch_sub(1, Relaxed)),
            None => self.call(py, 1),
        }
    }

    /// How many wait.
    pub(super) fn count(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    /// Whether anybody waits.
    #[inline]
    pub(super) fn is_any(&self, _py: Python<'_>) -> bool {
        self.waiting.load(Relaxed) > 0
    }

    /// Calls up to `count` threads, and as many coroutines, to look again.
    #[inline]
    pub(super) fn call(&self, py: Python<'_>, count: usize) {
        if self.is_any(py) {
            self.call_waiting(py, count);
        }
    }

    pub(super) fn call_all(&self, py: Python<'_>) {
        self.call(py, usize::MAX);
    }

    #[cold]
    fn call_waiting(&self, py: Python<'_>, count: usize) {
        // What has changed comes before the look at the line.
        fence(SeqCst);
        self.line.call(u32::try_from(count).unwrap_or(u32::MAX));
        self.tell(py, count);
    }

    /// Whoever would be told in a loop that is closed leaves it to the next.
    fn tell(&self, py: Python<'_>, mut count: usize) {
        while count > 0
            && let Some(tell) = self.awaiting.with(py, VecDeque::pop_front)
        {
            self.waiting.fetch_sub(1, Relaxed);
            match tell.call0(py).and_then(|told| told.is_truthy(py)) {
                Ok(told) => count -= usize::from(told),
                Err(error) => error.write_unraisable(py, Some(tell.bind(py))),
            }
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let all = |awaiting: &VecDeque<_>| awaiting.iter().try_for_each(|tell| visit.call(tell));
        self.awaiting.visit(all).unwrap_or(Ok(()))
    }

    pub(super) fn clear(&self) {
        drop(self.awaiting.clear());
    }
}

/// A thread among those who wait.
struct Stand<'a>(&'a AtomicUsize, AtomicBool);

impl<'a> Stand<'a> {
    fn new(waiters: &'a Waiters) -> Self {
        waiters.waiting.fetch_add(1, Relaxed);
        Self(&waiters.waiting, AtomicBool::new(true))
    }

    fn leave(&self) {
        if self.1.swap(false, Relaxed) {
            self.0.fetch_sub(1, Relaxed);
        }
    }
}

impl Drop for Stand<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}
