//! What each thread of a place does before its first task: the `initializer`.

use crate::error;
use anyplace::{Context, Error, Kind, Retry};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;
use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// `initializer(*initargs)`, once on each thread. When it has failed on one, the place is broken for good.
pub(crate) struct First {
    number: usize,
    function: Py<PyAny>,
    arguments: Py<PyTuple>,
    broken: OnceLock<Error>,
}

static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static DONE: RefCell<HashSet<usize>> = RefCell::default();
}

impl First {
    pub(crate) fn new(function: Py<PyAny>, arguments: Py<PyTuple>) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { number, function, arguments, broken: OnceLock::new() }
    }

    /// Runs the initializer unless it has run on this thread.
    pub(crate) fn ready(&self, py: Python<'_>, context: Context) -> PyResult<()> {
        self.check(py)?;
        if DONE.with_borrow_mut(|done| !done.insert(self.number)) {
            return Ok(());
        }
        self.function.bind(py).call1(self.arguments.bind(py)).map(drop).or_else(|raised| {
            report(py, &raised);
            self.broken.get_or_init(|| broken(py, &raised, context.worker).with_source(raised));
            self.check(py)
        })
    }

    /// The error that broke the place, if it is broken.
    pub(crate) fn check(&self, py: Python<'_>) -> PyResult<()> {
        self.broken.get().map_or(Ok(()), |error| Err(error::of_anyplace(py, error)))
    }
}

fn report(py: Python<'_>, raised: &PyErr) {
    static REPORT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let report = REPORT.import(py, "anyplace._worker", "report");
    if let Err(error) = report.and_then(|report| report.call1((raised.value(py),))) {
        error.write_unraisable(py, None);
    }
}

fn broken(py: Python<'_>, raised: &PyErr, worker: usize) -> Error {
    let message = format!("the initializer failed on worker {worker}: {}", error::sentence(py, raised));
    Error::new(Kind::WorkerLost, message)
        .with_retry(Retry::Safe)
        .with_help("a place is of no use when its initializer fails; correct it and open the place again")
}
