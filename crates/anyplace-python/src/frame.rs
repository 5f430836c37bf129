//! Where in the program a thread is.

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;

/// The line of source that called us, as `file:line`; nothing if no Python called.
pub(crate) fn here(py: Python<'_>) -> String {
    // SAFETY: the calling thread is attached, as `py` shows.
    let frame = unsafe { ffi::PyEval_GetFrame() };
    if frame.is_null() {
        return String::new();
    }
    // SAFETY: the frame is alive as long as its function runs, which waits for us.
    let (code, line) = unsafe { (ffi::PyFrame_GetCode(frame), ffi::PyFrame_GetLineNumber(frame)) };
    // SAFETY: `PyFrame_GetCode` gives a new reference, and never null.
    let code = unsafe { Bound::from_owned_ptr(py, code.cast()) };
    let file = code.getattr(intern!(py, "co_filename"));
    file.map_or_else(|_| String::new(), |file| format!("{file}:{line}"))
}
