//! Events that Python's audit hooks hear of, under the names that the standard library gives them.

use super::Socket;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

fn audit<'py>(py: Python<'py>, told: impl pyo3::call::PyCallArgs<'py>) -> PyResult<()> {
    static AUDIT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    AUDIT.import(py, "sys", "audit")?.call1(told).map(drop)
}

/// Tells of a socket that is made.
pub(super) fn made(socket: &Bound<'_, Socket>, of: [i32; 3]) -> PyResult<()> {
    audit(socket.py(), ("socket.__new__", socket, of[0], of[1], of[2]))
}

/// Tells of an address that a socket is to be bound to, connected to, or to send to.
pub(super) fn address(
    socket: &Bound<'_, Socket>,
    event: &str,
    to: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    audit(socket.py(), (event, socket, to))
}
