//! What Python puts into queues, pipes and dicts.

use crate::{gil, pickle, plain};
use anyplace::share::Item;
use anyplace::work::{Encoding, Payload};
use anyplace::{Error, Kind, Result, Retry};
use pyo3::prelude::*;
use std::sync::Arc;

/// An object; or its bytes, until somebody with the interpreter's lock looks at it.
#[derive(Clone)]
pub(crate) enum PyItem {
    /// Held together, so that it is cloned without the interpreter's lock.
    Object(Arc<Py<PyAny>>),
    Packed(Payload),
}

impl PyItem {
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> Self {
        Self::Object(Arc::new(object.clone().unbind()))
    }

    /// The object. Large arrays lie where they were put.
    pub(crate) fn object(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        match self {
            Self::Object(object) => Ok(object.bind(py).clone()),
            Self::Packed(payload) => pickle::load(py, payload.as_ref()),
        }
    }
}

impl Item for PyItem {
    fn pack(&self) -> Result<Payload> {
        match self {
            Self::Packed(payload) => Ok(payload.clone()),
            Self::Object(object) => gil::with(|py| pack(object.bind(py)))
                .unwrap_or_else(|| Err(Error::new(Kind::WorkerLost, "the interpreter ended"))),
        }
    }

    fn unpack(payload: Payload) -> Result<Self> {
        Ok(Self::Packed(payload))
    }
}

/// An object as bytes. Its large parts stay where they are: they are about to be written where they will be read.
fn pack(object: &Bound<'_, PyAny>) -> Result<Payload> {
    if let Some(number) = plain::number(object) {
        return Ok(Payload::new(Encoding::Plain, &number[..]));
    }
    let mut bytes = Vec::with_capacity(64);
    if plain::dump(object, &mut bytes) {
        return Ok(Payload::new(Encoding::Plain, bytes));
    }
    let dumped = pickle::dump(object, "dump_put").map_err(|error| cannot_travel(object.py(), error))?;
    Ok(dumped.lent())
}

/// An error that is the exception that says why.
fn cannot_travel(py: Python<'_>, raised: PyErr) -> Error {
    let told = crate::error::sentence(py, &raised);
    Error::new(Kind::NotSerializable, told).with_retry(Retry::Safe).with_source(raised)
}
