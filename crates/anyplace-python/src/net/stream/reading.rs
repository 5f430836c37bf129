//! Reading from a stream: each way gives nothing if the limit comes first.

use super::Stream;
use crate::net::steps::{Limit, given};
use crate::socket::View;
use anyplace::net;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// What is read at once, at most: more is read by the next call.
const MOST: usize = 256 << 10;
/// So few bytes need no memory of their own on their way.
const FEW: usize = 8 << 10;

impl Stream {
    /// What there is; below 0, all that comes before the end.
    pub(super) fn some<'py>(
        &self,
        py: Python<'py>,
        size: isize,
        limit: Limit,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let stream = self.open()?;
        let Ok(size) = usize::try_from(size) else {
            let all = given(py, stream.reading_to_end(usize::MAX), limit)?;
            return Ok(all.map(|all| PyBytes::new(py, &all)));
        };
        let mut room = [0; FEW];
        let read = given(py, stream.reading(&mut room[..size.min(FEW)]), limit)?;
        read.map(|read| all_of(py, &stream, &room[..read], size)).transpose()
    }

    pub(super) fn some_into(&self, buffer: &Bound<'_, PyAny>, limit: Limit) -> PyResult<Option<usize>> {
        let mut view = View::writable(buffer)?;
        given(buffer.py(), self.open()?.reading(view.initialized()), limit)
    }

    pub(super) fn exactly<'py>(
        &self,
        py: Python<'py>,
        size: usize,
        limit: Limit,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let mut room = vec![0; size];
        let read = given(py, self.open()?.reading_exact(&mut room), limit)?;
        Ok(read.map(|()| PyBytes::new(py, &room)))
    }

    pub(super) fn until<'py>(
        &self,
        py: Python<'py>,
        delimiter: &[u8],
        within: usize,
        limit: Limit,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        if delimiter.is_empty() {
            return Err(PyValueError::new_err("an empty delimiter is everywhere"));
        }
        let read = given(py, self.open()?.reading_until(delimiter, within), limit)?;
        Ok(read.map(|read| PyBytes::new(py, &read)))
    }
}

/// What was read, with what is there besides: most often nothing is, and memory for it would cost more than the read.
fn all_of<'py>(
    py: Python<'py>,
    stream: &net::Stream,
    begun: &[u8],
    size: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    if begun.len() < FEW || size <= FEW {
        return Ok(PyBytes::new(py, begun));
    }
    let mut all = vec![0; size.min(MOST)];
    all[..FEW].copy_from_slice(begun);
    // What is wrong with the rest, the next read says.
    let more = given(py, stream.reading(&mut all[FEW..]), Limit::Now).ok().flatten();
    Ok(PyBytes::new(py, &all[..FEW + more.unwrap_or(0)]))
}
