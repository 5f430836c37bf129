//! A method of an object elsewhere: called, called without waiting, or one-way.

use super::caller::Caller;
use crate::future::{Class, Future};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::time::Duration;

/// A method of a remote object.
///
/// Calling it waits for the answer; ``submit`` gives a future, which can be awaited; ``send`` waits for nothing.
#[pyclass(frozen, module = "anyplace._core")]
pub(crate) struct Method {
    caller: Caller,
    name: String,
    /// For so long it is waited for.
    limit: Option<Duration>,
}

impl Method {
    pub(super) fn new(caller: Caller, name: String) -> Self {
        Self { caller, name, limit: None }
    }
}

#[pymethods]
impl Method {
    /// Calls the method and waits.
    ///
    /// Parameters
    /// ----------
    /// *args, **kwargs
    ///     What to call it with.
    ///
    /// Returns
    /// -------
    /// object
    ///     What the method returned; if it is a generator, an iterator of what it yields.
    #[pyo3(signature = (*args, **kwargs))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        self.caller.call(py, &self.name, args, kwargs, self.limit)
    }

    /// Gives the same method, to be called within a time.
    ///
    /// The time goes with the call, and with those that the object makes in it: whichever has not begun when it is over
    /// never begins. One that has begun goes on, and nobody hears of it. An object of this process is called as ever.
    ///
    /// Parameters
    /// ----------
    /// seconds : float
    ///     For so long an answer is waited for.
    ///
    /// Returns
    /// -------
    /// Method
    ///     What calls it so: ``proxy.greet.within(2.5)("Bob")`` raises `Timeout` if there is no answer by then.
    fn within(&self, seconds: f64) -> PyResult<Self> {
        let limit = Some(crate::place::limit(seconds)?);
        Ok(Self { caller: self.caller.clone(), name: self.name.clone(), limit })
    }

    /// Calls the method without waiting.
    ///
    /// Parameters
    /// ----------
    /// *args, **kwargs
    ///     What to call it with.
    ///
    /// Returns
    /// -------
    /// Future
    ///     It can be awaited, too.
    #[pyo3(signature = (*args, **kwargs))]
    fn submit<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let handle = self.caller.submit(py, &self.name, args, kwargs, self.limit)?;
        Future::make(Class::get(py)?, py, handle, None)
    }

    /// Calls the method one-way: nobody hears of what became of it.
    ///
    /// Parameters
    /// ----------
    /// *args, **kwargs
    ///     What to call it with.
    #[pyo3(signature = (*args, **kwargs))]
    fn send(
        &self,
        py: Python<'_>,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        self.caller.send(py, &self.name, args, kwargs)
    }

    /// The name of the method.
    #[getter]
    fn __name__(&self) -> &str {
        &self.name
    }

    fn __repr__(&self) -> String {
        format!("<method {} of {}>", self.name, self.caller.class())
    }
}
