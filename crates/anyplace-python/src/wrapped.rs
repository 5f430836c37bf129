//! Any `concurrent.futures.Executor` as a place: pools, clusters and services of others.
//!
//! At most as many calls as it has workers are with the executor; the others wait here, where they can be cancelled.
//! That is what an `async:` place does with futures, so its driver does it, under another address.

use crate::coroutine::Finish;
use crate::{error, gil};
use anyplace::work::{Abort, Call, Future, Spawn, Work};
use anyplace::{Address, Context, Done, Driver, Limits, Registry, Result, Tasks};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use std::sync::Arc;
use std::time::Duration;

/// A driver for an executor that is called `name` and runs `workers` calls at once.
pub(crate) fn driver(name: &str, workers: usize) -> Result<Arc<dyn Driver>> {
    let registry = Registry::standard();
    let turns = registry.entries().iter().find(|entry| entry.scheme == "async");
    let turns = turns.ok_or_else(|| anyplace::Error::config("this build has no `async:` places"))?;
    let inner = (turns.open)(&format!("async:{workers}").parse()?, registry.setup())?;
    Ok(Arc::new(Wrapped { address: format!("executor:{name}").parse()?, inner }))
}

#[derive(Debug)]
struct Wrapped {
    address: Address,
    inner: Arc<dyn Driver>,
}

impl Driver for Wrapped {
    fn address(&self) -> &Address {
        &self.address
    }

    fn limits(&self) -> Limits {
        Limits { can_kill: false, ..self.inner.limits() }
    }

    fn tasks(&self) -> Result<Arc<dyn Tasks>> {
        self.inner.tasks()
    }

    fn cancel(&self) {
        self.inner.cancel();
    }

    fn close(&self, grace: Duration) -> Result<()> {
        self.inner.close(grace)
    }
}

/// A call that an executor does. `arguments` begin with the callable.
pub(crate) struct Handed {
    pub(crate) executor: Py<PyAny>,
    pub(crate) arguments: Py<PyTuple>,
    pub(crate) keywords: Option<Py<PyDict>>,
}

impl Handed {
    pub(crate) fn work(self) -> Work {
        Work::Call(Call::Future(Box::new(self)))
    }

    fn submit<'py>(&self, py: Python<'py>, context: Context) -> PyResult<Bound<'py, PyAny>> {
        static CALL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let anyplace::Context { task, index, attempt, worker, workers, root_seed } = context;
        let call = CALL.import(py, "anyplace._core", "_call_as")?;
        let numbers = (task, index, attempt, worker, workers, root_seed);
        let first = (call, numbers).into_pyobject(py)?;
        let all = first.as_sequence().concat(self.arguments.bind(py).as_sequence())?.to_tuple()?;
        let keywords = self.keywords.as_ref().map(|keywords| keywords.bind(py));
        self.executor.bind(py).getattr("submit")?.call(all, keywords)
    }

    fn begin(&self, py: Python<'_>, context: Context, done: Done) -> Option<Py<PyAny>> {
        let future = match self.submit(py, context) {
            Ok(future) => future,
            Err(error) => {
                done.call(error::raised(py, error, context.attempt));
                return None;
            }
        };
        let finish = Py::new(py, Finish::new(done, context.attempt));
        let watched = finish.and_then(|finish| future.call_method1("add_done_callback", (finish,)));
        watched.map_or_else(|error| error.write_unraisable(py, None), drop);
        Some(future.unbind())
    }
}

impl Future for Handed {
    fn start(self: Box<Self>, context: Context, _: &dyn Spawn, done: Done) -> Abort {
        let future = gil::with(|py| self.begin(py, context, done)).flatten();
        Box::new(move || {
            gil::with(|py| {
                let cancelled =
                    future.as_ref().map_or(Ok(()), |future| future.call_method0(py, "cancel").map(drop));
                cancelled.unwrap_or_else(|error| error.write_unraisable(py, None));
            });
        })
    }

    fn again(&self) -> Option<Box<dyn Future>> {
        gil::with(|py| -> Box<dyn Future> {
            Box::new(Self {
                executor: self.executor.clone_ref(py),
                arguments: self.arguments.clone_ref(py),
                keywords: self.keywords.as_ref().map(|keywords| keywords.clone_ref(py)),
            })
        })
    }
}

/// Calls `fn` as the task with these numbers, wherever the executor runs it.
#[pyfunction]
#[pyo3(signature = (numbers, r#fn, /, *args, **kwargs))]
pub(crate) fn _call_as(
    numbers: (u64, u64, u32, usize, usize, u64),
    r#fn: &Bound<'_, PyAny>,
    args: &Bound<'_, PyTuple>,
    kwargs: Option<&Bound<'_, PyDict>>,
) -> PyResult<Py<PyAny>> {
    let (task, index, attempt, worker, workers, root_seed) = numbers;
    let context = Context { task, index, attempt, worker, workers, root_seed };
    context.enter(|| r#fn.call(args, kwargs)).map(Bound::unbind)
}
