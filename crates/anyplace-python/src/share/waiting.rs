//! Waiting for shared objects: a thread by the one door, a coroutine by a bell.

use super::limit::Limit;
use super::raised::raised;
use crate::{door, frame};
use anyplace::share::Wait;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Waits until `limit`; nothing if that came first. Who has not to wait keeps the interpreter's lock.
pub(crate) fn wait<W: Wait>(py: Python<'_>, mut waiting: W, limit: Limit) -> PyResult<Option<W::Given>>
where
    W::Given: Send,
{
    let deadline = match limit {
        Limit::Now => return now(py, waiting),
        Limit::Until(deadline) => Some(deadline),
        Limit::Never => None,
    };
    if let Some(given) = waiting.look().map_err(|error| raised(py, &error))? {
        return Ok(Some(given));
    }
    // A line of this file would tell nobody anything; that of the program is told once the wait takes long.
    waiting.on_line(String::new());
    let ended = door::attend(
        py,
        deadline,
        &mut waiting,
        |waiting, until| waiting.until(Some(until)).transpose(),
        |waiting| waiting.on_line(frame::here(py)),
    )?;
    match ended {
        Some(ended) => ended.map(Some),
        None => waiting.give_up(),
    }
    .map_err(|error| raised(py, &error))
}

/// Looks once.
pub(crate) fn now<W: Wait>(py: Python<'_>, waiting: W) -> PyResult<Option<W::Given>> {
    waiting.now().map_err(|error| raised(py, &error))
}

/// What a waiting gives, once somebody has the interpreter's lock to make it.
type Given = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// One wait of a coroutine. It is tried, and tried again when its bell rings.
#[pyclass(frozen, module = "anyplace._core")]
pub(crate) struct Waiting(Mutex<State>);

enum State {
    Pending(Pin<Box<dyn Future<Output = anyplace::Result<Given>> + Send>>),
    Ended(anyplace::Result<Given>),
    Closed,
}

impl Waiting {
    /// For what `future` gives, as `make` makes it Python's.
    pub(crate) fn new<G: Send + 'static>(
        future: impl Future<Output = anyplace::Result<G>> + Send + 'static,
        make: impl FnOnce(Python<'_>, G) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> Self {
        let given = async move {
            let given = future.await?;
            let made: Given = Box::new(move |py| make(py, given));
            Ok(made)
        };
        Self(Mutex::new(State::Pending(Box::pin(given))))
    }

    /// For something that gives nothing but that it came.
    pub(crate) fn for_true(future: impl Future<Output = anyplace::Result<()>> + Send + 'static) -> Self {
        Self::new(future, |py, ()| Ok(true.into_pyobject(py)?.to_owned().into_any().unbind()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it has ended; if not, the waker is called when there is reason to look again.
    pub(crate) fn look(&self, waker: &Waker) -> bool {
        let mut state = self.state();
        if let State::Pending(future) = &mut *state {
            match future.as_mut().poll(&mut Context::from_waker(waker)) {
                Poll::Ready(ended) => *state = State::Ended(ended),
                Poll::Pending => return false,
            }
        }
        true
    }
}

#[pymethods]
impl Waiting {
    /// Whether it has ended by now.
    pub(crate) fn look_now(&self) -> bool {
        self.look(Waker::noop())
    }

    /// What it gives, once it has ended; once only.
    fn result(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let state = std::mem::replace(&mut *self.state(), State::Closed);
        match state {
            State::Ended(Ok(given)) => given(py),
            State::Ended(Err(error)) => Err(raised(py, &error)),
            _ => Err(PyRuntimeError::new_err("this waiting has not ended, or was closed")),
        }
    }

    /// Leaves the line.
    fn close(&self) {
        let state = std::mem::replace(&mut *self.state(), State::Closed);
        drop(state);
    }
}
