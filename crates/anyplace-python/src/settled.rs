//! How a task ended, as Python sees it.

use crate::{error, objects, pickle, plain};
use anyplace::work::{Encoding, PayloadRef};
use anyplace::{Item, Items, Outcome, Place, Value};
use pyo3::exceptions::{PyException, PySystemExit};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use std::collections::VecDeque;

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

    /// The ending of a task that stands for one call. What cannot be read breaks a `strict` place.
    pub(crate) fn one(py: Python<'_>, outcome: Outcome, strict: Option<&Place>) -> Self {
        match outcome {
            Outcome::Returned(value) => Self::of(decode(py, value, strict)),
            Outcome::Cancelled(error) => Self::Cancelled(error::to_python(py, &error)),
            Outcome::Failed(error) | Outcome::Lost(error) => Self::Raised(error::to_python(py, &error)),
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

/// The endings of a chunk's calls, one after the other. Those of another process are looked at when they are taken.
pub(crate) enum Endings {
    Here(VecDeque<Settled>),
    Away(Items),
    /// All ended as the chunk did.
    Same(Settled, usize),
}

impl Default for Endings {
    fn default() -> Self {
        Self::Here(VecDeque::new())
    }
}

impl Endings {
    /// Of a task that stands for a chunk of `items`.
    pub(crate) fn of(py: Python<'_>, outcome: Outcome, items: usize, strict: Option<&Place>) -> Self {
        match outcome {
            Outcome::Returned(Value::Items(items)) => Self::Away(items),
            Outcome::Returned(Value::Chunk { results, failed }) => match results.downcast::<Vec<Settled>>() {
                Ok(settled) => Self::Here((*settled).into()),
                Err(results) => {
                    Self::Same(Settled::of(decode(py, Value::Chunk { results, failed }, strict)), items)
                }
            },
            outcome => Self::Same(Settled::one(py, outcome, strict), items),
        }
    }

    /// The next one.
    pub(crate) fn next(&mut self, py: Python<'_>, strict: Option<&Place>) -> Option<PyResult<Py<PyAny>>> {
        match self {
            Self::Here(settled) => settled.pop_front().map(Settled::into_result),
            Self::Away(items) => Some(match items.advance()? {
                Item::Returned(payload) => load(py, payload, strict),
                ended => Err(not_returned(py, ended)),
            }),
            Self::Same(settled, left) => {
                *left = left.checked_sub(1)?;
                Some(settled.clone_ref(py).into_result())
            }
        }
    }
}

#[cold]
fn not_returned(py: Python<'_>, ended: Item<'_>) -> PyErr {
    match ended {
        Item::Returned(_) => unreadable(py),
        Item::Failed(error) | Item::Cancelled(error) | Item::Lost(error) => error::to_python(py, &error),
    }
}

/// The Python object that a value is or stands for.
fn decode(py: Python<'_>, value: Value, strict: Option<&Place>) -> PyResult<Py<PyAny>> {
    match value {
        Value::Local(local) => {
            let values = |local| objects::values_of(py, local).unwrap_or_else(|| Err(unreadable(py)));
            local.downcast::<Py<PyAny>>().map_or_else(values, |value| Ok(*value))
        }
        Value::Encoded(payload) => load(py, payload.as_ref(), strict),
        _ => Err(unreadable(py)),
    }
}

/// What a call in another process returned; if it cannot be read, or reading it exits, only this call fails, but for
/// `strict` places.
#[inline]
pub(crate) fn load(py: Python<'_>, payload: PayloadRef<'_>, strict: Option<&Place>) -> PyResult<Py<PyAny>> {
    match payload.encoding {
        Encoding::Plain => plain::load(py, payload.bytes).map(Bound::unbind),
        Encoding::Pickle => unpickle(py, payload, strict),
        _ => Err(unreadable(py)),
    }
}

fn unpickle(py: Python<'_>, payload: PayloadRef<'_>, strict: Option<&Place>) -> PyResult<Py<PyAny>> {
    pickle::load(py, payload).map(Bound::unbind).map_err(|error| {
        let is_its_own = error.is_instance_of::<PyException>(py) || error.is_instance_of::<PySystemExit>(py);
        if !is_its_own {
            return error;
        }
        let told = told(py, error).unwrap_or_else(|second| second);
        strict.and_then(|place| reject(py, place, &told)).unwrap_or(told)
    })
}

/// What a caller is told of a result that has broken its place.
fn reject(py: Python<'_>, place: &Place, unreadable: &PyErr) -> Option<PyErr> {
    let told = anyplace::Error::new(anyplace::Kind::NotSerializable, unreadable.value(py).to_string());
    let lost = py.detach(|| place.reject(told))?;
    let lost = error::of_anyplace(py, &lost);
    lost.set_cause(py, Some(unreadable.clone_ref(py)));
    Some(lost)
}

fn told(py: Python<'_>, error: PyErr) -> PyResult<PyErr> {
    static TELL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let tell = TELL.import(py, "anyplace._pickling", "unreadable")?;
    Ok(PyErr::from_value(tell.call1((error.into_value(py),))?))
}

fn unreadable(py: Python<'_>) -> PyErr {
    let error =
        anyplace::Error::new(anyplace::Kind::Unexpected, "the place gave a value that is not Python's");
    error::to_python(py, &error.with_help("this is a fault of anyplace; please report it"))
}
