//! Options of sockets, by the names that Python's keywords have.

use super::steps::raised;
use anyplace::net::{Keepalive, Options};
use anyplace::{Error, Kind};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::net::SocketAddr;
use std::time::Duration;

/// The options that a call's keywords name.
///
/// # Errors
/// `TypeError` for a name that is none; `ValueError` for a time that is none.
pub(crate) fn options(given: Option<&Bound<'_, PyDict>>) -> PyResult<Options> {
    let mut options = Options::default();
    for (name, value) in given.into_iter().flatten() {
        let name: String = name.extract()?;
        options = set(options, &name, &value)?;
    }
    Ok(options)
}

fn set(options: Options, name: &str, value: &Bound<'_, PyAny>) -> PyResult<Options> {
    Ok(match name {
        "keepalive" => options.with_keepalive(seconds(value)?.map(every)),
        "user_timeout" => options.with_user_timeout(seconds(value)?),
        "send_buffer" => options.with_send_buffer(value.extract()?),
        "receive_buffer" => options.with_receive_buffer(value.extract()?),
        "source" => options.from(source(value)?),
        "reuse_port" if value.is_truthy()? => options.with_reuse_port(),
        "only_v6" if value.is_truthy()? => options.with_only_v6(),
        "reuse_port" | "only_v6" => options,
        "backlog" => options.with_backlog(value.extract()?),
        "mode" => options.with_mode(value.extract()?),
        _ => return Err(PyTypeError::new_err(format!("there is no option '{name}' of a socket"))),
    })
}

/// A silent end is asked after so long, and three times in as long again.
fn every(idle: Duration) -> Keepalive {
    Keepalive { idle, interval: idle / 3, count: 3 }
}

fn seconds(value: &Bound<'_, PyAny>) -> PyResult<Option<Duration>> {
    let seconds: Option<f64> = value.extract()?;
    let time = seconds.map(Duration::try_from_secs_f64).transpose();
    time.map_err(|error| PyValueError::new_err(error.to_string()))
}

fn source(value: &Bound<'_, PyAny>) -> PyResult<SocketAddr> {
    let text: String = value.extract()?;
    text.parse().map_err(|_| {
        let wrong = Error::new(Kind::ConfigInvalid, format!("`{text}` is no address to connect from"));
        raised(value.py(), &wrong.with_help("write it as `192.0.2.1:0` or `[2001:db8::1]:0`"))
    })
}
