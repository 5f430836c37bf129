//! The `anyplace` command, which the wheel carries.

use crate::gil;
use pyo3::prelude::*;
use std::ffi::OsString;

/// Runs the command `anyplace` with these arguments, the program's name first.
///
/// Parameters
/// ----------
/// arguments : sequence of str
///     Such as ``sys.argv``.
///
/// Returns
/// -------
/// int
///     The exit code. A run that a signal ended does not return: the process ends by the same signal.
#[pyfunction]
pub(crate) fn cli_main(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    gil::without(py, || anyplace_cli::status(arguments))
}
