//! The exceptions that Python's own modules have for what is no error of ours.

use crate::error;
use anyplace::Error;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// The exception for an error of a shared object.
#[cold]
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    error::to_python(py, error)
}

/// `queue.Empty`.
/// Does what has no error where all is in memory, with objects that may be those of another machine.
pub(crate) fn reached<T>(work: impl FnOnce() -> T) -> PyResult<T> {
    anyplace::share::reached(work).map_err(|error| Python::attach(|py| raised(py, &error)))
}

pub(crate) fn empty(py: Python<'_>) -> PyErr {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    made(CLASS.import(py, "_queue", "Empty"))
}

/// `queue.Full`.
pub(crate) fn full(py: Python<'_>) -> PyErr {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    made(CLASS.import(py, "queue", "Full"))
}

fn made<'py>(class: PyResult<&Bound<'py, PyAny>>) -> PyErr {
    class.and_then(Bound::call0).map_or_else(|failed| failed, PyErr::from_value)
}
