//! How handles of shared objects travel: as tickets, which open the same object where they arrive.

use super::raised::raised;
use anyplace::Result;
use anyplace::share::{from_ticket, to_ticket, to_ticket_of_kept};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple, PyType};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;

/// The handle that a ticket opens; without one, the handle that is made.
pub(crate) fn or<T: DeserializeOwned>(
    py: Python<'_>,
    ticket: Option<&[u8]>,
    make: impl FnOnce() -> Result<T>,
) -> PyResult<T> {
    ticket.map_or_else(make, from_ticket).map_err(|error| raised(py, &error))
}

/// What pickle makes of an object: its class and its ticket.
pub(crate) fn reduce<'py>(slf: &Bound<'py, PyAny>, handle: &impl Serialize) -> PyResult<Bound<'py, PyTuple>> {
    reduce_with(slf, handle, None)
}

/// As [`reduce`], with what the constructor takes besides a place and a name.
pub(crate) fn reduce_with<'py>(
    slf: &Bound<'py, PyAny>,
    handle: &impl Serialize,
    more: Option<Bound<'py, PyTuple>>,
) -> PyResult<Bound<'py, PyTuple>> {
    let py = slf.py();
    let ticket = match collected(slf)? {
        true => to_ticket_of_kept(handle),
        false => to_ticket(handle),
    };
    let ticket = ticket.map_err(|error| raised(py, &error))?;
    let more = more.unwrap_or_else(|| PyTuple::empty(py));
    let arguments = (slf.get_type(), PyBytes::new(py, &ticket), more);
    let open = py.import(intern!(py, "anyplace._core"))?.getattr(intern!(py, "_opened"))?;
    (open, arguments).into_pyobject(py)
}

thread_local! {
    /// Where what is sent away is kept until it has arrived, by whoever sends it now.
    static KEPT: RefCell<Option<Py<PyList>>> = const { RefCell::new(None) };
}

/// Adds what this thread pickles from now on to a list, whose owner keeps it until it has arrived; with None, no more.
#[pyfunction]
pub(crate) fn keep_sent(kept: Option<Py<PyList>>) {
    KEPT.set(kept);
}

/// Whether somebody keeps what is sent away.
fn collected(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    KEPT.with_borrow(|kept| match kept {
        None => Ok(false),
        Some(kept) => kept.bind(object.py()).append(object).map(|()| true),
    })
}

/// The object that a ticket opens, as one of its class. Pickles name this function.
#[pyfunction]
pub(crate) fn _opened<'py>(
    kind: &Bound<'py, PyType>,
    ticket: &Bound<'py, PyBytes>,
    more: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = kind.py();
    let keywords = PyDict::new(py);
    keywords.set_item(intern!(py, "_ticket"), ticket)?;
    let first = (kind, py.None(), "").into_pyobject(py)?;
    let arguments = first.as_sequence().concat(more.as_sequence())?.to_tuple()?;
    // That of ours: classes over it may be made of something else.
    ours(kind)?.getattr(intern!(py, "__new__"))?.call(arguments, Some(&keywords))
}

/// The class of the compiled part that this one is of.
fn ours<'py>(kind: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyType>> {
    for base in kind.mro() {
        let base = base.cast_into::<PyType>()?;
        if base.module()? == "anyplace._core" {
            return Ok(base);
        }
    }
    Err(pyo3::exceptions::PyTypeError::new_err(format!("{kind} is no class of shared objects")))
}

/// How an object is shown.
pub(crate) fn repr(slf: &Bound<'_, PyAny>, name: &str, state: &str) -> PyResult<String> {
    let kind = slf.get_type().fully_qualified_name()?;
    let name = if name.is_empty() { String::new() } else { format!(" {name:?}") };
    Ok(format!("<{kind}{name} {state}>"))
}
