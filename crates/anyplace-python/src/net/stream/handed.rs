//! A stream between the call that made it and the object that has it.

use anyplace::net;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::sync::{Mutex, PoisonError};

/// A stream of the engine's on its way to the object that has it.
#[pyclass(frozen, module = "anyplace._core")]
pub(crate) struct Handed(Mutex<Option<net::Stream>>);

impl Handed {
    pub(crate) fn new(stream: net::Stream) -> Self {
        Self(Mutex::new(Some(stream)))
    }

    pub(super) fn take(&self) -> PyResult<net::Stream> {
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        stream.ok_or_else(|| PyValueError::new_err("somebody has this stream already"))
    }
}

/// What a wait for a stream gives.
pub(crate) fn handed(py: Python<'_>, stream: net::Stream) -> PyResult<Py<PyAny>> {
    Ok(Py::new(py, Handed::new(stream))?.into_any())
}
