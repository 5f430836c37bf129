//! Python's plain values as bytes and back, without a call of Python: None, bool, int, float, str, bytes, and tuples
//! of them.
//!
//! Exact types only: what a subclass means is for pickle to say. So is an int of more than 64 bits, a str that is
//! not text (lone surrogates), and what is long.

use anyplace::work::plain::{self, DEEPEST, NULL, NUMBER, Reader, Token, write};
use pyo3::PyTypeInfo;
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyString, PyTuple};
use std::ffi::c_int;

/// Longer texts and bytes are pickled, so that they can stay where they are put.
const LONG: usize = 32 << 10;

/// A value as it is written, if it is a number: what most maps are about.
#[inline]
pub(crate) fn number(value: &Bound<'_, PyAny>) -> Option<[u8; NUMBER]> {
    if is::<PyInt>(value) {
        return integer(value).map(plain::integer);
    }
    is::<PyFloat>(value).then(|| plain::float(float(value)))
}

/// Appends the value to `out`; `false`, and `out` as it was, if it is not plain.
pub(crate) fn dump(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> bool {
    dump_all(out, |out| dump_value(value, out, 0))
}

/// As [`dump`], for the tuple of `values`.
pub(crate) fn dump_tuple<'py>(
    values: impl ExactSizeIterator<Item = Bound<'py, PyAny>>,
    out: &mut Vec<u8>,
) -> bool {
    dump_all(out, |out| dump_values(values, out, 1))
}

fn dump_all(out: &mut Vec<u8>, dump: impl FnOnce(&mut Vec<u8>) -> Option<()>) -> bool {
    let before = out.len();
    let is_plain = dump(out).is_some();
    if !is_plain {
        out.truncate(before);
    }
    is_plain
}

fn dump_value(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) -> Option<()> {
    if is::<PyInt>(value) {
        write(out, Token::Integer(integer(value)?));
    } else if is::<PyFloat>(value) {
        write(out, Token::Float(float(value)));
    } else if let Ok(text) = value.cast_exact::<PyString>() {
        write(out, Token::Text(text.to_str().ok().filter(|text| text.len() < LONG)?));
    } else if let Ok(values) = value.cast_exact::<PyTuple>() {
        return dump_values(values.iter(), out, depth + 1);
    } else if value.is_none() {
        write(out, Token::Null);
    } else if let Ok(value) = value.cast_exact::<PyBool>() {
        write(out, Token::Bool(value.is_true()));
    } else {
        let bytes = value.cast_exact::<PyBytes>().ok()?.as_bytes();
        write(out, Token::Bytes(Some(bytes).filter(|bytes| bytes.len() < LONG)?));
    }
    Some(())
}

fn dump_values<'py>(
    values: impl ExactSizeIterator<Item = Bound<'py, PyAny>>,
    out: &mut Vec<u8>,
    depth: usize,
) -> Option<()> {
    let count = u32::try_from(values.len()).ok().filter(|_| depth <= DEEPEST)?;
    write(out, Token::Tuple(count));
    for value in values {
        dump_value(&value, out, depth)?;
    }
    Some(())
}

/// Whether it is exactly a `T`: looks at its type only, without holding it.
#[inline]
fn is<T: PyTypeInfo>(value: &Bound<'_, PyAny>) -> bool {
    // SAFETY: it is an object, which has a type.
    unsafe { ffi::Py_TYPE(value.as_ptr()) == T::type_object_raw(value.py()) }
}

#[inline]
fn float(value: &Bound<'_, PyAny>) -> f64 {
    // SAFETY: it is a float, of which this reads the number.
    unsafe { ffi::PyFloat_AsDouble(value.as_ptr()) }
}

#[inline]
fn integer(value: &Bound<'_, PyAny>) -> Option<i64> {
    let mut overflow: c_int = 0;
    // SAFETY: it is an int, so nothing is raised: `overflow` says if it is too large.
    let number = unsafe { ffi::PyLong_AsLongLongAndOverflow(value.as_ptr(), &raw mut overflow) };
    (overflow == 0).then_some(number)
}

/// The value that was dumped.
#[inline]
pub(crate) fn load<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    match plain::number(bytes) {
        Some(number) => make(py, number),
        None if bytes == NULL => Ok(py.None().into_bound(py)),
        None => load_any(py, bytes),
    }
}

fn load_any<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let mut reader = Reader::new(bytes);
    let value = load_value(py, &mut reader, 0)?;
    reader.next().map_or(Ok(value), |_| Err(not_plain()))
}

fn load_value<'py>(py: Python<'py>, reader: &mut Reader<'_>, depth: usize) -> PyResult<Bound<'py, PyAny>> {
    let token = reader.next().and_then(Result::ok).ok_or_else(not_plain)?;
    match token {
        Token::Tuple(count) => load_tuple(py, reader, count, depth + 1),
        other => make(py, other),
    }
}

#[inline]
fn make<'py>(py: Python<'py>, token: Token<'_>) -> PyResult<Bound<'py, PyAny>> {
    let made = match token {
        Token::Null => return Ok(py.None().into_bound(py)),
        Token::Bool(value) => return Ok(PyBool::new(py, value).to_owned().into_any()),
        Token::Text(text) => return Ok(PyString::new(py, text).into_any()),
        Token::Bytes(bytes) => return Ok(PyBytes::new(py, bytes).into_any()),
        Token::Tuple(_) => return Err(not_plain()),
        // SAFETY: the interpreter's lock is held; this makes a new object.
        Token::Integer(number) => unsafe { ffi::PyLong_FromLongLong(number) },
        // SAFETY: as above.
        Token::Float(number) => unsafe { ffi::PyFloat_FromDouble(number) },
    };
    // SAFETY: each gives a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(py, made) }
}

fn load_tuple<'py>(
    py: Python<'py>,
    reader: &mut Reader<'_>,
    count: u32,
    depth: usize,
) -> PyResult<Bound<'py, PyAny>> {
    if depth > DEEPEST {
        return Err(not_plain());
    }
    // What was announced costs nothing until it is there.
    let values: Vec<_> = (0..count).map(|_| load_value(py, reader, depth)).collect::<PyResult<_>>()?;
    Ok(PyTuple::new(py, values)?.into_any())
}

fn not_plain() -> PyErr {
    PyValueError::new_err("these bytes are no plain value")
}
