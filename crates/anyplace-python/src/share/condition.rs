//! Waiting for a change of what a lock guards.

use super::home::home;
use super::limit::{Limit, Truth};
use super::lock::SharedLock;
use super::raised::{raised, reached};
use super::rlock::SharedRLock;
use super::ticket;
use super::waiting::{self, Waiting};
use crate::place::Place;
use anyplace::share::{Condition, thread_owner};
use anyplace::{Error, Kind};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::time::Instant;

/// The part of ``anyplace.share.Condition`` that the engine does.
#[pyclass(subclass, frozen, weakref, module = "anyplace._core")]
pub(crate) struct SharedCondition {
    condition: Condition,
    guard: Guard,
}

/// The lock of a condition.
enum Guard {
    Lock(Py<SharedLock>),
    RLock(Py<SharedRLock>),
}

#[pymethods]
impl SharedCondition {
    #[new]
    #[pyo3(signature = (place=None, name="", lock=None, *, _ticket=None))]
    fn new(
        py: Python<'_>,
        place: Option<&Bound<'_, Place>>,
        name: &str,
        lock: Option<&Bound<'_, PyAny>>,
        _ticket: Option<&[u8]>,
    ) -> PyResult<Self> {
        let condition: Condition = ticket::or(py, _ticket, || home(place)?.condition(name))?;
        let guard = match lock {
            Some(lock) => Guard::of(lock)?,
            None => Guard::RLock(Py::new(py, SharedRLock::from(condition.lock().clone()))?),
        };
        Ok(Self { condition, guard })
    }

    /// The lock.
    #[getter]
    fn lock(&self, py: Python<'_>) -> Py<PyAny> {
        match &self.guard {
            Guard::Lock(lock) => lock.clone_ref(py).into_any(),
            Guard::RLock(lock) => lock.clone_ref(py).into_any(),
        }
    }

    /// Acquire the lock.
    ///
    /// Parameters
    /// ----------
    /// block : bool, default True
    ///     Whether to wait for it.
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Returns
    /// -------
    /// bool
    ///     Whether it is held now.
    #[pyo3(signature = (block=Truth(true), timeout=None), text_signature = "($self, block=True, timeout=None)")]
    fn acquire(&self, py: Python<'_>, block: Truth, timeout: Option<f64>) -> PyResult<bool> {
        match &self.guard {
            Guard::Lock(lock) => lock.get().acquire(py, block, timeout),
            Guard::RLock(lock) => lock.get().acquire(py, block, timeout),
        }
    }

    /// Release the lock.
    fn release(&self, py: Python<'_>) -> PyResult<()> {
        match &self.guard {
            Guard::Lock(lock) => lock.get().release(py),
            Guard::RLock(lock) => lock.get().release(py),
        }
    }

    /// Release the lock, wait to be told, and acquire the lock again.
    ///
    /// Parameters
    /// ----------
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Returns
    /// -------
    /// bool
    ///     Whether somebody told in time.
    ///
    /// Raises
    /// ------
    /// NotHeld
    ///     If the lock is not held.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let limit = Limit::new(Truth(true), timeout)?;
        self.guard.check(py, "wait on")?;
        let enlisted = self.condition.enlist();
        let count = self.guard.release(py)?;
        let told = waiting::wait(py, enlisted, limit);
        self.guard.acquire_again(py, count)?;
        Ok(told?.is_some())
    }

    /// Wait until a predicate holds.
    ///
    /// Parameters
    /// ----------
    /// predicate : callable
    ///     It is asked with the lock held, first at once, then whenever somebody tells.
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Returns
    /// -------
    /// object
    ///     What the predicate gave last: something false if the time was over.
    #[pyo3(signature = (predicate, timeout=None))]
    fn wait_for<'py>(
        &self,
        predicate: &Bound<'py, PyAny>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = predicate.py();
        let limit = Limit::new(Truth(true), timeout)?;
        loop {
            let result = predicate.call0()?;
            let left = match limit {
                Limit::Never => None,
                Limit::Now => Some(0.0),
                Limit::Until(until) => Some(until.saturating_duration_since(Instant::now()).as_secs_f64()),
            };
            if result.is_truthy()? || left == Some(0.0) {
                return Ok(result);
            }
            self.wait(py, left)?;
        }
    }

    /// Tell some of those who wait.
    ///
    /// Parameters
    /// ----------
    /// n : int, default 1
    ///     How many; those who have waited longest.
    ///
    /// Raises
    /// ------
    /// NotHeld
    ///     If the lock is not held.
    #[pyo3(signature = (n=1))]
    fn notify(&self, py: Python<'_>, n: usize) -> PyResult<()> {
        if !self.guard.is_of_task(py) {
            self.guard.check(py, "notify on")?;
        }
        reached(|| self.condition.notify(n)).map(drop)
    }

    /// Tell all who wait.
    fn notify_all(&self, py: Python<'_>) -> PyResult<()> {
        self.notify(py, usize::MAX)
    }

    /// How many wait to be told.
    #[getter]
    fn n_waiting(&self) -> PyResult<usize> {
        reached(|| self.condition.n_waiting())
    }

    /// Its name; empty if it has none.
    #[getter]
    fn name(&self) -> &str {
        self.condition.name()
    }

    /// The wait of a coroutine to be told; it stands in the line at once.
    fn _waiting(&self) -> Waiting {
        let condition = self.condition.clone();
        let waiting = Waiting::for_true(async move { condition.enlist().await });
        waiting.look_now();
        waiting
    }

    fn __enter__(&self, py: Python<'_>) -> PyResult<bool> {
        self.acquire(py, Truth(true), None)
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, py: Python<'_>, _raised: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.release(py)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let this = slf.get();
        let more = (this.lock(slf.py()),);
        ticket::reduce_with(slf, &this.condition, Some(more.into_pyobject(slf.py())?))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let condition = &slf.get().condition;
        ticket::repr(slf, condition.name(), &format!("waiters={}", slf.get().n_waiting()?))
    }
}

impl Guard {
    fn of(lock: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(lock) = lock.cast::<SharedLock>() {
            return Ok(Self::Lock(lock.clone().unbind()));
        }
        match lock.cast::<SharedRLock>() {
            Ok(lock) => Ok(Self::RLock(lock.clone().unbind())),
            Err(_) => {
                let kind = lock.get_type().fully_qualified_name()?;
                Err(PyTypeError::new_err(format!("a condition's lock is a Lock or an RLock, not `{kind}`")))
            }
        }
    }

    fn check(&self, py: Python<'_>, what: &str) -> PyResult<()> {
        let is_held = match self {
            Self::Lock(lock) => reached(|| lock.get().handle().is_locked())?,
            Self::RLock(lock) => reached(|| lock.get().handle().count() > 0)?,
        };
        if is_held {
            return Ok(());
        }
        let error = Error::new(Kind::NotHeld, format!("cannot {what} a condition whose lock is not held"));
        Err(raised(py, &error.with_help("acquire it before: `with condition:`")))
    }

    /// Whether the coroutine that runs in this thread has it.
    fn is_of_task(&self, py: Python<'_>) -> bool {
        let Self::RLock(lock) = self else { return false };
        let lock = lock.get().handle();
        let is_tasks = || -> PyResult<bool> {
            let owner = py.import("anyplace.share._waiting")?.call_method0("owner")?;
            let owner = owner.extract()?;
            reached(|| lock.count_of(owner) > 0)
        };
        // Where no loop runs, there is no coroutine.
        reached(|| lock.count() == 0 && lock.is_locked()).unwrap_or(false) && is_tasks().unwrap_or(false)
    }

    /// Releases the lock; how often it was held.
    fn release(&self, py: Python<'_>) -> PyResult<u32> {
        match self {
            Self::Lock(lock) => lock.get().release(py).map(|()| 1),
            Self::RLock(lock) => {
                lock.get().handle().release_all(thread_owner()).map_err(|error| raised(py, &error))
            }
        }
    }

    fn acquire_again(&self, py: Python<'_>, count: u32) -> PyResult<()> {
        match self {
            Self::Lock(lock) => lock.get().acquire(py, Truth(true), None).map(drop),
            Self::RLock(lock) => {
                let restoring = lock.get().handle().restoring(thread_owner(), count);
                waiting::wait(py, restoring, Limit::Never).map(drop)
            }
        }
    }
}
