//! Streams that a server hands to its worker processes.

use crate::net::Handed;
use crate::{door, error};
use anyplace::net::borrow;
use pyo3::prelude::*;

/// The stream of a ticket, for ``anyplace.Stream``.
#[pyfunction]
pub(crate) fn borrow_stream(py: Python<'_>, ticket: &[u8]) -> PyResult<Handed> {
    door::pass(py, || borrow(ticket)).map(Handed::new).map_err(|error| error::to_python(py, &error))
}
