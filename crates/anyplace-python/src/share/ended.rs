//! Processes that Python has started.

use anyplace::share;
use pyo3::prelude::*;

/// What the child process holds passes on as soon as it ends.
#[pyfunction]
pub(crate) fn bury_when_ended(pid: u32) -> PyResult<()> {
    Ok(share::bury_when_ended(pid)?)
}
