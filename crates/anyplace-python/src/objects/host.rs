//! A worker process that keeps objects.

use super::exported::{Exported, helper};
use crate::gil;
use crate::worker::{Phase, failure};
use anyplace::serve::objects::{Maker, Object, host};
use anyplace::work::PayloadRef;
use anyplace::{Error, Kind, Result};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::Arc;

/// Keeps objects for the process that has started this one, until it wants no more.
#[pyfunction]
pub(crate) fn host_objects(py: Python<'_>, ticket: &[u8]) -> PyResult<()> {
    py.detach(|| host(ticket, Arc::new(Python3))).map_err(|error| crate::error::to_python(py, &error))
}

/// Makes Python objects.
struct Python3;

impl Maker for Python3 {
    fn make(&self, of: PayloadRef<'_>) -> Result<Arc<dyn Object>> {
        let made = gil::with(|py| {
            let make = || {
                let object = helper(py, "make")?.call1((PyBytes::new(py, of.bytes),))?;
                Exported::new(&object)
            };
            make().map_err(|error| failure(py, error, Phase::Call))
        });
        let made = made.unwrap_or_else(|| Err(Error::new(Kind::WorkerLost, "the interpreter ends")));
        Ok(Arc::new(made?))
    }
}
