//! What comes first in a priority queue: numbers by their size, texts and bytes by how they begin.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyFloat, PyInt, PyString, PyTuple};

/// A number that is less where Python's comparison of the items, or of the first parts of tuples, says less.
///
/// Numbers are compared as floats, and texts by their first eight bytes; what is equal then comes in the order in which
/// it was put.
pub(crate) fn rank(item: &Bound<'_, PyAny>) -> PyResult<i64> {
    if let Ok(parts) = item.cast::<PyTuple>()
        && let Ok(first) = parts.get_item(0)
    {
        return rank(&first);
    }
    if item.is_instance_of::<PyInt>() || item.is_instance_of::<PyFloat>() {
        return Ok(of_number(item.extract()?));
    }
    if let Ok(text) = item.cast::<PyString>() {
        return Ok(of_bytes(text.to_str()?.as_bytes()));
    }
    if let Ok(bytes) = item.cast::<PyBytes>() {
        return Ok(of_bytes(bytes.as_bytes()));
    }
    let kind = item.get_type().fully_qualified_name()?;
    let message =
        format!("a priority queue orders numbers, texts and tuples that begin with one, not `{kind}`");
    Err(PyTypeError::new_err(message))
}

/// The bits of a float in the order of floats.
fn of_number(number: f64) -> i64 {
    // Both zeros are equal.
    let bits = (number + 0.0).to_bits().cast_signed();
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

fn of_bytes(bytes: &[u8]) -> i64 {
    let mut first = [0; 8];
    let length = bytes.len().min(8);
    first[..length].copy_from_slice(&bytes[..length]);
    (u64::from_be_bytes(first) ^ 1 << 63).cast_signed()
}
