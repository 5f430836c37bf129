//! A lock that one has at a time.

use super::abandoned::Abandoned;
use super::home::home;
use super::limit::{Limit, Truth};
use super::raised::{raised, reached};
use super::ticket;
use super::waiting::{self, Waiting};
use crate::place::Place;
use crate::threading::quick::Quick;
use anyplace::share::{Lock, LockGuard};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// The part of ``anyplace.share.Lock`` that the engine does.
#[pyclass(subclass, frozen, weakref, module = "anyplace._core")]
pub(crate) struct SharedLock {
    lock: Lock,
    abandoned: Abandoned,
}

impl From<Lock> for SharedLock {
    fn from(lock: Lock) -> Self {
        Self { lock, abandoned: Abandoned::default() }
    }
}

#[pymethods]
impl SharedLock {
    #[new]
    #[pyo3(signature = (place=None, name="", *, _ticket=None))]
    fn new(
        py: Python<'_>,
        place: Option<&Bound<'_, Place>>,
        name: &str,
        _ticket: Option<&[u8]>,
    ) -> PyResult<Self> {
        ticket::or(py, _ticket, || home(place)?.lock(name)).map(Self::from)
    }

    /// Acquire it.
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
    pub(crate) fn acquire(&self, py: Python<'_>, block: Truth, timeout: Option<f64>) -> PyResult<bool> {
        let limit = Limit::new(block, timeout)?;
        let guard = waiting::wait(py, self.lock.acquiring(), limit)?;
        Ok(guard.map(|guard| self.keep(guard)).is_some())
    }

    /// Release it, whoever holds it.
    ///
    /// Raises
    /// ------
    /// NotHeld
    ///     If nobody does; also a RuntimeError, a ValueError and an AssertionError.
    pub(crate) fn release(&self, py: Python<'_>) -> PyResult<()> {
        self.lock.release().map_err(|error| raised(py, &error))
    }

    /// Tell whether somebody holds it.
    fn locked(&self) -> PyResult<bool> {
        reached(|| self.lock.is_locked())
    }

    /// Whether the one who held it before this process's last acquire died with it: what the lock guards may be
    /// half changed.
    #[getter]
    fn abandoned(&self) -> bool {
        self.abandoned.get()
    }

    /// Its name; empty if it has none.
    #[getter]
    fn name(&self) -> &str {
        self.lock.name()
    }

    /// The wait of a coroutine for it.
    fn _acquiring(&self) -> Waiting {
        let (lock, abandoned) = (self.lock.clone(), self.abandoned.clone());
        Waiting::for_true(async move { lock.acquiring().await.map(|guard| abandoned.note(guard.keep())) })
    }

    fn __enter__(&self, py: Python<'_>) -> PyResult<bool> {
        self.acquire(py, Truth(true), None)
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, py: Python<'_>, _raised: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.release(py)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        ticket::reduce(slf, &slf.get().lock)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let state = if slf.get().locked()? { "locked" } else { "unlocked" };
        ticket::repr(slf, slf.get().lock.name(), state)
    }
}

impl SharedLock {
    #[inline]
    fn keep(&self, guard: LockGuard<'_>) {
        self.abandoned.note(guard.keep());
    }

    pub(crate) fn handle(&self) -> &Lock {
        &self.lock
    }
}

impl Quick for SharedLock {
    const NAMES: [&'static str; 2] = ["block", "timeout"];
    const TAKES_NONE: bool = true;

    #[inline]
    fn try_take(&self) -> bool {
        match self.lock.try_acquire() {
            Ok(Some(guard)) => {
                self.keep(guard);
                true
            }
            _ => false,
        }
    }

    fn acquire(
        &self,
        py: Python<'_>,
        block: Option<&Bound<'_, PyAny>>,
        timeout: Option<f64>,
    ) -> PyResult<bool> {
        let block = block.map_or(Ok(true), PyAnyMethods::is_truthy)?;
        Self::acquire(self, py, Truth(block), timeout)
    }

    #[inline]
    fn let_go(&self) -> PyResult<()> {
        self.lock.release().map_err(|error| Python::attach(|py| raised(py, &error)))
    }
}
