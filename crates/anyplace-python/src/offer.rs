//! A place that is offered to others: `anyplace.serve.Offer` in Rust.

use crate::future::{deadline, seconds};
use crate::{door, error, gil};
use anyplace::serve::{ClientLimits, Offer as EngineOffer, Terms};
use pyo3::prelude::*;
use pyo3::types::PyAny;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A place that others use by its address, until it is closed; ``Place.offer`` gives it.
///
/// Leaving its ``with`` block closes it, and ends what runs for others. The place stays open.
///
/// Examples
/// --------
/// >>> import anyplace
/// >>> with anyplace.open("processes:2") as place, place.offer("tcp://127.0.0.1:0") as offer:
/// ...     with anyplace.open(offer.address) as far:
/// ...         far.submit(pow, 2, 10).result()
/// 1024
#[pyclass(frozen, module = "anyplace", weakref)]
pub(crate) struct Offer(Arc<EngineOffer>);

impl Offer {
    pub(crate) fn open(
        py: Python<'_>,
        place: &anyplace::Place,
        endpoint: &str,
        terms: anyplace::Result<Terms>,
    ) -> PyResult<Self> {
        let opened = terms.and_then(|terms| door::pass(py, || place.offer_on(endpoint, &terms)));
        opened.map(|offer| Self(Arc::new(offer))).map_err(|error| error::to_python(py, &error))
    }
}

/// On which terms a place is offered.
pub(crate) fn terms(
    scope: &str,
    expires: Option<f64>,
    once: bool,
    ticket: bool,
    limits: Option<HashMap<String, usize>>,
) -> anyplace::Result<Terms> {
    let (scope, lasts) = (scope.parse()?, expires.map(seconds).transpose()?);
    let mut terms = Terms { scope, lasts, once, ticket, limits: ClientLimits::DEFAULT };
    limits.iter().flatten().try_for_each(|(name, most)| terms.limits.set(name, *most))?;
    Ok(terms)
}

#[pymethods]
impl Offer {
    /// The address by which others open the place. At ``tcp:`` there is a ticket in it, which lets in whoever has it: it is
    /// a secret, and what ``repr`` shows is the address without it.
    #[getter]
    fn address(&self) -> String {
        self.0.address().reveal()
    }

    /// Where it listens: the address without a ticket, with the port that the system gave.
    #[getter]
    fn endpoint(&self) -> String {
        self.0.endpoint().to_string()
    }

    /// How many clients are connected, or may come back.
    #[getter]
    fn clients(&self) -> usize {
        self.0.clients()
    }

    /// Waits until somebody closes the offer.
    ///
    /// Parameters
    /// ----------
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Returns
    /// -------
    /// bool
    ///     Whether it is closed.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let deadline = timeout.and_then(deadline);
        door::wait(py, deadline, |until| self.0.wait(Some(until)))
    }

    /// Takes no more clients and no more work. The place stays open.
    ///
    /// Parameters
    /// ----------
    /// grace : float, default 0
    ///     Seconds that what runs for others has to end; then it is ended.
    #[pyo3(signature = (grace=0.0))]
    fn close(&self, py: Python<'_>, grace: f64) -> PyResult<()> {
        let grace = seconds(grace).map_err(|error| error::to_python(py, &error))?;
        door::pass(py, || self.0.close(grace)).map_err(|error| error::to_python(py, &error))
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        self.close(py, 0.0)
    }

    fn __repr__(&self) -> String {
        format!("<anyplace.Offer of {} at {}>", self.0.place().address(), self.0.address())
    }
}

impl Drop for Offer {
    /// A thread of its own closes it, since a collector must not wait.
    fn drop(&mut self) {
        let offer = self.0.clone();
        let close = move || drop(offer.close(Duration::ZERO));
        // Without a thread, whoever collects waits after all.
        if std::thread::Builder::new().spawn(close).is_err() {
            gil::with(|py| door::pass(py, || drop(self.0.close(Duration::ZERO))));
        }
    }
}
