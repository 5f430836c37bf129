//! Many items as few tasks: lazy, bounded, in order or as completed.

use crate::future::deadline;
use crate::item::Inputs;
use crate::making::{Making, Prepared};
use crate::settled::Endings;
use crate::turns::Turns;
use crate::{door, error};
use anyplace::{Error, Flow, Kind, Next, Retry};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// The results of a map, as an iterator.
///
/// An item that raises raises where it stands; the next ones are still there. Closing the iterator (or letting go of
/// it) cancels what has not begun. Threads may share it: each result goes to one of them.
#[pyclass(frozen, generic, module = "anyplace", weakref)]
pub(crate) struct Map {
    results: Turns<Results>,
    /// Somebody wants it to end: whoever waits for a result need not wait longer.
    closed: AtomicBool,
}

/// What a map has for whoever asks next.
struct Results {
    making: Arc<Making>,
    prepared: Prepared,
    inputs: Option<Inputs>,
    flow: Option<Flow>,
    ready: Endings,
    /// What the inputs raised: it comes after the results of the items before.
    broken: Option<PyErr>,
    /// The place, if a result that cannot be read breaks it.
    strict: Option<anyplace::Place>,
    deadline: Option<Instant>,
    timeout: f64,
}

/// How the caller wants its results.
pub(crate) struct Wanted {
    pub(crate) timeout: Option<f64>,
    pub(crate) chunksize: Option<isize>,
    pub(crate) ordered: bool,
    pub(crate) buffersize: Option<usize>,
}

impl Map {
    /// Sends as much as may be ahead of the results, at once.
    pub(crate) fn start(
        py: Python<'_>,
        mut flow: Flow,
        making: Arc<Making>,
        prepared: Prepared,
        inputs: Inputs,
        wanted: &Wanted,
        strict: Option<anyplace::Place>,
    ) -> PyResult<Self> {
        if wanted.chunksize.is_some_and(|items| items < 1) {
            return Err(PyValueError::new_err("chunksize must be at least 1"));
        }
        if wanted.buffersize == Some(0) {
            return Err(PyValueError::new_err("buffersize must be at least 1"));
        }
        wanted.chunksize.into_iter().for_each(|items| flow.chunk(items.unsigned_abs()));
        wanted.buffersize.into_iter().for_each(|items| flow.ahead(items));
        if making.sends_singles() {
            flow.chunk(1);
        }
        if !wanted.ordered {
            flow.unordered();
        }
        let mut results = Results {
            making,
            prepared,
            inputs: Some(inputs),
            flow: Some(flow),
            ready: Endings::default(),
            broken: None,
            strict,
            deadline: wanted.timeout.and_then(deadline),
            timeout: wanted.timeout.unwrap_or_default(),
        };
        results.fill(py)?;
        Ok(Self {
            results: Turns::new(results, "the inputs of a map cannot take its results"),
            closed: AtomicBool::new(false),
        })
    }
}

impl Results {
    fn fill(&mut self, py: Python<'_>) -> PyResult<()> {
        let Some(flow) = &mut self.flow else { return Ok(()) };
        while let Some(inputs) = &self.inputs {
            let room = flow.room();
            if room == 0 {
                break;
            }
            let chunk = self.making.chunk(py, &self.prepared, inputs, room, flow.sends_singles())?;
            if let Some(end) = chunk.end {
                self.inputs = None;
                self.broken = end.err();
            }
            let Some(work) = chunk.work else { break };
            flow.send(chunk.items, work).map_err(|error| error::to_python(py, &error))?;
        }
        Ok(())
    }

    /// The next result, unless there is none or `closed` says that nobody wants it.
    fn next(&mut self, py: Python<'_>, closed: &AtomicBool) -> PyResult<Option<Py<PyAny>>> {
        loop {
            if let Some(result) = self.ready.next(py, self.strict.as_ref()) {
                return result.map(Some);
            }
            self.fill(py)?;
            if !self.receive(py, closed)? {
                return self.broken.take().map_or(Ok(None), Err);
            }
        }
    }

    /// Takes the next chunk's results; false if there is none.
    fn receive(&mut self, py: Python<'_>, closed: &AtomicBool) -> PyResult<bool> {
        let Some(flow) = &mut self.flow else { return Ok(false) };
        let mut next = Next::Late;
        let arrived = door::wait(py, self.deadline, |until| {
            next = flow.next(Some(until));
            !matches!(next, Next::Late) || closed.load(Ordering::Acquire)
        })?;
        match next {
            Next::Chunk(chunk) => {
                self.ready = Endings::of(py, chunk.outcome, chunk.items, self.strict.as_ref());
            }
            Next::Empty => return Ok(false),
            Next::Late => {
                self.end();
                if arrived {
                    return Ok(false);
                }
                return Err(error::to_python(py, &late(self.timeout)));
            }
        }
        Ok(true)
    }

    fn end(&mut self) {
        self.inputs = None;
        self.flow = None;
        self.ready = Endings::default();
        self.broken = None;
    }
}

#[pymethods]
impl Map {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.results.take(py)?.next(py, &self.closed)
    }

    /// Ends the iterator and cancels what has not begun; another thread that waits for a result gets none.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.closed.store(true, Ordering::Release);
        self.results.take(py)?.end();
        Ok(())
    }
}

fn late(seconds: f64) -> Error {
    Error::new(Kind::Timeout, format!("the map has not ended within {seconds} s"))
        .during("map")
        .with_retry(Retry::MayRepeat)
        .with_help("give it more time, or none at all: without `timeout` it may take as long as it wants")
}
