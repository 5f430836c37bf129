//! The owner's end of a server.

use super::handler::Handler;
use crate::making::Making;
use crate::net::options;
use crate::place::Place;
use crate::{door, error, gil};
use anyplace::serve::{Limits, Serving};
use anyplace::{Error, Kind};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::time::{Duration, Instant};

/// The part of ``anyplace.Server`` that the engine does.
#[pyclass(subclass, frozen, module = "anyplace._core", weakref)]
pub(crate) struct Server(Option<anyplace::serve::Server>);

/// What is taken of clients: connections, bytes of a request, seconds of silence, of a request's arrival, of a connection.
type Taken = (usize, usize, Option<f64>, Option<f64>, Option<f64>);

#[pymethods]
impl Server {
    #[new]
    #[pyo3(signature = (address, handler, place, *, is_async, requests, ends, greets, limits, on_error, **keywords))]
    #[allow(clippy::too_many_arguments, reason = "these are what `anyplace.serve` takes")]
    fn new(
        py: Python<'_>,
        address: &str,
        handler: Py<PyAny>,
        place: &Bound<'_, Place>,
        is_async: bool,
        requests: bool,
        ends: Option<Vec<u8>>,
        greets: bool,
        limits: Taken,
        on_error: Py<PyAny>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let options = options(keywords)?;
        let place = place.get();
        let making = place.making().clone();
        check(&making, is_async).map_err(|error| error::to_python(py, &error))?;
        let handler = Handler::new(making, handler);
        let mut serving = match requests {
            true => Serving::of_requests(handler),
            false => Serving::of_connections(handler),
        };
        if let Some(ends) = ends {
            serving = serving.ending_with(ends).map_err(|error| error::to_python(py, &error))?;
        }
        if greets {
            serving = serving.greeting();
        }
        let serving = serving.limits(taken(limits)?).on_error(move |failed| tell(&on_error, &failed));
        let place = place.engine().clone();
        let server = door::pass(py, || serving.at_with(address, &options, &place));
        server.map(|server| Self(Some(server))).map_err(|error| error::to_python(py, &error))
    }

    /// Where it listens, with the port that it was given.
    #[getter]
    fn address(&self) -> String {
        self.engine().endpoint().to_string()
    }

    /// How many connections are open.
    #[getter]
    fn connections(&self) -> usize {
        self.engine().connections()
    }

    /// Whether it takes no more connections.
    #[getter]
    fn stopping(&self) -> bool {
        self.engine().is_stopping()
    }

    /// Begins to stop: see ``stop`` of the Python part.
    fn _begin_stop(&self, py: Python<'_>, grace: f64) -> PyResult<()> {
        let grace = Duration::try_from_secs_f64(grace).or_else(|error| match grace > 0.0 {
            // Longer than any clock counts.
            true => Ok(Duration::MAX),
            false => Err(PyValueError::new_err(format!("grace must be a number of seconds: {error}"))),
        })?;
        door::pass(py, || self.engine().begin_stop(grace));
        Ok(())
    }

    /// Waits until it has stopped; false if the seconds were over first.
    #[pyo3(signature = (timeout=None))]
    fn _wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let until = timeout.and_then(crate::future::deadline);
        let mut ended = None;
        door::wait(py, until, |until| {
            ended = self.engine().wait(Some(until));
            ended.is_some()
        })?;
        match ended {
            None => Ok(false),
            Some(Ok(())) => Ok(true),
            Some(Err(error)) => Err(error::to_python(py, &error)),
        }
    }
}

impl Server {
    fn engine(&self) -> &anyplace::serve::Server {
        self.0.as_ref().expect("it goes with this object alone")
    }
}

impl Drop for Server {
    /// Nobody can stop it any more: it is ended by a thread of its own, since a collector must not wait.
    fn drop(&mut self) {
        let server = self.0.take().filter(|server| server.wait(Some(Instant::now())).is_none());
        if let Some(server) = server {
            server.begin_stop(Duration::ZERO);
            // Without a thread it is waited for here.
            drop(std::thread::Builder::new().name("anyplace-stop".into()).spawn(move || drop(server)));
        }
    }
}

/// Hands an error to who hears of them.
fn tell(on_error: &Py<PyAny>, failed: &Error) {
    gil::with(|py| {
        let told = error::to_python(py, failed).into_value(py);
        if let Err(raised) = on_error.call1(py, (told,)) {
            raised.write_unraisable(py, Some(on_error.bind(py)));
        }
    });
}

fn check(making: &Making, is_async: bool) -> anyplace::Result<()> {
    let (message, help) = match (making, is_async) {
        (Making::Coroutines(_), false) => {
            ("an event loop does not run plain handlers: one would stop all others", "make it `async def`")
        }
        (Making::Closures(_) | Making::Pickles(_), true) => {
            ("an `async` handler needs an event loop", "serve on `async:`, or make it a plain function")
        }
        (Making::Handed(_), _) => {
            ("an executor that was wrapped does not serve connections", "serve on `threads:`")
        }
        _ => return Ok(()),
    };
    Err(Error::new(Kind::Unsupported, message).during("serve").with_help(help))
}

fn taken((connections, request, idle, arrival, longest): Taken) -> PyResult<Limits> {
    let mut limits = Limits::default();
    if connections == 0 {
        return Err(PyValueError::new_err("a server needs room for at least one connection"));
    }
    (limits.connections, limits.request) = (connections, request);
    (limits.idle, limits.arrival, limits.longest) = (time(idle)?, time(arrival)?, time(longest)?);
    Ok(limits)
}

fn time(seconds: Option<f64>) -> PyResult<Option<Duration>> {
    let Some(seconds) = seconds else { return Ok(None) };
    let time = Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero());
    time.map(Some).ok_or_else(|| PyValueError::new_err("a limit of time must be a number of seconds above 0"))
}
