//! The keys of shared dicts: what Python takes for equal has the same bytes.

use crate::{pickle, plain};
use anyplace::Result;
use anyplace::share::Item;
use anyplace::work::{Encoding, Payload, PayloadRef};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyTuple};

/// A key as bytes: one that says how they are encoded, then those.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    /// # Errors
    /// `TypeError` for what cannot be a key of a dict, `NotSerializable` for what cannot travel.
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut bytes = vec![Encoding::Plain as u8];
        if object.is_exact_instance_of::<pyo3::types::PyString>() && plain::dump(object, &mut bytes) {
            return Ok(Self(bytes));
        }
        object.hash()?;
        let object = canonical(object)?;
        if !plain::dump(&object, &mut bytes) {
            bytes = vec![Encoding::Pickle as u8];
            bytes.extend_from_slice(pickled(&object)?.as_bytes());
        }
        Ok(Self(bytes))
    }

    /// The key again.
    pub(crate) fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (encoding, bytes) = self.parts();
        pickle::load(py, PayloadRef { encoding, bytes, buffers: &[] })
    }

    fn parts(&self) -> (Encoding, &[u8]) {
        let encoding = Encoding::from_number(self.0[0]).unwrap_or(Encoding::Plain);
        (encoding, &self.0[1..])
    }
}

impl Item for Key {
    fn pack(&self) -> Result<Payload> {
        let (encoding, bytes) = self.parts();
        Ok(Payload::new(encoding, bytes))
    }

    fn unpack(payload: Payload) -> Result<Self> {
        let mut bytes = vec![payload.encoding as u8];
        bytes.extend_from_slice(&payload.bytes);
        Ok(Self(bytes))
    }
}

/// The whole number that Python takes a truth value or a float for, also inside of tuples; anything else as it is.
fn canonical<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    if let Ok(truth) = object.cast_exact::<PyBool>() {
        return Ok(PyInt::new(py, i64::from(truth.is_true())).into_any());
    }
    if let Ok(number) = object.cast_exact::<PyFloat>() {
        let is_whole = number.value().fract() == 0.0;
        return if is_whole { number.call_method0(intern!(py, "__int__")) } else { Ok(object.clone()) };
    }
    match object.cast_exact::<PyTuple>() {
        Ok(values) => {
            let parts: Vec<_> = values.iter().map(|value| canonical(&value)).collect::<PyResult<_>>()?;
            PyTuple::new(py, parts).map(Bound::into_any)
        }
        Err(_) => Ok(object.clone()),
    }
}

fn pickled<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let py = object.py();
    let module = py.import(intern!(py, "anyplace._pickling"))?;
    Ok(module.getattr(intern!(py, "dump_key"))?.call1((object,))?.cast_into()?)
}
