//! Calls of an object: on this thread if it is here, else by the engine.

use super::exported::{Exported, helper, raise};
use super::values::Values;
use crate::pickled::dump_both;
use crate::{door, error, gil, pickle, plain};
use anyplace::serve::objects::{Pending, Replied, Verb};
use anyplace::work::{Encoding, Payload};
use anyplace::{Handle, Outcome, Value};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Calls an object, wherever it is.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) proxy: anyplace::Proxy,
    local: Option<Arc<Exported>>,
}

impl Caller {
    pub(super) fn of(proxy: anyplace::Proxy) -> Self {
        let local = proxy.local();
        Self { proxy, local }
    }

    /// The object, if it is here.
    pub(super) fn local(&self) -> Option<&Exported> {
        self.local.as_deref()
    }

    pub(super) fn class(&self) -> &str {
        self.proxy.class()
    }

    /// Calls a method and waits, for at most `limit` if it is elsewhere.
    pub(super) fn call(
        &self,
        py: Python<'_>,
        name: &str,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
        limit: Option<Duration>,
    ) -> PyResult<Py<PyAny>> {
        if let Some(local) = &self.local {
            return self.call_here(py, local, name, args, kwargs);
        }
        self.ask(py, Verb::Call, name, &dump_arguments(args, kwargs)?, limit)
    }

    fn call_here(
        &self,
        py: Python<'_>,
        local: &Exported,
        name: &str,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let method = local.attribute(py, name, self.proxy.reach())?;
        let result = if self.proxy.is_exclusive() {
            let (method, args) = (method.unbind(), args.clone().unbind());
            let kwargs = kwargs.map(|kwargs| kwargs.clone().unbind());
            gil::without(py, || {
                self.proxy.enter(|| {
                    Python::attach(|py| method.call(py, args, kwargs.as_ref().map(|kwargs| kwargs.bind(py))))
                })
            })?
        } else {
            self.proxy.enter(|| method.call(args, kwargs))?.unbind()
        };
        finished(result.into_bound(py))
    }

    /// Calls a method without waiting.
    pub(super) fn submit(
        &self,
        py: Python<'_>,
        name: &str,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
        limit: Option<Duration>,
    ) -> PyResult<Handle<Value>> {
        let Some(local) = &self.local else {
            let arguments = dump_arguments(args, kwargs)?;
            return Ok(py.detach(|| self.proxy.submit(Verb::Call, name, arguments, end(limit))));
        };
        let method = local.attribute(py, name, self.proxy.reach())?.unbind();
        let args = args.clone().unbind();
        let kwargs = kwargs.map(|kwargs| kwargs.clone().unbind());
        let call = move || {
            let called = gil::with(|py| {
                let kwargs = kwargs.as_ref().map(|kwargs| kwargs.bind(py));
                method
                    .bind(py)
                    .call(args.bind(py), kwargs)
                    .and_then(finished)
                    .map_or_else(|raised| error::raised(py, raised, 1), Outcome::local)
            });
            called.unwrap_or_else(Outcome::cancelled)
        };
        Ok(py.detach(|| self.proxy.spawn(call)))
    }

    /// Calls a method one-way.
    pub(super) fn send(
        &self,
        py: Python<'_>,
        name: &str,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        if self.local.is_some() {
            return self.submit(py, name, args, kwargs, None).map(drop);
        }
        let arguments = dump_arguments(args, kwargs)?;
        py.detach(|| self.proxy.send(name, arguments)).map_err(|error| raise(py, &error))
    }

    pub(super) fn ask(
        &self,
        py: Python<'_>,
        verb: Verb,
        name: &str,
        arguments: &Payload,
        limit: Option<Duration>,
    ) -> PyResult<Py<PyAny>> {
        let until = end(limit);
        let begin = || self.proxy.begin(verb, name, arguments.as_ref(), until);
        let mut pending = gil::without(py, begin).map_err(|error| raise(py, &error))?;
        let wait = |pending: &mut Pending, until| pending.wait_until(Some(until));
        let Some(replied) = door::attend(py, until, &mut pending, wait, |_| ())? else {
            return Err(raise(py, &anyplace::Proxy::not_in_time(name)));
        };
        loaded(py, replied.map_err(|error| raise(py, &error))?)
    }
}

/// When it is over; a time that no clock reaches has no end.
fn end(limit: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(limit?)
}

/// What a call gave, as Python sees it.
fn loaded(py: Python<'_>, replied: Replied) -> PyResult<Py<PyAny>> {
    match replied.stream {
        None => crate::settled::load(py, replied.value.as_ref(), None),
        Some(stream) => Ok(Bound::new(py, Values::new(stream))?.into_any().unbind()),
    }
}

/// Of an `async` method here, what it gives in the end.
fn finished(result: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let is_plain = result.is_none() || result.is_exact_instance_of::<pyo3::types::PyString>();
    if is_plain {
        return Ok(result.unbind());
    }
    helper(result.py(), "finished")?.call1((result,)).map(Bound::unbind)
}

/// Arguments as they travel.
pub(super) fn dump_arguments(
    args: &Bound<'_, PyTuple>,
    kwargs: Option<&Bound<'_, PyDict>>,
) -> PyResult<Payload> {
    let kwargs = kwargs.filter(|kwargs| !kwargs.is_empty());
    let mut bytes = Vec::with_capacity(64);
    if kwargs.is_none() && plain::dump_tuple(args.iter(), &mut bytes) {
        return Ok(Payload::new(Encoding::Plain, bytes));
    }
    let dumped = match kwargs {
        None => pickle::dump(args, "dump_arguments")?,
        Some(kwargs) => dump_both(args, kwargs)?,
    };
    Ok(dumped.payload(None))
}
