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
    /// A plain value of a few bytes: so many of these.
    Short(u8, [u8; SHORT]),
}

/// What a queue between processes has room for without a detour.
const SHORT: usize = 48;

impl PyItem {
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> Self {
        Self::Object(Arc::new(object.clone().unbind()))
    }

    /// The object. Large arrays lie where they were put.
    pub(crate) fn object(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        match self {
            Self::Object(object) => Ok(object.bind(py).clone()),
            Self::Packed(payload) => pickle::load(py, payload.as_ref()),
            Self::Short(length, bytes) => plain::load(py, &bytes[..usize::from(length)]),
        }
    }
}

impl Item for PyItem {
    fn pack(&self) -> Result<Payload> {
        match self {
            Self::Packed(payload) => Ok(payload.clone()),
            Self::Short(length, bytes) => Ok(Payload::new(Encoding::Plain, &bytes[..usize::from(*length)])),
            Self::Object(object) => gil::with(|py| pack(object.bind(py)))
                .unwrap_or_else(|| Err(Error::new(Kind::WorkerLost, "the interpreter ended"))),
        }
    }

    fn unpack(payload: Payload) -> Result<Self> {
        Ok(Self::Packed(payload))
    }

    fn pack_short(&self, out: &mut Vec<u8>) -> Option<Encoding> {
        let Self::Object(object) = self else { return None };
        gil::with(|py| match plain::number(object.bind(py)) {
            Some(number) => {
                out.extend_from_slice(&number);
                Some(Encoding::Plain)
            }
            None => plain::dump(object.bind(py), out).then_some(Encoding::Plain),
        })?
    }

    fn unpack_short(encoding: Encoding, bytes: &[u8]) -> Option<Self> {
        if encoding != Encoding::Plain || bytes.len() > SHORT {
            return None;
        }
        let mut short = [0; SHORT];
        short[..bytes.len()].copy_from_slice(bytes);
        Some(Self::Short(u8::try_from(bytes.len()).ok()?, short))
    }
}

/// An object as bytes. Its large parts stay where they are: they are about to be written where they will be read.
fn pack(object: &Bound<'_, PyAny>) -> Result<Payload> {
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
