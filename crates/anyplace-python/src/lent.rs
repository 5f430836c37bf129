//! Memory that processes share, lent to Python's objects.

use anyplace::work::Bytes;
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};

/// Bytes of a place's memory. Arrays over them see what other processes write there, and keep them where they are;
/// they are given back when the last such object is gone.
#[pyclass(frozen, module = "anyplace._core")]
pub(crate) struct Lent(Bytes);

impl Lent {
    /// Only for shared bytes: nothing in this process takes them for constant.
    pub(crate) fn new(bytes: Bytes) -> Self {
        debug_assert!(bytes.is_shared(), "the heap's bytes are not to be written");
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.0
    }
}

#[pymethods]
impl Lent {
    fn __len__(&self) -> usize {
        self.0.len()
    }

    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("there is no view to fill"));
        }
        let bytes = slf.get().bytes();
        let (start, length) = (bytes.as_ptr().cast_mut().cast::<c_void>(), bytes.len().cast_signed());
        // SAFETY: the view holds a reference to `slf`, which holds the bytes where they are. They are memory that is
        // mapped writable and shared with other processes: whoever reads it here copies, or looks through Python.
        let filled = unsafe { ffi::PyBuffer_FillInfo(view, slf.as_ptr(), start, length, 0, flags) };
        if filled == 0 { Ok(()) } else { Err(PyErr::fetch(slf.py())) }
    }
}
