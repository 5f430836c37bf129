//! How calls of streams wait: threads by the one door, coroutines by their loop, which asks for steps that do not wait.

use crate::{door, error};
use anyplace::share::Wait;
use anyplace::{Error, Kind, Result};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::time::{Duration, Instant};

/// How long a call waits.
#[derive(Clone, Copy)]
pub(super) enum Limit {
    /// Not at all: it is a step.
    Now,
    /// Until then; nothing is for ever.
    By(Option<Instant>),
}

impl Limit {
    /// So many seconds from now on; None is for as long as it takes.
    pub(super) fn of(timeout: Option<f64>) -> PyResult<Self> {
        let Some(seconds) = timeout else { return Ok(Self::By(None)) };
        if seconds.is_nan() {
            return Err(PyValueError::new_err("Invalid value NaN (not a number)"));
        }
        let limit = Duration::try_from_secs_f64(seconds.max(0.0)).ok();
        Ok(Self::By(limit.and_then(|limit| Instant::now().checked_add(limit))))
    }
}

/// What an operation gives; nothing if the limit came first. Who has not to wait keeps the interpreter's lock.
pub(super) fn given<W: Wait>(py: Python<'_>, mut waiting: W, limit: Limit) -> PyResult<Option<W::Given>>
where
    W::Given: Send,
{
    let Limit::By(deadline) = limit else {
        return waiting.look().map_err(|error| raised(py, &error));
    };
    let begun = waiting.until(Some(Instant::now())).map_err(|error| raised(py, &error))?;
    if begun.is_some() {
        return Ok(begun);
    }
    let until = |waiting: &mut W, until| waiting.until(Some(until)).transpose();
    let ended = door::attend(py, deadline, &mut waiting, until, |_| ())?;
    ended.transpose().map_err(|error| raised(py, &error))
}

/// As [`given`], where the limit is an error.
pub(super) fn in_time<W: Wait>(
    py: Python<'_>,
    waiting: W,
    timeout: Option<f64>,
    what: impl FnOnce() -> String,
) -> PyResult<W::Given>
where
    W::Given: Send,
{
    given(py, waiting, Limit::of(timeout)?)?.ok_or_else(|| late(py, &what()))
}

/// The error of who would not wait any longer.
#[cold]
pub(super) fn late(py: Python<'_>, what: &str) -> PyErr {
    let late = Error::new(Kind::Timeout, format!("cannot {what}: the time given was over"));
    raised(py, &late.with_help("give it more time, or look at the other end"))
}

#[cold]
pub(super) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    error::to_python(py, error)
}

pub(super) fn told<R>(py: Python<'_>, result: Result<R>) -> PyResult<R> {
    result.map_err(|error| raised(py, &error))
}
