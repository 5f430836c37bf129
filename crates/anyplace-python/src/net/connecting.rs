//! Connecting.

use super::options::options;
use super::steps::{in_time, told};
use super::stream::{Handed, handed};
use crate::share::Waiting;
use anyplace::net::{Endpoint, connecting};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// What ``anyplace.connect`` makes a stream of.
#[pyfunction]
#[pyo3(signature = (address, timeout, **keywords))]
pub(crate) fn connect_stream(
    py: Python<'_>,
    address: &str,
    timeout: Option<f64>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Handed> {
    let options = options(keywords)?;
    let endpoint: Endpoint = told(py, address.parse())?;
    let waiting = told(py, connecting(endpoint, &options))?;
    let stream = in_time(py, waiting, timeout, || format!("connect to `{address}`"))?;
    Ok(Handed::new(stream))
}

/// The same for a coroutine.
#[pyfunction]
#[pyo3(signature = (address, **keywords))]
pub(crate) fn connecting_stream(
    py: Python<'_>,
    address: &str,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Waiting> {
    let options = options(keywords)?;
    let endpoint: Endpoint = told(py, address.parse())?;
    Ok(Waiting::new(told(py, connecting(endpoint, &options))?, handed))
}
