//! What a generator elsewhere yields.

use super::exported::raise;
use crate::door;
use crate::share::Waiting;
use anyplace::serve::objects::Taken;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

/// What a generator elsewhere yields, as it is taken. The generator rests while nobody takes more.
#[pyclass(frozen, module = "anyplace._core")]
pub(crate) struct Values(Arc<Mutex<anyplace::serve::objects::Values>>);

impl Values {
    pub(super) fn new(values: anyplace::serve::objects::Values) -> Self {
        Self(Arc::new(Mutex::new(values)))
    }
}

/// What a future has whose method is a generator.
pub(crate) fn values_of(py: Python<'_>, local: Box<dyn Any + Send>) -> Option<PyResult<Py<PyAny>>> {
    let values = local.downcast::<anyplace::serve::objects::Values>().ok()?;
    Some(Bound::new(py, Values::new(*values)).map(|values| values.into_any().unbind()))
}

#[pymethods]
impl Values {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let take = |_: &mut (), until| {
            let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match values.next_until(Some(until)) {
                Ok(Taken::NotYet) => None,
                taken => Some(taken),
            }
        };
        match door::attend(py, None, &mut (), take, |_| ())? {
            Some(Ok(Taken::Value(value))) => crate::settled::load(py, value.as_ref(), None).map(Some),
            Some(Err(error)) => Err(raise(py, &error)),
            _ => Ok(None),
        }
    }

    fn __aiter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py()
            .import(intern!(slf.py(), "anyplace._objects"))?
            .call_method1(intern!(slf.py(), "taken"), (slf,))
    }

    /// The next value alone in a tuple; None at the end.
    fn _taking(&self) -> Waiting {
        let values = self.0.clone();
        let taking = std::future::poll_fn(move |context| {
            values.lock().unwrap_or_else(PoisonError::into_inner).poll_next(context).map(Ok)
        });
        Waiting::new(taking, |py, value| match value {
            Some(Ok(value)) => {
                let value = crate::settled::load(py, value.as_ref(), None)?;
                Ok(PyTuple::new(py, [value])?.into_any().unbind())
            }
            Some(Err(error)) => Err(raise(py, &error)),
            None => Ok(py.None()),
        })
    }
}
