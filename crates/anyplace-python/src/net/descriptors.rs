//! Open files of Python programs: each is used by a copy of its descriptor, which nobody closes meanwhile.

use super::steps::raised;
use anyplace::{Error, Kind};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, IntoRawFd, OwnedFd};

/// What a descriptor travels with.
pub(super) const BESIDE: &[u8] = &[0];

/// A copy of the descriptor of a file, a socket, or whatever has one; or of a number that is one.
pub(super) fn copy(file: &Bound<'_, PyAny>) -> PyResult<OwnedFd> {
    let fd: i32 = match file.extract() {
        Ok(fd) => fd,
        Err(_) => file.call_method0("fileno")?.extract()?,
    };
    if fd < 0 {
        return Err(PyTypeError::new_err("a descriptor is not below 0"));
    }
    // SAFETY: it is not -1. If the program has closed it, the system says so; whose it is, the program answers for, as in
    // all calls of Python that take descriptors. It is looked at only here.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    fd.try_clone_to_owned().map_err(|error: io::Error| error.into())
}

/// The same as a file to read from or write to at some place.
pub(super) fn file(file: &Bound<'_, PyAny>) -> PyResult<File> {
    copy(file).map(File::from)
}

/// The descriptor that came, which is the caller's. There is one at most: others are closed.
pub(super) fn first(py: Python<'_>, came: Vec<OwnedFd>, endpoint: &str) -> PyResult<i32> {
    let first = came.into_iter().next().map(IntoRawFd::into_raw_fd);
    first.ok_or_else(|| {
        let lost = Error::new(Kind::ConnectionLost, format!("no file came through `{endpoint}`"));
        raised(
            py,
            &lost.with_help("receive by `recv_fd` what the other end sends by `send_fd`, and nothing else"),
        )
    })
}
