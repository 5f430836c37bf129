//! The interpreter's flags in a worker: those of its caller, not those that its zygote was started with.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::{Borrowed, ffi};

/// A copy of ``sys.flags`` as if Python had run `site`.
///
/// A zygote runs without it to start sooner and does by itself what it would do. Programs hand the flags on to the Pythons
/// that they start, and those need `site` to find what is installed.
#[pyfunction]
pub(crate) fn flags_with_site(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let flags = py.import("sys")?.getattr("flags")?;
    let names: Vec<String> = flags.getattr("__match_args__")?.extract()?;
    let fields: ffi::Py_ssize_t = flags.getattr("n_fields")?.extract()?;
    let no_site = names.iter().position(|name| name == "no_site");
    let no_site = no_site.ok_or_else(|| PyValueError::new_err("this Python has no flag `no_site`"))?;
    // SAFETY: the type of `sys.flags` is a struct sequence.
    let copy = unsafe { ffi::PyStructSequence_New(flags.get_type().as_type_ptr()) };
    // SAFETY: a new reference, or null with an exception set.
    let copy = unsafe { Bound::from_owned_ptr_or_err(py, copy) }?;
    for field in 0..fields {
        // SAFETY: `flags` has so many fields, and keeps the object that is lent here.
        let same = unsafe { Borrowed::from_ptr(py, ffi::PyStructSequence_GetItem(flags.as_ptr(), field)) };
        let item =
            if field as usize == no_site { 0i32.into_pyobject(py)?.into_any() } else { same.to_owned() };
        // SAFETY: nobody else has seen the copy yet; the reference becomes its own.
        unsafe { ffi::PyStructSequence_SetItem(copy.as_ptr(), field, item.into_ptr()) };
    }
    Ok(copy)
}
