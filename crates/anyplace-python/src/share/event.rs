//! A flag that can be waited for.

use super::home::home;
use super::limit::{Limit, Truth};
use super::raised::reached;
use super::ticket;
use super::waiting::{self, Waiting};
use crate::place::Place;
use anyplace::share::Event;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// The part of ``anyplace.share.Event`` that the engine does.
#[pyclass(subclass, frozen, weakref, module = "anyplace._core")]
pub(crate) struct SharedEvent(Event);

#[pymethods]
impl SharedEvent {
    #[new]
    #[pyo3(signature = (place=None, name="", *, _ticket=None))]
    fn new(
        py: Python<'_>,
        place: Option<&Bound<'_, Place>>,
        name: &str,
        _ticket: Option<&[u8]>,
    ) -> PyResult<Self> {
        ticket::or(py, _ticket, || home(place)?.event(name)).map(Self)
    }

    /// Wait until it is set.
    ///
    /// Parameters
    /// ----------
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Returns
    /// -------
    /// bool
    ///     Whether it was set in time.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        Ok(waiting::wait(py, self.0.waiting(), Limit::new(Truth(true), timeout)?)?.is_some())
    }

    /// Set it: whoever waits goes on.
    fn set(&self) -> PyResult<()> {
        reached(|| self.0.set())
    }

    /// Clear it: whoever comes now waits.
    fn clear(&self) -> PyResult<()> {
        reached(|| self.0.clear())
    }

    /// Tell whether it is set.
    fn is_set(&self) -> PyResult<bool> {
        reached(|| self.0.is_set())
    }

    /// Its name; empty if it has none.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// The wait of a coroutine for it.
    fn _waiting(&self) -> Waiting {
        let event = self.0.clone();
        Waiting::for_true(async move { event.waiting().await })
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        ticket::reduce(slf, &slf.get().0)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        ticket::repr(slf, slf.get().0.name(), if slf.get().is_set()? { "set" } else { "unset" })
    }
}
