//! What a queue raises: the standard library's own exceptions, so that programs catch them.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

#[cold]
pub(super) fn empty(py: Python<'_>) -> PyErr {
    static EMPTY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    raised(EMPTY.import(py, "queue", "Empty"))
}

#[cold]
pub(super) fn full(py: Python<'_>) -> PyErr {
    static FULL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    raised(FULL.import(py, "queue", "Full"))
}

#[cold]
pub(super) fn shut_down(py: Python<'_>) -> PyErr {
    static SHUT_DOWN: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    raised(SHUT_DOWN.import(py, "anyplace.queue", "ShutDown"))
}

fn raised(class: PyResult<&Bound<'_, PyType>>) -> PyErr {
    class.map_or_else(|error| error, |class| PyErr::from_type(class.clone(), ()))
}
