//! What stands for an object that is elsewhere, or here.

use super::caller::{Caller, dump_arguments};
use super::exported::raise;
use super::method::Method;
use anyplace::serve::objects::Verb;
use anyplace::work::{Encoding, Payload};
use anyplace::{Error, Kind, Retry};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyTuple, PyType};
use std::cell::RefCell;
use std::sync::{PoisonError, RwLock};

/// The part of ``anyplace.Proxy`` that the engine does.
#[pyclass(subclass, frozen, module = "anyplace._core")]
pub(crate) struct Proxy {
    /// Nothing once it has let its object go.
    caller: RwLock<Option<Caller>>,
    class: String,
    number: u128,
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
        if let Some(local) = caller.local() {
            return Ok(local.methods(py, caller.proxy.reach())?.into_any());
        }
        let nothing = Payload::new(Encoding::Plain, &[0]);
        Ok(caller.ask(py, Verb::Describe, "", &nothing, None)?.into_bound(py))
    }

    /// An attribute of the object, as it is now.
    fn _get(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        let caller = self.caller(py)?;
        if let Some(local) = caller.local() {
            return local.attribute(py, name, caller.proxy.reach()).map(Bound::unbind);
        }
        caller.ask(py, Verb::Get, name, &Payload::new(Encoding::Plain, &[0]), None)
    }

    /// Changes an attribute of the object.
    fn _set(&self, py: Python<'_>, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let caller = self.caller(py)?;
        if let Some(local) = caller.local() {
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
