//! A coroutine as work: it runs on the place's event loop, which has a thread of its own (`_loop.py`).
//!
//! Calls from other threads are collected: the first of a burst wakes the loop, the others find it awake.

use crate::{context, error, gil};
use anyplace::work::{Abort, Call, Future, Spawn, Work};
use anyplace::{Context, Done, Error, Kind, Outcome, Retry};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A place's event loop; it and its thread start with the first coroutine.
pub(crate) struct EventLoop {
    python: PyOnceLock<Py<PyAny>>,
    waiting: Mutex<VecDeque<Waiting>>,
    awake: AtomicBool,
}

/// A coroutine that the loop has not begun.
struct Waiting {
    coroutine: Coroutine,
    number: Context,
    done: Done,
    progress: Arc<Mutex<Progress>>,
}

/// How far a coroutine is, for whoever wants to end it.
enum Progress {
    Waiting,
    Unwanted,
    Running(Py<PyAny>),
}

/// A call of an `async` function. `arguments` begin with the function.
pub(crate) struct Coroutine {
    pub(crate) events: Arc<EventLoop>,
    pub(crate) context: Py<PyAny>,
    pub(crate) arguments: Py<PyTuple>,
    pub(crate) keywords: Option<Py<PyDict>>,
}

impl Coroutine {
    pub(crate) fn work(self) -> Work {
        Work::Call(Call::Future(Box::new(self)))
    }

    /// Makes the loop's task.
    fn begin<'py>(
        &self,
        py: Python<'py>,
        events: &Bound<'py, PyAny>,
        number: Context,
    ) -> PyResult<Bound<'py, PyAny>> {
        let context = self.context.bind(py);
        let current = Py::new(py, context::Context::new(number))?;
        context.call_method1("run", (context::variable(py)?.getattr("set")?, current))?;
        let keywords = self.keywords.as_ref().map(|keywords| keywords.bind(py));
        let coroutine = context.getattr("run")?.call(self.arguments.bind(py), keywords)?;
        events.call_method1("begin", (coroutine, context))
    }
}

impl Future for Coroutine {
    fn start(self: Box<Self>, context: Context, _: &dyn Spawn, done: Done) -> Abort {
        let events = self.events.clone();
        let progress = Arc::new(Mutex::new(Progress::Waiting));
        let waiting = Waiting { coroutine: *self, number: context, done, progress: progress.clone() };
        lock(&events.waiting).push_back(waiting);
        gil::with(|py| events.wake(py));
        Box::new(move || {
            gil::with(|py| end(py, &events, &progress));
        })
    }

    fn again(&self) -> Option<Box<dyn Future>> {
        gil::with(|py| -> PyResult<Box<dyn Future>> {
            Ok(Box::new(Self {
                events: self.events.clone(),
                context: self.context.bind(py).call_method0("copy")?.unbind(),
                arguments: self.arguments.clone_ref(py),
                keywords: self.keywords.as_ref().map(|keywords| keywords.clone_ref(py)),
            }))
        })?
        .ok()
    }
}

impl EventLoop {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { python: PyOnceLock::new(), waiting: Mutex::default(), awake: AtomicBool::new(false) })
    }

    /// Makes the loop look for coroutines that wait.
    fn wake(self: &Arc<Self>, py: Python<'_>) {
        if self.awake.swap(true, Ordering::AcqRel) {
            return;
        }
        let woken = self.python(py).and_then(|python| python.call_method0("wake"));
        if let Err(error) = woken {
            self.awake.store(false, Ordering::Release);
            self.refuse(py, &error);
        }
    }

    fn python<'py>(self: &Arc<Self>, py: Python<'py>) -> PyResult<&Bound<'py, PyAny>> {
        let make = || {
            let begin = Py::new(py, Begin(self.clone()))?;
            PyResult::Ok(py.import("anyplace._loop")?.getattr("Loop")?.call1((begin,))?.unbind())
        };
        self.python.get_or_try_init(py, make).map(|python| python.bind(py))
    }

    /// Begins all that wait. Runs on the loop's thread.
    fn begin_all(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let python = self.python(py)?.clone();
        self.awake.store(false, Ordering::Release);
        loop {
            // What is begun may end at once and bring the next: one at a time, without the lock.
            let next = lock(&self.waiting).pop_front();
            let Some(waiting) = next else { return Ok(()) };
            waiting.begin(py, &python);
        }
    }

    fn refuse(&self, py: Python<'_>, error: &PyErr) {
        for waiting in std::mem::take(&mut *lock(&self.waiting)) {
            waiting.done.call(error::raised(py, error.clone_ref(py), waiting.number.attempt));
        }
    }

    /// Ends the loop and its thread. The place has no coroutines any more.
    pub(crate) fn close(&self) {
        gil::with(|py| {
            let closed =
                self.python.get(py).map_or(Ok(()), |python| python.call_method0(py, "close").map(drop));
            closed.unwrap_or_else(|error| error.write_unraisable(py, None));
        });
    }
}

impl Waiting {
    fn begin<'py>(self, py: Python<'py>, events: &Bound<'py, PyAny>) {
        if matches!(*lock(&self.progress), Progress::Unwanted) {
            return self.done.call(cancelled());
        }
        let Self { coroutine, number, done, progress } = self;
        let task = match coroutine.begin(py, events, number) {
            Ok(task) => task,
            Err(error) => return done.call(error::raised(py, error, number.attempt)),
        };
        let mut progressed = lock(&progress);
        let unwanted = matches!(*progressed, Progress::Unwanted);
        *progressed = Progress::Running(task.clone().unbind());
        drop(progressed);
        let watched = Py::new(py, Finish::new(done, number.attempt))
            .and_then(|finish| task.call_method1("add_done_callback", (finish,)));
        watched.map_or_else(|error| error.write_unraisable(py, None), drop);
        if unwanted {
            task.call_method0("cancel").map_or_else(|error| error.write_unraisable(py, None), drop);
        }
    }
}

/// What the loop calls when it was woken.
#[pyclass(frozen, module = "anyplace._core")]
struct Begin(Arc<EventLoop>);

#[pymethods]
impl Begin {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        self.0.begin_all(py)
    }
}

/// What a task of the loop, or a future of an executor, calls when it is done.
#[pyclass(frozen, module = "anyplace._core")]
pub(crate) struct Finish {
    done: Mutex<Option<Done>>,
    attempt: u32,
}

impl Finish {
    pub(crate) fn new(done: Done, attempt: u32) -> Self {
        Self { done: Mutex::new(Some(done)), attempt }
    }
}

#[pymethods]
impl Finish {
    fn __call__(&self, py: Python<'_>, task: &Bound<'_, PyAny>) -> PyResult<()> {
        let outcome = match task.call_method0("result") {
            Ok(value) => Outcome::local(value.unbind()),
            Err(_) if task.call_method0("cancelled")?.is_truthy()? => cancelled(),
            Err(error) => error::raised(py, error, self.attempt),
        };
        let done = lock(&self.done).take();
        if let Some(done) = done {
            done.call(outcome);
        }
        Ok(())
    }
}

/// Ends a coroutine at its next await.
fn end(py: Python<'_>, events: &Arc<EventLoop>, progress: &Mutex<Progress>) {
    let mut progress = lock(progress);
    match &*progress {
        Progress::Waiting => *progress = Progress::Unwanted,
        Progress::Running(task) => {
            let task = task.clone_ref(py);
            drop(progress);
            let ended = events.python(py).and_then(|python| python.call_method1("cancel", (task,)));
            ended.map_or_else(|error| error.write_unraisable(py, None), drop);
        }
        Progress::Unwanted => {}
    }
}

fn cancelled() -> Outcome {
    let error = Error::new(Kind::Cancelled, "the coroutine was ended while it waited");
    Outcome::Cancelled(error.with_retry(Retry::MayRepeat))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
