//! `block` and `timeout` as the standard library takes them.

use crate::future;
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use std::convert::Infallible;
use std::time::Instant;

/// Any object, for whether it is true.
pub(super) struct Truth(pub(super) PyResult<bool>);

impl<'a, 'py> FromPyObject<'a, 'py> for Truth {
    type Error = Infallible;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> Result<Self, Infallible> {
        Ok(Self(object.is_truthy()))
    }
}

/// How long a call may wait.
#[derive(Clone, Copy)]
pub(super) enum Patience {
    None,
    Until(Instant),
    Endless,
}

impl Patience {
    /// # Errors
    /// `ValueError` if the timeout is negative or no number; it is not looked at unless the call may block.
    #[inline]
    pub(super) fn of(block: Truth, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        match (block.0?, timeout) {
            (false, _) => Ok(Self::None),
            (true, None) => Ok(Self::Endless),
            (true, Some(timeout)) => Self::lasting(timeout),
        }
    }

    #[cold]
    fn lasting(timeout: &Bound<'_, PyAny>) -> PyResult<Self> {
        let seconds = timeout.extract::<f64>()?;
        if seconds.is_nan() {
            return Err(PyValueError::new_err("Invalid value NaN (not a number)"));
        }
        if seconds < 0.0 {
            return Err(PyValueError::new_err("'timeout' must be a non-negative number"));
        }
        // What no clock can hold never comes.
        Ok(future::deadline(seconds).map_or(Self::Endless, Self::Until))
    }

    /// As [`of`](Self::of), but refuses what `threading` refuses, too.
    ///
    /// # Errors
    /// `OverflowError` beyond `threading.TIMEOUT_MAX`.
    #[inline]
    pub(super) fn bounded(block: Truth, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let patience = Self::of(block, timeout)?;
        if let (Self::Endless | Self::Until(_), Some(timeout)) = (patience, timeout) {
            let most = i64::MAX as f64 / 1e9;
            if timeout.extract::<f64>()? >= most {
                return Err(PyOverflowError::new_err("timeout value is too large"));
            }
        }
        Ok(patience)
    }

    pub(super) fn deadline(self) -> Option<Instant> {
        match self {
            Self::Until(deadline) => Some(deadline),
            Self::None | Self::Endless => None,
        }
    }

    pub(super) fn waits(self) -> bool {
        !matches!(self, Self::None)
    }

    /// The arguments for the same call, made now.
    pub(super) fn arguments(self) -> (bool, Option<f64>) {
        let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now()).as_secs_f64();
        (self.waits(), self.deadline().map(left))
    }
}
