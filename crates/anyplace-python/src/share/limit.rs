//! Until when Python's callers wait.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::time::{Duration, Instant};

/// Until when to wait.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    Now,
    Until(Instant),
    Never,
}

/// Anything that Python takes for true or false.
#[derive(Clone, Copy)]
pub(crate) struct Truth(pub(crate) bool);

impl<'py> FromPyObject<'_, 'py> for Truth {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        object.is_truthy().map(Self)
    }
}

impl Limit {
    /// As multiprocessing has it: nothing is for ever, and what is below 0 is now.
    ///
    /// # Errors
    /// `ValueError` for what is no number of seconds, as `threading` has it.
    #[inline]
    pub(crate) fn new(block: Truth, timeout: Option<f64>) -> PyResult<Self> {
        match timeout {
            _ if !block.0 => Ok(Self::Now),
            None => Ok(Self::Never),
            Some(seconds) => Self::lasting(seconds),
        }
    }

    fn lasting(seconds: f64) -> PyResult<Self> {
        if seconds.is_nan() {
            return Err(PyValueError::new_err("Invalid value NaN (not a number)"));
        }
        if seconds <= 0.0 {
            return Ok(Self::Now);
        }
        // A time that no clock reaches has no end.
        let limit = Duration::try_from_secs_f64(seconds).ok();
        let until = limit.and_then(|limit| Instant::now().checked_add(limit));
        Ok(until.map_or(Self::Never, Self::Until))
    }
}
