//! What Python brings along when it opens a place: how to start a worker, what it does first, where its log goes.

use crate::{gil, pickled, worker};
use anyplace::share::OnWait;
use anyplace::work::Payload;
use anyplace::{OnFork, OnLog, Setup};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use std::ffi::OsString;
use std::sync::Arc;

/// The setup; and why the initializer cannot travel, which only matters if it has to.
pub(crate) fn setup(
    py: Python<'_>,
    first: Option<(&Py<PyAny>, &Py<PyTuple>)>,
) -> PyResult<(Setup, Option<PyErr>)> {
    let helper = py.import("anyplace._worker")?;
    let words = |name| helper.getattr(name)?.call0()?.extract::<Vec<OsString>>();
    let (command, zygote) = (words("command")?, words("zygote")?);
    let argument = helper.getattr("argument")?.call0()?.extract()?;
    let first = first.map(|(initializer, initargs)| pickled::first(py, initializer, initargs)).transpose();
    let (first, cannot_travel) = match first {
        Ok(first) => (first.map(Arc::new), None),
        Err(error) => (None, Some(error)),
    };
    let log = |record: Payload| {
        gil::with(|py| handle(py, &record.bytes));
    };
    let on_log = Some(OnLog(Arc::new(log)));
    let language = Some(worker::language(py));
    let on_fork = Some(OnFork(Arc::new(worker::fork)));
    let host = Some(Arc::new(pickled::host(py)?));
    let (worker, zygote, keys) = (Some(command), Some(zygote), anyplace_cli::keys_folder());
    let on_wait = Some(OnWait(Arc::new(gil::wait)));
    let setup = Setup { worker, zygote, on_fork, argument, first, host, on_log, on_wait, language, keys };
    Ok((setup, cannot_travel))
}

/// Treats a worker's log record as one of this process.
fn handle(py: Python<'_>, record: &[u8]) {
    let handle = || {
        let handle = py.import("anyplace._logging")?.getattr("handle")?;
        handle.call1((PyBytes::new(py, record),))
    };
    if let Err(error) = handle() {
        error.write_unraisable(py, None);
    }
}
