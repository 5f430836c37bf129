//! How a task ended, as Python sees it.

use crate::{error, pickled};
use anyplace::work::Encoding;
use anyplace::{Outcome, Value};
use pyo3::prelude::*;

/// A value, or what is raised in its stead.
pub(crate) enum Settled {
    /// It returned.
    Returned(Py<PyAny>),
    /// It raised, was lost, or came too late.
    Raised(PyErr),
    /// It was cancelled.
    Cancelled(PyErr),
}

impl Settled {
    pub(crate) fn of(result: PyResult<Py<PyAny>>) -> Self {
        result.map_or_else(Self::Raised, Self::Returned)
    }

    /// The ending of a task that stands for one call.
    pub(crate) fn one(py: Python<'_>, outcome: Outcome) -> Self {
        match outcome {
            Outcome::Returned(value) => Self::of(decode(py, value)),
            Outcome::Cancelled(error) => Self::Cancelled(error::to_python(py, &error)),
            Outcome::Failed(error) | Outcome::Lost(error) => Self::Raised(error::to_python(py, &error)),
        }
    }

    /// The endings of a task that stands for a chunk of `items`.
    pub(crate) fn each(py: Python<'_>, outcome: Outcome, items: usize) -> Vec<Self> {
        match outcome {
            Outcome::Returned(Value::Items(outcomes)) => {
                outcomes.into_outcomes().map(|outcome| Self::one(py, outcome)).collect()
            }
            Outcome::Returned(Value::Chunk { results, failed }) => match results.downcast::<Vec<Self>>() {
                Ok(settled) => *settled,
                Err(results) => vec![Self::of(decode(py, Value::Chunk { results, failed }))],
            },
            outcome if items == 1 => vec![Self::one(py, outcome)],
            outcome => {
                let first = Self::one(py, outcome);
                let others: Vec<Self> = (1..items).map(|_| first.clone_ref(py)).collect();
                std::iter::once(first).chain(others).collect()
            }
        }
    }

    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Returned(value) => Self::Returned(value.clone_ref(py)),
            Self::Raised(error) => Self::Raised(error.clone_ref(py)),
            Self::Cancelled(error) => Self::Cancelled(error.clone_ref(py)),
        }
    }

    pub(crate) fn into_result(self) -> PyResult<Py<PyAny>> {
        match self {
            Self::Returned(value) => Ok(value),
            Self::Raised(error) | Self::Cancelled(error) => Err(error),
        }
    }
}

/// The Python object that a value is or stands for.
fn decode(py: Python<'_>, value: Value) -> PyResult<Py<PyAny>> {
    match value {
        Value::Local(local) => {
            local.downcast::<Py<PyAny>>().map_or_else(|_| Err(unreadable(py)), |value| Ok(*value))
        }
        Value::Encoded(payload) if payload.encoding == Encoding::Pickle => pickled::load(py, &payload.bytes),
        _ => Err(unreadable(py)),
    }
}

fn unreadable(py: Python<'_>) -> PyErr {
    let error =
        anyplace::Error::new(anyplace::Kind::Unexpected, "the place gave a value that is not Python's");
    error::to_python(py, &error.with_help("this is a fault of anyplace; please report it"))
}
