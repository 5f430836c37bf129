//! A number of permits.

use super::home::home;
use super::limit::{Limit, Truth};
use super::raised::{raised, reached};
use super::ticket;
use super::waiting::{self, Waiting};
use crate::place::Place;
use crate::threading::quick::Quick;
use anyplace::share::{Permit, Semaphore};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// The part of ``anyplace.share.Semaphore`` that the engine does.
#[pyclass(subclass, frozen, weakref, module = "anyplace._core")]
pub(crate) struct SharedSemaphore(Semaphore);

#[pymethods]
impl SharedSemaphore {
    #[new]
    #[pyo3(signature = (place=None, name="", value=1, bounded=false, *, _ticket=None))]
    fn new(
        py: Python<'_>,
        place: Option<&Bound<'_, Place>>,
        name: &str,
        value: i64,
        bounded: bool,
        _ticket: Option<&[u8]>,
    ) -> PyResult<Self> {
        let permits = u32::try_from(value).map_err(|_| {
            PyValueError::new_err(format!("a semaphore begins with 0 to {} permits, not {value}", u32::MAX))
        })?;
        ticket::or(py, _ticket, || home(place)?.semaphore(name, permits, bounded)).map(Self)
    }

    /// Take a permit.
    ///
    /// Parameters
    /// ----------
    /// block : bool, default True
    ///     Whether to wait for one.
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Returns
    /// -------
    /// bool
    ///     Whether there was one.
    #[pyo3(signature = (block=Truth(true), timeout=None), text_signature = "($self, block=True, timeout=None)")]
    fn acquire(&self, py: Python<'_>, block: Truth, timeout: Option<f64>) -> PyResult<bool> {
        let permit = waiting::wait(py, self.0.acquiring(), Limit::new(block, timeout)?)?;
        Ok(permit.map(Permit::keep).is_some())
    }

    /// Give permits back.
    ///
    /// Parameters
    /// ----------
    /// n : int, default 1
    ///     How many.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     If the semaphore is bounded and not as many were taken; nothing is given back then.
    #[pyo3(signature = (n=1))]
    fn release(&self, py: Python<'_>, n: u32) -> PyResult<()> {
        if n == 0 {
            return Err(PyValueError::new_err("n must be one or more"));
        }
        self.0.release(n).map_err(|error| raised(py, &error))
    }

    /// How many permits are left.
    #[getter]
    fn value(&self) -> PyResult<u32> {
        reached(|| self.0.value())
    }

    /// Its name; empty if it has none.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// The wait of a coroutine for a permit.
    fn _acquiring(&self) -> Waiting {
        let semaphore = self.0.clone();
        Waiting::for_true(async move { semaphore.acquiring().await.map(Permit::keep) })
    }

    fn __enter__(&self, py: Python<'_>) -> PyResult<bool> {
        self.acquire(py, Truth(true), None)
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, py: Python<'_>, _raised: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.release(py, 1)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        ticket::reduce(slf, &slf.get().0)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        ticket::repr(slf, slf.get().0.name(), &format!("value={}", slf.get().0.value()))
    }
}

impl Quick for SharedSemaphore {
    const NAMES: [&'static str; 2] = ["block", "timeout"];
    const TAKES_NONE: bool = true;
    const RELEASES_MANY: bool = true;

    #[inline]
    fn try_take(&self) -> bool {
        match self.0.try_acquire() {
            Ok(Some(permit)) => {
                permit.keep();
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
        self.0.release(1).map_err(|error| Python::attach(|py| raised(py, &error)))
    }

    fn let_go_often(&self, py: Python<'_>, often: &Bound<'_, PyAny>) -> PyResult<()> {
        self.release(py, often.extract()?)
    }
}
