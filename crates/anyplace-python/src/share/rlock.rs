//! A lock that whoever has it may acquire again.

use super::abandoned::Abandoned;
use super::home::home;
use super::limit::{Limit, Truth};
use super::raised::{raised, reached};
use super::ticket;
use super::waiting::{self, Waiting};
use crate::place::Place;
use crate::threading::quick::Quick;
use anyplace::share::{RLock, RLockGuard, thread_owner};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// The part of ``anyplace.share.RLock`` that the engine does.
#[pyclass(subclass, frozen, weakref, module = "anyplace._core")]
pub(crate) struct SharedRLock {
    lock: RLock,
    abandoned: Abandoned,
}

impl From<RLock> for SharedRLock {
    fn from(lock: RLock) -> Self {
        Self { lock, abandoned: Abandoned::default() }
    }
}

#[pymethods]
impl SharedRLock {
    #[new]
    #[pyo3(signature = (place=None, name="", *, _ticket=None))]
    fn new(
        py: Python<'_>,
        place: Option<&Bound<'_, Place>>,
        name: &str,
        _ticket: Option<&[u8]>,
    ) -> PyResult<Self> {
        ticket::or(py, _ticket, || home(place)?.rlock(name)).map(Self::from)
    }

    /// Acquire it, once more if this thread has it.
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
        let acquiring = self.lock.acquiring(thread_owner());
        let guard = waiting::wait(py, acquiring, Limit::new(block, timeout)?)?;
        Ok(guard.map(|guard| self.keep(guard)).is_some())
    }

    /// Release it once.
    ///
    /// Raises
    /// ------
    /// NotHeld
    ///     If this thread does not have it; also a RuntimeError, a ValueError and an AssertionError.
    pub(crate) fn release(&self, py: Python<'_>) -> PyResult<()> {
        self._release_as(py, thread_owner())
    }

    /// Tell whether somebody has it.
    fn locked(&self) -> PyResult<bool> {
        reached(|| self.lock.is_locked())
    }

    /// Whether the one who held it before this process's last acquire died with it.
    #[getter]
    fn abandoned(&self) -> bool {
        self.abandoned.get()
    }

    /// Its name; empty if it has none.
    #[getter]
    fn name(&self) -> &str {
        self.lock.name()
    }

    /// Whether this thread has it.
    fn _is_owned(&self) -> PyResult<bool> {
        reached(|| self.lock.count() > 0)
    }

    /// How often this thread has it.
    fn _recursion_count(&self) -> PyResult<u32> {
        reached(|| self.lock.count())
    }

    /// The wait of a coroutine for it.
    fn _acquiring_as(&self, owner: u64) -> Waiting {
        let (lock, abandoned) = (self.lock.clone(), self.abandoned.clone());
        Waiting::for_true(
            async move { lock.acquiring(owner).await.map(|guard| abandoned.note(guard.keep())) },
        )
    }

    /// Release it once, for that owner.
    fn _release_as(&self, py: Python<'_>, owner: u64) -> PyResult<()> {
        self.lock.release(owner).map_err(|error| raised(py, &error))
    }

    /// Release it as often as that owner has it; how often that was.
    fn _release_all_as(&self, py: Python<'_>, owner: u64) -> PyResult<u32> {
        self.lock.release_all(owner).map_err(|error| raised(py, &error))
    }

    /// The wait of a coroutine to have it again as often as before.
    fn _restoring_as(&self, owner: u64, count: u32) -> Waiting {
        let (lock, abandoned) = (self.lock.clone(), self.abandoned.clone());
        Waiting::for_true(async move {
            lock.restoring(owner, count).await.map(|acquired| abandoned.note(acquired))
        })
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

impl SharedRLock {
    #[inline]
    fn keep(&self, guard: RLockGuard<'_>) {
        self.abandoned.note(guard.keep());
    }

    pub(crate) fn handle(&self) -> &RLock {
        &self.lock
    }
}

impl Quick for SharedRLock {
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
        self.lock.release(thread_owner()).map_err(|error| Python::attach(|py| raised(py, &error)))
    }
}
