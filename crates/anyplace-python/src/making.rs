//! How a Python call becomes work, by what the place takes.

use crate::call::{Each, One};
use crate::coroutine::{Coroutine, EventLoop};
use crate::error;
use crate::first::First;
use crate::item::{Inputs, Item};
use crate::pickled::{Parts, Pickles};
use crate::wrapped::Handed;
use anyplace::work::{Function, Work, WorkKind};
use anyplace::{Error, Kind};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use std::sync::Arc;

/// What a place of Python's makes of a call.
pub(crate) enum Making {
    /// Closures of this process, with what each thread does first.
    Closures(Option<Arc<First>>),
    /// Coroutines on the place's event loop.
    Coroutines(Arc<EventLoop>),
    /// Pickles for other processes.
    Pickles(Pickles),
    /// Calls that an executor does.
    Handed(Py<PyAny>),
}

/// The function of a map, ready to be sent with many items.
pub(crate) enum Prepared {
    /// As it is, with the caller's context variables.
    Local { function: Py<PyAny>, context: Py<PyAny> },
    /// Its pickle, and whether calls may be repeated.
    Pickled(Arc<Function>, bool),
}

/// Items of a map as one task.
pub(crate) struct Chunk {
    pub(crate) items: usize,
    /// Nothing if there are no items.
    pub(crate) work: Option<Work>,
    /// How the inputs ended, if they did.
    pub(crate) end: Option<PyResult<()>>,
}

impl Making {
    /// For the first kind of work that the place takes and Python can make.
    pub(crate) fn of(py: Python<'_>, place: &anyplace::Place, first: Option<First>) -> PyResult<Self> {
        let makes =
            |kind: &&WorkKind| matches!(kind, WorkKind::Closure | WorkKind::Future | WorkKind::Pickled);
        match place.limits().takes.iter().find(makes) {
            Some(WorkKind::Closure) => Ok(Self::Closures(first.map(Arc::new))),
            Some(WorkKind::Future) => Ok(Self::Coroutines(EventLoop::new())),
            Some(_) => Ok(Self::Pickles(Pickles::new(place.clone()))),
            // It has objects and names; who submits is told that it runs nothing.
            None if place.serve().is_ok() => Ok(Self::Pickles(Pickles::new(place.clone()))),
            None => Err(runs_no_python(py)),
        }
    }

    /// A call: `arguments` begin with the callable. `repeats` if it may be made more than once.
    pub(crate) fn one(
        &self,
        py: Python<'_>,
        arguments: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
        repeats: bool,
    ) -> PyResult<Work> {
        self.make(py, || copied_context(py), arguments, keywords, repeats)
    }

    fn make<'py>(
        &self,
        py: Python<'py>,
        context: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
        arguments: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
        repeats: bool,
    ) -> PyResult<Work> {
        let owned = || (arguments.clone().unbind(), keywords.map(|keywords| keywords.clone().unbind()));
        match self {
            Self::Closures(first) => {
                let run = context()?.getattr("run")?.unbind();
                let (arguments, keywords) = owned();
                Ok(One { run, arguments, keywords, first: first.clone() }.work())
            }
            Self::Coroutines(events) => {
                refuse_plain(&arguments.get_item(0)?)?;
                let (arguments, keywords) = owned();
                let (events, context) = (events.clone(), context()?.unbind());
                Ok(Coroutine { events, context, arguments, keywords }.work())
            }
            Self::Handed(executor) => {
                let (arguments, keywords) = owned();
                Ok(Handed { executor: executor.clone_ref(py), arguments, keywords }.work())
            }
            Self::Pickles(pickles) => pickles.one(arguments, keywords, repeats),
        }
    }

    /// A value as what workers find of it; nothing where they are in this process.
    pub(crate) fn put<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Option<Parts<'py>>> {
        match self {
            Self::Pickles(pickles) => pickles.put(value).map(Some),
            _ => Ok(None),
        }
    }

    /// The function of a map.
    pub(crate) fn prepare(&self, py: Python<'_>, function: Py<PyAny>, repeats: bool) -> PyResult<Prepared> {
        match self {
            Self::Pickles(pickles) => Ok(Prepared::Pickled(pickles.function(function.bind(py))?, repeats)),
            _ => Ok(Prepared::Local { function, context: copied_context(py)?.unbind() }),
        }
    }

    /// Whether a task is always one call.
    pub(crate) fn sends_singles(&self) -> bool {
        matches!(self, Self::Coroutines(_) | Self::Handed(_))
    }

    /// A chunk of a map, of the next `room` inputs at most; `single` if a task is always one item.
    pub(crate) fn chunk(
        &self,
        py: Python<'_>,
        prepared: &Prepared,
        inputs: &Inputs,
        room: usize,
        single: bool,
    ) -> PyResult<Chunk> {
        let (items, end, work) = match (self, prepared) {
            (Self::Pickles(pickles), Prepared::Pickled(function, repeats)) => {
                let mut chunk = pickles.chunk(single, *repeats);
                let (items, end) = inputs.each(py, room, |item| chunk.add(py, item))?;
                (items, end, chunk.work(function))
            }
            (_, Prepared::Local { function, context }) => {
                let mut gathered = Vec::with_capacity(room.min(1024));
                let (items, end) = inputs.each(py, room, |item| {
                    gathered.push(item);
                    Ok(())
                })?;
                let work =
                    (items > 0).then(|| self.local_chunk(py, function, context.bind(py), gathered, single));
                (items, end, work.transpose()?)
            }
            (_, Prepared::Pickled(..)) => unreachable!("only `Pickles` prepares pickles"),
        };
        Ok(Chunk { items, work, end })
    }

    fn local_chunk<'py>(
        &self,
        py: Python<'py>,
        function: &Py<PyAny>,
        context: &Bound<'py, PyAny>,
        mut items: Vec<Item>,
        single: bool,
    ) -> PyResult<Work> {
        let copied = || context.call_method0("copy");
        if let Self::Closures(first) = self {
            let run = copied()?.getattr("run")?.unbind();
            let (function, first) = (function.clone_ref(py), first.clone());
            return Ok(Each { single, run, function, items, first }.work());
        }
        debug_assert_eq!(items.len(), 1, "`sends_singles` says so");
        let arguments = items.swap_remove(0).arguments(py)?;
        let all = PyTuple::new(py, [function])?
            .as_sequence()
            .concat(arguments.bind(py).as_sequence())?
            .to_tuple()?;
        self.make(py, copied, &all, None, false)
    }

    /// The error that broke the place, if one did.
    pub(crate) fn check(&self, py: Python<'_>) -> PyResult<()> {
        match self {
            Self::Closures(Some(first)) => first.check(py),
            _ => Ok(()),
        }
    }

    /// Ends what the place had of Python's; it has no tasks any more.
    pub(crate) fn close(&self) {
        if let Self::Coroutines(events) = self {
            events.close();
        }
    }
}

/// Refuses a function that says it is not `async`; of other callables, only what they give tells.
fn refuse_plain(callable: &Bound<'_, PyAny>) -> PyResult<()> {
    static CHECK: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    CHECK.import(callable.py(), "anyplace._loop", "refuse_plain")?.call1((callable,)).map(drop)
}

/// A copy of the caller's context variables.
fn copied_context(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static COPY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    COPY.import(py, "contextvars", "copy_context")?.call0()
}

fn runs_no_python(py: Python<'_>) -> PyErr {
    let error = Error::new(Kind::Unsupported, "the place runs no Python functions").during("open");
    error::to_python(py, &error.with_help("open `processes:`, `threads:` or `async:`"))
}
