//! What becomes of a place's tasks, as numbers for a callback.

use crate::gil;
use anyplace::layers::{Counts as EngineCounts, Progress};
use pyo3::prelude::*;

/// How many items of a place are where; a ``progress`` callback is given it.
#[pyclass(frozen, eq, module = "anyplace")]
#[derive(PartialEq)]
pub(crate) struct Counts(EngineCounts);

#[pymethods]
impl Counts {
    /// How many were given to the place.
    #[getter]
    fn submitted(&self) -> u64 {
        self.0.submitted
    }

    /// How many were begun by a worker.
    #[getter]
    fn started(&self) -> u64 {
        self.0.started
    }

    /// How many attempts came after the first ones.
    #[getter]
    fn retried(&self) -> u64 {
        self.0.retried
    }

    /// How many returned. Items that travelled together in this process all count here; each tells its own failure.
    #[getter]
    fn returned(&self) -> u64 {
        self.0.returned
    }

    /// How many failed, or took too long.
    #[getter]
    fn failed(&self) -> u64 {
        self.0.failed
    }

    /// How many were ended on request.
    #[getter]
    fn cancelled(&self) -> u64 {
        self.0.cancelled
    }

    /// How many were lost with their worker or their place.
    #[getter]
    fn lost(&self) -> u64 {
        self.0.lost
    }

    /// How many ended, in whichever way.
    #[getter]
    fn ended(&self) -> u64 {
        self.0.ended()
    }

    /// The seconds since the first was submitted.
    #[getter]
    fn elapsed(&self) -> f64 {
        self.0.elapsed.as_secs_f64()
    }

    /// How many ended per second so far.
    #[getter]
    fn rate(&self) -> f64 {
        self.0.rate()
    }

    fn __repr__(&self) -> String {
        format!(
            "<anyplace.Counts {} of {} ended, {} failed>",
            self.0.ended(),
            self.0.submitted,
            self.0.failed
        )
    }
}

/// The layer that calls `callback` with the [`Counts`].
pub(crate) fn layer(callback: Py<PyAny>) -> Progress {
    Progress::new(move |counts| {
        gil::with(|py| {
            if let Err(error) = callback.call1(py, (Counts(*counts),)) {
                error.write_unraisable(py, Some(callback.bind(py)));
            }
        });
    })
}
