//! Errors of the system as Python raises them.

use pyo3::exceptions::{PyOSError, PyTimeoutError};
use pyo3::ffi;
use pyo3::prelude::*;
use std::io;

/// The `OSError`, or its subclass, for an error of the system, with its number and words.
#[cold]
pub(super) fn raised(py: Python<'_>, error: &io::Error) -> PyErr {
    let Some(number) = error.raw_os_error() else {
        return PyOSError::new_err(error.to_string());
    };
    // SAFETY: it is this thread's own.
    unsafe { *libc::__errno_location() = number };
    // SAFETY: the thread is attached; it raises what the number above says.
    unsafe { ffi::PyErr_SetFromErrno(ffi::PyExc_OSError) };
    PyErr::fetch(py)
}

/// The time of a socket is over.
#[cold]
pub(super) fn timed_out() -> PyErr {
    PyTimeoutError::new_err("timed out")
}
