//! One number.

use super::home::home;
use super::raised::reached;
use super::ticket;
use crate::place::Place;
use anyplace::share::Value;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyTuple};

/// The part of ``anyplace.share.Value`` that the engine does.
#[pyclass(subclass, frozen, weakref, generic, module = "anyplace._core")]
pub(crate) struct SharedValue(Number);

/// A value by the type that it has in Python.
enum Number {
    Bool(Value<bool>),
    Int(Value<i64>),
    Float(Value<f64>),
}

/// Does something with the value, whatever its type; `$made` is what comes of it.
macro_rules! with {
    ($number:expr, $value:ident => $made:expr) => {
        match $number {
            Number::Bool($value) => $made,
            Number::Int($value) => $made,
            Number::Float($value) => $made,
        }
    };
}

#[pymethods]
impl SharedValue {
    #[new]
    #[pyo3(signature = (place=None, name="", first=None, *, _ticket=None))]
    fn new(
        py: Python<'_>,
        place: Option<&Bound<'_, Place>>,
        name: &str,
        first: Option<&Bound<'_, PyAny>>,
        _ticket: Option<&[u8]>,
    ) -> PyResult<Self> {
        let zero = PyInt::new(py, 0).into_any();
        let first = first.unwrap_or(&zero);
        Ok(Self(if first.is_instance_of::<PyBool>() {
            let first = first.extract()?;
            Number::Bool(ticket::or(py, _ticket, || home(place)?.value(name, first))?)
        } else if first.is_instance_of::<PyInt>() {
            let first = first.extract()?;
            Number::Int(ticket::or(py, _ticket, || home(place)?.value(name, first))?)
        } else if first.is_instance_of::<PyFloat>() {
            let first = first.extract()?;
            Number::Float(ticket::or(py, _ticket, || home(place)?.value(name, first))?)
        } else {
            let kind = first.get_type().fully_qualified_name()?;
            return Err(PyTypeError::new_err(format!("a value is a bool, an int or a float, not a {kind}")));
        }))
    }

    /// What it is now.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        with!(&self.0, value => python(py, reached(|| value.get())?))
    }

    #[setter(value)]
    fn set_value(&self, new: &Bound<'_, PyAny>) -> PyResult<()> {
        with!(&self.0, value => {
            let new = new.extract()?;
            reached(|| value.set(new))
        })
    }

    /// Add to it.
    ///
    /// Parameters
    /// ----------
    /// n : int or float, default 1
    ///     How much.
    ///
    /// Returns
    /// -------
    /// int or float
    ///     What it was before.
    #[pyo3(signature = (n=None))]
    fn add<'py>(&self, py: Python<'py>, n: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        match (&self.0, n) {
            (Number::Int(value), None) => python(py, reached(|| value.add(1))?),
            (Number::Float(value), None) => python(py, reached(|| value.add(1.0))?),
            (Number::Bool(value), None) => python(py, reached(|| value.add(true))?),
            (number, Some(n)) => with!(number, value => {
                let n = n.extract()?;
                python(py, reached(|| value.add(n))?)
            }),
        }
    }

    /// Put another number there.
    ///
    /// Parameters
    /// ----------
    /// new : int, float or bool
    ///     The number.
    ///
    /// Returns
    /// -------
    /// int, float or bool
    ///     What it was before.
    fn swap<'py>(&self, new: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        with!(&self.0, value => {
            let to = new.extract()?;
            python(new.py(), reached(|| value.swap(to))?)
        })
    }

    /// Put another number there if it is what one expects.
    ///
    /// Parameters
    /// ----------
    /// expected : int, float or bool
    ///     What it must be.
    /// new : int, float or bool
    ///     What it is to be.
    ///
    /// Returns
    /// -------
    /// bool
    ///     Whether it was.
    fn compare_exchange(&self, expected: &Bound<'_, PyAny>, new: &Bound<'_, PyAny>) -> PyResult<bool> {
        with!(&self.0, value => {
            let (expected, new) = (expected.extract()?, new.extract()?);
            reached(|| value.compare_exchange(expected, new).is_ok())
        })
    }

    /// Its name; empty if it has none.
    #[getter]
    fn name(&self) -> &str {
        with!(&self.0, value => value.name())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        let first = match &slf.get().0 {
            Number::Bool(_) => python(py, false)?,
            Number::Int(_) => python(py, 0)?,
            Number::Float(_) => python(py, 0.0)?,
        };
        let more = PyTuple::new(py, [first])?;
        with!(&slf.get().0, value => ticket::reduce_with(slf, value, Some(more)))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let now = slf.get().value(slf.py())?.repr()?;
        ticket::repr(slf, slf.get().name(), &format!("value={now}"))
    }
}

fn python<'py, T: IntoPyObject<'py>>(py: Python<'py>, value: T) -> PyResult<Bound<'py, PyAny>> {
    value.into_bound_py_any(py)
}
