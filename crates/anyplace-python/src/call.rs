//! A Python callable as work of this process: one call, or a chunk of a map.

use crate::first::First;
use crate::item::Item;
use crate::settled::Settled;
use crate::{error, gil};
use anyplace::work::{Call, Closure, Work};
use anyplace::{Context, Error, Kind, Outcome, Retry};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};
use std::sync::Arc;

/// One call. `run` is `contextvars.Context.run` of a copy that the submit made, so `arguments` begin with the callable.
pub(crate) struct One {
    pub(crate) run: Py<PyAny>,
    pub(crate) arguments: Py<PyTuple>,
    pub(crate) keywords: Option<Py<PyDict>>,
    pub(crate) first: Option<Arc<First>>,
}

/// The calls of a chunk, all in one copy of the map's context.
pub(crate) struct Each {
    /// The task is this one item, whose failure is the task's, so that layers that act on items see it.
    pub(crate) single: bool,
    pub(crate) run: Py<PyAny>,
    pub(crate) function: Py<PyAny>,
    pub(crate) items: Vec<Item>,
    pub(crate) first: Option<Arc<First>>,
}

impl One {
    pub(crate) fn work(self) -> Work {
        Work::Call(Call::Closure(Box::new(self)))
    }

    fn call(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let keywords = self.keywords.as_ref().map(|keywords| keywords.bind(py));
        plain(self.run.bind(py).call(self.arguments.bind(py), keywords)?)
    }
}

impl Each {
    pub(crate) fn work(self) -> Work {
        Work::Call(Call::Closure(Box::new(self)))
    }

    fn call(&self, py: Python<'_>, item: &Item) -> PyResult<Py<PyAny>> {
        let (run, function) = (self.run.bind(py), self.function.bind(py));
        plain(match item {
            Item::Single(argument) => run.call1((function, argument))?,
            Item::Several(arguments) => {
                let all = PyTuple::new(py, [function.clone()])?
                    .as_sequence()
                    .concat(arguments.bind(py).as_sequence())?;
                run.call1(all.cast_into::<PyTuple>()?)?
            }
        })
    }
}

impl Closure for One {
    fn run(self: Box<Self>, context: &Context) -> Outcome {
        let body = |py: Python<'_>| {
            let result =
                ready(py, self.first.as_ref(), *context).and_then(|()| context.enter(|| self.call(py)));
            let outcome = match result {
                Ok(value) => Outcome::local(value),
                Err(error) => error::raised(py, error, context.attempt),
            };
            drop(self);
            outcome
        };
        gil::with(body).unwrap_or_else(ended)
    }

    fn again(&self) -> Option<Box<dyn Closure>> {
        gil::with(|py| -> Box<dyn Closure> {
            Box::new(Self {
                run: self.run.clone_ref(py),
                arguments: self.arguments.clone_ref(py),
                keywords: self.keywords.as_ref().map(|keywords| keywords.clone_ref(py)),
                first: self.first.clone(),
            })
        })
    }
}

impl Closure for Each {
    fn run(self: Box<Self>, context: &Context) -> Outcome {
        let body = |py: Python<'_>| {
            if let Err(error) = ready(py, self.first.as_ref(), *context) {
                return error::raised(py, error, context.attempt);
            }
            let at = |(position, item)| {
                let context = context.at(context.index + position);
                Settled::of(context.enter(|| self.call(py, item)))
            };
            let results: Vec<Settled> = (0..).zip(&self.items).map(at).collect();
            let single = self.single;
            drop(self);
            if let ([Settled::Raised(error)], true) = (results.as_slice(), single) {
                return error::raised(py, error.clone_ref(py), context.attempt);
            }
            let failed = results.iter().filter(|result| !matches!(result, Settled::Returned(_))).count();
            Outcome::chunk(results, u32::try_from(failed).unwrap_or(u32::MAX))
        };
        gil::with(body).unwrap_or_else(ended)
    }

    fn again(&self) -> Option<Box<dyn Closure>> {
        gil::with(|py| -> Box<dyn Closure> {
            Box::new(Self {
                single: self.single,
                run: self.run.clone_ref(py),
                function: self.function.clone_ref(py),
                items: self.items.iter().map(|item| item.clone_ref(py)).collect(),
                first: self.first.clone(),
            })
        })
    }
}

/// A coroutine is no result: nobody would ever run it.
pub(crate) fn plain(value: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    static COROUTINE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = value.py();
    if !value.get_type().is(COROUTINE.import(py, "types", "CoroutineType")?) {
        return Ok(value.unbind());
    }
    value.call_method0("close")?;
    let error =
        Error::new(Kind::Unsupported, "an `async` function needs an event loop, and there is none here");
    Err(error::to_python(py, &error.with_help("open `async:1000` for `async` functions")))
}

/// The initializer's error, if there is one and it failed on this thread.
fn ready(py: Python<'_>, first: Option<&Arc<First>>, context: Context) -> PyResult<()> {
    first.map_or(Ok(()), |first| first.ready(py, context))
}

fn ended() -> Outcome {
    let error = Error::new(Kind::WorkerLost, "the interpreter ended before the task could begin");
    Outcome::Lost(error.with_retry(Retry::Safe))
}
