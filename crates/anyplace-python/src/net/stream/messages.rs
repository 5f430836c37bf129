//! Messages of a stream. Who gives no time is given nothing where the time is over.

use super::Stream;
use crate::net::steps::{Limit, given};
use crate::share::Waiting;
use pyo3::exceptions::PyEOFError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

impl Stream {
    pub(super) fn sent(&self, py: Python<'_>, message: &[u8], limit: Limit) -> PyResult<Option<()>> {
        given(py, self.open()?.sending(message), limit)
    }

    pub(super) fn sending(&self, message: Vec<u8>) -> PyResult<Waiting> {
        let stream = self.open()?;
        Ok(Waiting::for_true(async move { stream.sending(&message).await }))
    }

    /// The next message, as `read` reads it.
    pub(super) fn came<'py, R>(
        &self,
        py: Python<'py>,
        longest: usize,
        limit: Limit,
        read: impl FnOnce(Python<'py>, &[u8]) -> PyResult<R>,
    ) -> PyResult<Option<R>> {
        match given(py, self.open()?.receiving(longest), limit)? {
            Some(Some(message)) => read(py, &message).map(Some),
            Some(None) => Err(PyEOFError::new_err(format!("`{}` has ended", self.endpoint))),
            None => Ok(None),
        }
    }
}

/// A message as it is.
pub(super) fn bytes<'py>(py: Python<'py>, message: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(py, message))
}
