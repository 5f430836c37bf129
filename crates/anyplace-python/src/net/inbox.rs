//! Where files arrive.

use super::aside::aside;
use super::steps::{Limit, late, told};
use super::stream::Handed;
use crate::door;
use crate::future::seconds;
use anyplace::keys::Keys;
use anyplace::net::files::reach;
use anyplace::serve::{Inbox as EngineInbox, Terms};
use pyo3::prelude::*;
use std::sync::Arc;
use std::time::Instant;

fn keys() -> Keys {
    Keys::new(anyplace_cli::keys_folder())
}

/// What ``anyplace.reach`` makes a stream of.
#[pyfunction]
pub(crate) fn reach_stream(py: Python<'_>, address: String, timeout: f64) -> PyResult<Handed> {
    let until = Instant::now() + told(py, seconds(timeout))?;
    let reached = aside(py, move || reach(&address, &keys(), until), || false)?;
    told(py, reached).map(Handed::new)
}

/// The part of ``anyplace.Inbox`` that the engine does.
#[pyclass(subclass, frozen, weakref, module = "anyplace._core")]
pub(crate) struct Inbox(Arc<EngineInbox>);

#[pymethods]
impl Inbox {
    #[new]
    #[pyo3(signature = (address, *, expires=86400.0, once=true, ticket=true))]
    fn new(py: Python<'_>, address: &str, expires: Option<f64>, once: bool, ticket: bool) -> PyResult<Self> {
        let lasts = told(py, expires.map(seconds).transpose())?;
        let terms = Terms { lasts, once, ticket, ..EngineInbox::TERMS };
        let opened = door::pass(py, || EngineInbox::open(address, &keys(), terms));
        told(py, opened).map(|inbox| Self(Arc::new(inbox)))
    }

    /// The address by which senders reach it. At ``tcp:`` there is a ticket in it, which lets in whoever has it: it is a
    /// secret, and what ``repr`` shows is the address without it.
    #[getter]
    fn address(&self) -> String {
        self.0.address().reveal()
    }

    /// Where it listens: the address without a ticket, with the port that the system gave.
    #[getter]
    fn endpoint(&self) -> String {
        self.0.endpoint().to_string()
    }

    fn _shown(&self) -> String {
        self.0.address().to_string()
    }

    /// The next sender that was let in; nothing once it is closed.
    fn _accept(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Handed>> {
        let Limit::By(deadline) = Limit::of(timeout)? else { return Ok(None) };
        let mut next = None;
        let has_come = door::wait(py, deadline, |until| {
            // Until then, so the only error is that nobody came.
            next = self.0.accept(Some(until)).ok();
            next.is_some()
        })?;
        if !has_come {
            return Err(late(py, &format!("accept at `{}`", self.endpoint())));
        }
        Ok(next.flatten().map(|arrival| Handed::new(arrival.stream)))
    }

    /// Let nobody in any more: who waits in it is told. Who has arrived can go on.
    fn close(&self, py: Python<'_>) {
        door::pass(py, || self.0.close());
    }
}
