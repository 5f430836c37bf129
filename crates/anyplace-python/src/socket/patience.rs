//! How long the calls of a socket wait, by the rules of Python's `socket`.

use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// How long a call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// It tries once.
    Not,
    /// So long for each wait.
    For(Duration),
    /// So long for all its waits together.
    Until(Instant),
    Forever,
}

impl Patience {
    /// What `settimeout` is given: None, or seconds, which are rounded up.
    pub(super) fn of(timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(timeout) = timeout else { return Ok(Self::Forever) };
        let seconds: f64 = timeout.extract()?;
        if seconds.is_nan() {
            return Err(PyValueError::new_err("Invalid value NaN (not a number)"));
        }
        if seconds < 0.0 {
            return Err(PyValueError::new_err("Timeout value out of range"));
        }
        let nanoseconds = (seconds * 1e9).ceil();
        if nanoseconds >= i64::MAX as f64 {
            return Err(PyOverflowError::new_err("timeout doesn't fit into C timeval"));
        }
        Ok(Self::of_nanoseconds(nanoseconds as i64))
    }

    fn of_nanoseconds(nanoseconds: i64) -> Self {
        match nanoseconds {
            0 => Self::Not,
            ..0 => Self::Forever,
            some => Self::For(Duration::from_nanos(some.unsigned_abs())),
        }
    }

    /// When a wait that begins now is over.
    pub(super) fn deadline(self) -> Option<Instant> {
        match self {
            Self::Not => Some(Instant::now()),
            Self::For(time) => Instant::now().checked_add(time),
            Self::Until(deadline) => Some(deadline),
            Self::Forever => None,
        }
    }

    /// How many milliseconds are left, rounded up; nothing is for ever.
    pub(super) fn milliseconds(self) -> Option<i32> {
        let left = self.deadline()?.saturating_duration_since(Instant::now());
        Some(i32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(i32::MAX))
    }

    /// The same for several waits of one call.
    pub(super) fn in_all(self) -> Self {
        match self {
            Self::For(time) => Instant::now().checked_add(time).map_or(Self::Forever, Self::Until),
            other => other,
        }
    }
}

/// The patience of a socket, which any thread may change.
pub(super) struct Timeout(AtomicI64);

impl Timeout {
    pub(super) const fn forever() -> Self {
        Self(AtomicI64::new(-1))
    }

    pub(super) fn set(&self, patience: Patience) {
        let nanoseconds = match patience {
            Patience::Not => 0,
            Patience::For(time) => i64::try_from(time.as_nanos()).unwrap_or(i64::MAX),
            Patience::Until(_) | Patience::Forever => -1,
        };
        self.0.store(nanoseconds, Ordering::Relaxed);
    }

    pub(super) fn patience(&self) -> Patience {
        Patience::of_nanoseconds(self.0.load(Ordering::Relaxed))
    }

    /// As `gettimeout` tells it.
    pub(super) fn seconds(&self) -> Option<f64> {
        match self.0.load(Ordering::Relaxed) {
            ..0 => None,
            some => Some(some as f64 / 1e9),
        }
    }
}
