//! Python callables as handlers of connections and of requests.

use crate::making::Making;
use crate::net::Handed;
use crate::settled::Settled;
use crate::{error, gil};
use anyplace::net::{Stream, lend};
use anyplace::serve::{Connections, Requests};
use anyplace::work::{Call, Closure, Work};
use anyplace::{Context, Error, Kind, Limits, Outcome, Result, Value};
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyTuple};
use std::sync::Arc;

/// A callable that is given each connection, or each request.
pub(crate) struct Handler(Arc<Callee>);

/// What is called, and how.
struct Callee {
    making: Arc<Making>,
    callable: Py<PyAny>,
}

/// What a handler is given.
trait Argument: Clone + Send + 'static {
    fn bind<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>>;
}

/// A call that is made by the thread that runs it, so that whoever serves the clients needs no interpreter's lock.
struct Later<A> {
    callee: Arc<Callee>,
    argument: A,
}

impl Handler {
    pub(crate) fn new(making: Arc<Making>, callable: Py<PyAny>) -> Self {
        Self(Arc::new(Callee { making, callable }))
    }

    fn call(&self, argument: impl Argument) -> Result<Work> {
        match *self.0.making {
            Making::Closures(_) => {
                Ok(Work::Call(Call::Closure(Box::new(Later { callee: self.0.clone(), argument }))))
            }
            _ => with(|py| self.0.call(py, &argument)),
        }
    }
}

impl Callee {
    fn call(&self, py: Python<'_>, argument: &impl Argument) -> PyResult<Work> {
        let arguments = PyTuple::new(py, [self.callable.bind(py).clone(), argument.bind(py)?])?;
        self.making.one(py, &arguments, None, false)
    }
}

impl<A: Argument> Closure for Later<A> {
    fn run(self: Box<Self>, context: &Context) -> Outcome {
        let made = with(|py| self.callee.call(py, &self.argument));
        drop(self);
        match made {
            Ok(Work::Call(Call::Closure(call))) => call.run(context),
            Ok(_) => unreachable!("a place that runs closures is given them"),
            Err(error) => Outcome::Failed(error),
        }
    }

    fn again(&self) -> Option<Box<dyn Closure>> {
        Some(Box::new(Self { callee: self.callee.clone(), argument: self.argument.clone() }))
    }
}

impl Argument for Vec<u8> {
    fn bind<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyBytes::new(py, self).into_any())
    }
}

impl Argument for Stream {
    /// A stream as Python knows them.
    fn bind<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        CLASS.import(py, "anyplace._net", "Stream")?.call1((Handed::new(self.clone()),))
    }
}

impl Connections for Handler {
    fn work(&self, stream: &Stream, _: &Limits) -> Result<Work> {
        match *self.0.making {
            Making::Pickles(_) => self.call(lend(stream)?.to_vec()),
            _ => self.call(stream.clone()),
        }
    }

    fn took(&self, value: Value) -> Result<()> {
        // The handler returned: what it returned is nobody's. It may be an object, which is dropped with the lock.
        with(|_| {
            drop(value);
            Ok(())
        })
    }
}

impl Requests for Handler {
    fn work(&self, request: Vec<u8>, _: &Limits) -> Result<Work> {
        self.call(request)
    }

    fn answer(&self, value: Value) -> Result<Option<Vec<u8>>> {
        with(|py| {
            let answer = Settled::one(py, Outcome::Returned(value), None).into_result()?.into_bound(py);
            if answer.is_none() {
                return Ok(None);
            }
            match answer.cast::<PyBytes>() {
                Ok(bytes) => Ok(Some(bytes.as_bytes().to_vec())),
                Err(_) => PyBuffer::<u8>::get(&answer)?.to_vec(py).map(Some),
            }
        })
    }
}

/// Runs `work` with the interpreter's lock, and tells what it raised as an error.
fn with<R>(work: impl FnOnce(Python<'_>) -> PyResult<R>) -> Result<R> {
    let done = gil::with(|py| {
        work(py)
            .map_err(|raised| Error::new(Kind::TaskFailed, error::sentence(py, &raised)).with_source(raised))
    });
    done.unwrap_or_else(|| Err(Error::new(Kind::Cancelled, "the interpreter ends")))
}
