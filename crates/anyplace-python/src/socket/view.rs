//! The bytes of Python's objects, seen in place.

use pyo3::exceptions::{PyBufferError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::slice;

/// The bytes of an object that stay where they are as long as this lives: the object exports them.
///
/// As everywhere in Python, another thread may write them meanwhile, and then gets what it asked for: bytes are only copied
/// by the system here, and never looked at.
pub(crate) struct View(ffi::Py_buffer);

// SAFETY: the bytes are the object's, which exports them and so cannot move them; the reference to it goes where the
// view is dropped, which needs the interpreter's lock: no `View` is moved, only borrowed, by who waits without the lock.
unsafe impl Sync for View {}

impl View {
    /// To read from.
    ///
    /// # Errors
    /// `TypeError` for what has no bytes.
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::get(object, ffi::PyBUF_SIMPLE)
    }

    /// To write to.
    ///
    /// # Errors
    /// `TypeError` for what has no bytes, or keeps them from being written.
    pub(crate) fn writable(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::get(object, ffi::PyBUF_WRITABLE).map_err(|error| {
            let py = object.py();
            if !error.is_instance_of::<PyBufferError>(py) {
                return error;
            }
            let kind = object.get_type();
            let kind = kind.name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
            PyTypeError::new_err(format!("a read-write bytes-like object is required, not '{kind}'"))
        })
    }

    fn get(object: &Bound<'_, PyAny>, flags: c_int) -> PyResult<Self> {
        let mut view = MaybeUninit::<ffi::Py_buffer>::uninit();
        // SAFETY: the object is alive, and there is room for the view.
        let got = unsafe { ffi::PyObject_GetBuffer(object.as_ptr(), view.as_mut_ptr(), flags) };
        if got != 0 {
            return Err(PyErr::fetch(object.py()));
        }
        // SAFETY: it is filled where nothing was raised.
        Ok(Self(unsafe { view.assume_init() }))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len.unsigned_abs()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        if self.0.buf.is_null() {
            return &[];
        }
        // SAFETY: they are so many in a row, as was asked for, and stay while the view does.
        unsafe { slice::from_raw_parts(self.0.buf.cast(), self.len()) }
    }

    pub(crate) fn room(&mut self) -> &mut [MaybeUninit<u8>] {
        if self.0.buf.is_null() || self.0.readonly != 0 {
            return &mut [];
        }
        // SAFETY: as for `bytes`; they may be written, and nobody else here has this view.
        unsafe { slice::from_raw_parts_mut(self.0.buf.cast(), self.len()) }
    }

    /// The room as bytes to write over.
    pub(crate) fn initialized(&mut self) -> &mut [u8] {
        let room = self.room();
        // SAFETY: they are bytes of a Python object, which has set them when it was made.
        unsafe { slice::from_raw_parts_mut(room.as_mut_ptr().cast(), room.len()) }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: it was got in `get`, and is released once. Views live on the stack of a call of Python, which is attached.
        unsafe { ffi::PyBuffer_Release(&raw mut self.0) };
    }
}
