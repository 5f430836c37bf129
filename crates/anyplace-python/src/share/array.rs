//! Numbers side by side, in memory that all see who have the array.

use super::home::home;
use super::ticket;
use crate::place::Place;
use anyplace::share::Array;
use pyo3::exceptions::{PyBufferError, PyMemoryError, PyValueError};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::ffi::{CString, c_char, c_int, c_void};

/// The part of ``anyplace.share.Array`` that the engine does.
#[pyclass(subclass, frozen, weakref, module = "anyplace._core")]
pub(crate) struct SharedArray {
    array: Array,
    /// What views of it point to: how many items there are in each dimension, how far apart they lie, and their type.
    shape: Box<[ffi::Py_ssize_t]>,
    strides: Box<[ffi::Py_ssize_t]>,
    format: CString,
    item: usize,
}

#[pymethods]
impl SharedArray {
    #[new]
    #[pyo3(signature = (place=None, name="", shape=Vec::new(), format="B", *, _ticket=None))]
    fn new(
        py: Python<'_>,
        place: Option<&Bound<'_, Place>>,
        name: &str,
        shape: Vec<usize>,
        format: &str,
        _ticket: Option<&[u8]>,
    ) -> PyResult<Self> {
        let item: usize = py.import("struct")?.getattr("calcsize")?.call1((format,))?.extract()?;
        let bytes = shape.iter().try_fold(item, |bytes, &n| bytes.checked_mul(n));
        let bytes = bytes.filter(|&bytes| isize::try_from(bytes).is_ok());
        let bytes = bytes.ok_or_else(|| PyMemoryError::new_err("no memory is that large"))?;
        let array = ticket::or(py, _ticket, || home(place)?.array(name, bytes))?;
        if array.len() < bytes {
            let (is, wanted) = (array.len(), bytes);
            return Err(PyValueError::new_err(format!(
                "the array {name:?} has {is} bytes, and not {wanted}"
            )));
        }
        let strides = strides(&shape, item);
        let shape = shape.iter().map(|&n| n.cast_signed()).collect();
        let format = CString::new(format)?;
        Ok(Self { array, shape, strides, format, item })
    }

    /// How many items there are in each dimension.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.shape)
    }

    /// The type of the items, as `struct` names it.
    #[getter]
    fn format(&self) -> String {
        self.format.to_string_lossy().into_owned()
    }

    /// Its name; empty if it has none.
    #[getter]
    fn name(&self) -> &str {
        self.array.name()
    }

    fn __len__(&self) -> usize {
        self.shape.first().map_or(0, |n| n.cast_unsigned())
    }

    fn __getitem__<'py>(slf: &Bound<'py, Self>, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        view(slf)?.get_item(index)
    }

    fn __setitem__(
        slf: &Bound<'_, Self>,
        index: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        view(slf)?.set_item(index, value)
    }

    /// Give the items as a list, or as lists of lists.
    fn tolist<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        view(slf)?.call_method0(intern!(slf.py(), "tolist"))
    }

    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, _flags: c_int) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("there is no view to fill"));
        }
        let this = slf.get();
        let dimensions =
            c_int::try_from(this.shape.len()).map_err(|_| PyBufferError::new_err("too many dimensions"))?;
        let filled = ffi::Py_buffer {
            buf: this.array.as_mut_ptr().cast::<c_void>(),
            obj: slf.clone().into_ptr(),
            len: this.bytes(),
            itemsize: this.item.cast_signed(),
            readonly: 0,
            ndim: dimensions,
            format: this.format.as_ptr().cast_mut().cast::<c_char>(),
            shape: this.shape.as_ptr().cast_mut(),
            strides: this.strides.as_ptr().cast_mut(),
            suboffsets: std::ptr::null_mut(),
            internal: std::ptr::null_mut(),
        };
        // SAFETY: `view` is Python's to fill. What it points to lies in `slf`, which it holds a reference to, and is not
        // changed as long as that lives; the bytes are shared memory, in which Python's objects write as they please.
        unsafe { view.write(filled) };
        Ok(())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        let more = (slf.get().shape(py)?, slf.get().format());
        ticket::reduce_with(slf, &slf.get().array, Some(more.into_pyobject(py)?))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let shape = slf.get().shape(slf.py())?.repr()?;
        ticket::repr(slf, slf.get().array.name(), &format!("shape={shape} format={:?}", slf.get().format()))
    }
}

impl SharedArray {
    fn bytes(&self) -> ffi::Py_ssize_t {
        self.shape.iter().product::<ffi::Py_ssize_t>() * self.item.cast_signed()
    }
}

/// How far apart the items of each dimension lie, the last one's side by side.
fn strides(shape: &[usize], item: usize) -> Box<[ffi::Py_ssize_t]> {
    let mut strides = Vec::with_capacity(shape.len());
    let mut apart = item.cast_signed();
    for &n in shape.iter().rev() {
        strides.push(apart);
        apart *= n.cast_signed();
    }
    strides.reverse();
    strides.into()
}

fn view<'py>(slf: &Bound<'py, SharedArray>) -> PyResult<Bound<'py, PyAny>> {
    let view = pyo3::types::PyMemoryView::from(slf)?;
    Ok(view.into_any())
}
