//! What stands for an object that is elsewhere, or here.

use super::exported::{Exported, helper, raise};
use super::method::Method;
use super::values::Values;
use crate::pickled::dump_both;
use crate::{door, error, gil, pickle, plain};
use anyplace::serve::objects::{Pending, Replied, Verb};
use anyplace::work::{Encoding, Payload};
use anyplace::{Error, Handle, Kind, Outcome, Retry, Value};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyTuple, PyType};
use std::cell::RefCell;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// The part of ``anyplace.Proxy`` that the engine does.
#[pyclass(subclass, frozen, module = "anyplace._core")]
pub(crate) struct Proxy {
    /// Nothing once it has let its object go.
    caller: RwLock<Option<Caller>>,
    class: String,
    number: u128,
}

/// Calls an object, wherever it is.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) proxy: anyplace::Proxy,
    /// The object, if it is here.
    local: Option<Arc<Exported>>,
}

thread_local! {
    /// The proxy that this thread makes Python's of now.
    static MADE: RefCell<Option<anyplace::Proxy>> = const { RefCell::new(None) };
}

#[pymethods]
impl Proxy {
    /// The proxy that bytes stand for which another process has sent.
    #[new]
    #[pyo3(signature = (sent=None))]
    fn new(py: Python<'_>, sent: Option<&[u8]>) -> PyResult<Self> {
        let proxy = match (MADE.take(), sent) {
            (Some(made), None) => made,
            (_, Some(sent)) => {
                py.detach(|| anyplace::Proxy::from_bytes(sent)).map_err(|error| raise(py, &error))?
            }
            (None, None) => return Err(PyTypeError::new_err("places make proxies: `place.create(Class)`")),
        };
        let (class, number) = (proxy.class().to_owned(), proxy.number());
        Ok(Self { caller: RwLock::new(Some(Caller::of(proxy))), class, number })
    }

    /// What calls the method of that name.
    fn _method(&self, py: Python<'_>, name: String) -> PyResult<Method> {
        Ok(Method::new(self.caller(py)?, name))
    }

    /// Lets the object go.
    fn _let_go(&self, py: Python<'_>) {
        let caller = self.caller.write().unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| drop(caller));
    }

    /// The bytes that stand for the object in other processes.
    fn _sent<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let caller = self.caller(py)?;
        let bytes = py.detach(|| caller.proxy.to_bytes()).map_err(|error| raise(py, &error))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// What the class of the object is called.
    #[getter]
    fn _class(&self) -> &str {
        &self.class
    }

    /// A number that is the object's alone.
    #[getter]
    fn _number(&self) -> u128 {
        self.number
    }

    /// The names of its methods.
    fn _methods<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let caller = self.caller(py)?;
        if let Some(local) = &caller.local {
            return Ok(local.methods(py, caller.proxy.reach())?.into_any());
        }
        let nothing = Payload::new(Encoding::Plain, &[0]);
        Ok(caller.ask(py, Verb::Describe, "", &nothing, None)?.into_bound(py))
    }

    /// An attribute of the object, as it is now.
    fn _get(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        let caller = self.caller(py)?;
        if let Some(local) = &caller.local {
            return local.attribute(py, name, caller.proxy.reach()).map(Bound::unbind);
        }
        caller.ask(py, Verb::Get, name, &Payload::new(Encoding::Plain, &[0]), None)
    }

    /// Changes an attribute of the object.
    fn _set(&self, py: Python<'_>, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let caller = self.caller(py)?;
        if let Some(local) = &caller.local {
            return local.set(py, name, value, caller.proxy.reach());
        }
        let arguments = dump_arguments(&PyTuple::new(py, [value])?, None)?;
        caller.ask(py, Verb::Set, name, &arguments, None).map(drop)
    }
}

impl Proxy {
    /// As Python's users see it.
    pub(super) fn make<'py>(py: Python<'py>, proxy: anyplace::Proxy) -> PyResult<Bound<'py, PyAny>> {
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let class = CLASS.import(py, "anyplace._objects", "Proxy")?;
        MADE.set(Some(proxy));
        class.call0()
    }

    pub(super) fn caller(&self, py: Python<'_>) -> PyResult<Caller> {
        let caller = self.caller.read().unwrap_or_else(PoisonError::into_inner);
        caller.clone().ok_or_else(|| raise(py, &let_go(&self.class)))
    }
}

fn let_go(class: &str) -> Error {
    Error::new(Kind::NotFound, format!("this proxy has let its `{class}` go"))
        .with_retry(Retry::Safe)
        .with_help("use it inside its `with` block")
}

impl Caller {
    fn of(proxy: anyplace::Proxy) -> Self {
        let local = proxy.local();
        Self { proxy, local }
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

    fn ask(
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
pub(crate) fn loaded(py: Python<'_>, replied: Replied) -> PyResult<Py<PyAny>> {
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
fn dump_arguments(args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> PyResult<Payload> {
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
