//! Python callables as handlers of connections and of requests.

use crate::making::Making;
use crate::net::Handed;
use crate::settled::Settled;
use crate::{error, gil};
use anyplace::net::{Stream, lend};
use anyplace::serve::{Connections, Requests};
use anyplace::work::Work;
use anyplace::{Error, Kind, Limits, Outcome, Result, Value};
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyTuple};
use std::sync::Arc;

/// A callable that is given each connection, or each request.
pub(crate) struct Handler {
    making: Arc<Making>,
    callable: Py<PyAny>,
}

impl Handler {
    pub(crate) fn new(making: Arc<Making>, callable: Py<PyAny>) -> Self {
        Self { making, callable }
    }

    fn make(&self, argument: impl FnOnce(Python<'_>) -> PyResult<Bound<'_, PyAny>>) -> Result<Work> {
        with(|py| {
            let arguments = PyTuple::new(py, [self.callable.bind(py).clone(), argument(py)?])?;
            self.making.one(py, &arguments, None, false)
        })
    }
}

impl Connections for Handler {
    fn work(&self, stream: &Stream, _: &Limits) -> Result<Work> {
        if !matches!(*self.making, Making::Pickles(_)) {
            return self.make(|py| handed(py, stream));
        }
        let ticket = lend(stream)?;
        self.make(|py| Ok(PyBytes::new(py, &ticket).into_any()))
    }

    fn took(&self, value: Value) -> Result<()> {
        // The handler returned: what it returned is nobody's. It may be an object, which is dropped with the lock.
        with(|_| {
            drop(value);
            Ok(())
        })
    }
}

impl Requests for Handler {
    fn work(&self, request: Vec<u8>, _: &Limits) -> Result<Work> {
        self.make(|py| Ok(PyBytes::new(py, &request).into_any()))
    }

    fn answer(&self, value: Value) -> Result<Option<Vec<u8>>> {
        with(|py| {
            let answer = Settled::one(py, Outcome::Returned(value), None).into_result()?.into_bound(py);
            if answer.is_none() {
                return Ok(None);
            }
            match answer.cast::<PyBytes>() {
                Ok(bytes) => Ok(Some(bytes.as_bytes().to_vec())),
                Err(_) => PyBuffer::<u8>::get(&answer)?.to_vec(py).map(Some),
            }
        })
    }
}

/// A stream as Python knows them.
fn handed<'py>(py: Python<'py>, stream: &Stream) -> PyResult<Bound<'py, PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    CLASS.import(py, "anyplace._net", "Stream")?.call1((Handed::new(stream.clone()),))
}

/// Runs `work` with the interpreter's lock, and tells what it raised as an error.
fn with<R>(work: impl FnOnce(Python<'_>) -> PyResult<R>) -> Result<R> {
    let done = gil::with(|py| {
        work(py)
            .map_err(|raised| Error::new(Kind::TaskFailed, error::sentence(py, &raised)).with_source(raised))
    });
    done.unwrap_or_else(|| Err(Error::new(Kind::Cancelled, "the interpreter ends")))
}
