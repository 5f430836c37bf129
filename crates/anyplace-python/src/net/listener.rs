//! Listening.

use super::options::options;
use super::steps::Limit;
use super::steps::{late, raised, told};
use super::stream::Handed;
use crate::door;
use anyplace::net::{self, Endpoint};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, PoisonError};

/// The part of ``anyplace.Listener`` that the engine does.
#[pyclass(subclass, frozen, weakref, module = "anyplace._core")]
pub(crate) struct Listener {
    listener: Mutex<Option<Arc<net::Listener>>>,
    endpoint: String,
}

#[pymethods]
impl Listener {
    #[new]
    #[pyo3(signature = (address, **keywords))]
    fn new(py: Python<'_>, address: &str, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let options = options(keywords)?;
        let endpoint: Endpoint = told(py, address.parse())?;
        let listener = told(py, door::pass(py, || net::listen_with(endpoint, &options)))?;
        let endpoint = listener.endpoint().to_string();
        Ok(Self { listener: Mutex::new(Some(Arc::new(listener))), endpoint })
    }

    /// Where it listens, with the port that it was given.
    #[getter]
    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Whether it is closed.
    #[getter]
    fn closed(&self) -> bool {
        self.opened().is_none()
    }

    /// Return the descriptor that can be read when somebody can be accepted.
    fn fileno(&self) -> PyResult<i32> {
        Ok(self.open()?.fd().as_raw_fd())
    }

    fn _accept(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Handed> {
        let Limit::By(deadline) = Limit::of(timeout)? else { return Err(closed()) };
        let accepted = door::attend(
            py,
            deadline,
            &mut (),
            |(), until| match self.opened() {
                None => Some(None),
                Some(listener) => {
                    net::Wait::until(&mut listener.accepting(), Some(until)).transpose().map(Some)
                }
            },
            |()| (),
        )?;
        match accepted {
            Some(Some(stream)) => told(py, stream).map(Handed::new),
            Some(None) => Err(closed()),
            None => Err(late(py, &format!("accept at `{}`", self.endpoint))),
        }
    }

    /// The same as a step: nothing if nobody waits to be accepted.
    fn _accept_now(&self, py: Python<'_>) -> PyResult<Option<Handed>> {
        let listener = self.open()?;
        let accepted = net::Wait::now(listener.accepting()).map_err(|error| raised(py, &error))?;
        Ok(accepted.map(Handed::new))
    }

    /// Close it: who waits in it is told, and nobody can connect any more.
    fn _close(&self, py: Python<'_>) {
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
        door::pass(py, || drop(listener));
    }
}

impl Listener {
    fn opened(&self) -> Option<Arc<net::Listener>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn open(&self) -> PyResult<Arc<net::Listener>> {
        self.opened().ok_or_else(closed)
    }
}

fn closed() -> PyErr {
    PyValueError::new_err("the listener is closed")
}
