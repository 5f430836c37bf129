//! Until when Python's callers wait.

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
    #[inline]
    pub(crate) fn new(block: Truth, timeout: Option<f64>) -> Self {
        match timeout {
            _ if !block.0 => Self::Now,
            None => Self::Never,
            Some(seconds) if seconds <= 0.0 => Self::Now,
            // A time that no clock reaches has no end.
            Some(seconds) => Duration::try_from_secs_f64(seconds)
                .ok()
                .and_then(|limit| Instant::now().checked_add(limit))
                .map_or(Self::Never, Self::Until),
        }
    }
}
