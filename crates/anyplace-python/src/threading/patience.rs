//! How long a call waits, by the rules of `threading`.

use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use std::time::{Duration, Instant};

/// The longest a lock waits, in seconds: what Python's own clock counts to (`threading.TIMEOUT_MAX`).
const LONGEST: f64 = (i64::MAX / 1_000_000_000) as f64;
/// What stands for no limit in a call to a lock.
const FOREVER: f64 = -1.0;

/// How long a call waits.
#[derive(Clone, Copy)]
pub(super) enum Patience {
    /// It tries once.
    Not,
    Until(Instant),
    Forever,
}

impl Patience {
    /// What `lock.acquire(blocking, timeout)` asks for.
    pub(super) fn of_lock(blocking: Option<&Bound<'_, PyAny>>, timeout: Option<f64>) -> PyResult<Self> {
        let timeout = timeout.unwrap_or(FOREVER);
        if !is_blocking(blocking)? {
            return if timeout == FOREVER {
                Ok(Self::Not)
            } else {
                Err(PyValueError::new_err("can't specify a timeout for a non-blocking call"))
            };
        }
        if timeout == FOREVER {
            return Ok(Self::Forever);
        }
        if timeout < 0.0 {
            return Err(PyValueError::new_err("timeout value must be a non-negative number"));
        }
        Self::of_seconds(timeout)
    }

    /// What `semaphore.acquire(blocking, timeout)` asks for.
    pub(super) fn of_semaphore(blocking: Option<&Bound<'_, PyAny>>, timeout: Option<f64>) -> PyResult<Self> {
        match (is_blocking(blocking)?, timeout) {
            (true, timeout) => Self::of_wait(timeout),
            (false, None) => Ok(Self::Not),
            (false, Some(_)) => Err(PyValueError::new_err("can't specify timeout for non-blocking acquire")),
        }
    }

    /// What `wait(timeout)` asks for: less than nothing is nothing.
    pub(super) fn of_wait(timeout: Option<f64>) -> PyResult<Self> {
        timeout.map_or(Ok(Self::Forever), |seconds| Self::of_seconds(seconds.max(0.0)))
    }

    fn of_seconds(seconds: f64) -> PyResult<Self> {
        if seconds.is_nan() {
            return Err(PyValueError::new_err("Invalid value NaN (not a number)"));
        }
        if seconds > LONGEST {
            return Err(PyOverflowError::new_err("timeout value is too large"));
        }
        if seconds == 0.0 {
            return Ok(Self::Not);
        }
        let until = Instant::now().checked_add(Duration::from_secs_f64(seconds));
        Ok(until.map_or(Self::Forever, Self::Until))
    }

    /// When the wait ends, if it ever does.
    pub(super) fn deadline(self) -> Option<Instant> {
        match self {
            Self::Not => Some(Instant::now()),
            Self::Until(deadline) => Some(deadline),
            Self::Forever => None,
        }
    }
}

fn is_blocking(blocking: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
    blocking.map_or(Ok(true), PyAnyMethods::is_truthy)
}
