//! Many items as few tasks: lazy, bounded, in order or as completed.

use crate::call::Item;
use crate::future::deadline;
use crate::making::{Making, Prepared};
use crate::settled::Settled;
use crate::{door, error};
use anyplace::{Error, Flow, Kind, Next, Retry};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyTuple};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// The results of a map, as an iterator.
///
/// An item that raises raises where it stands; the next ones are still there. Closing the iterator (or letting go of
/// it) cancels what has not begun.
#[pyclass(generic, module = "anyplace", weakref)]
pub(crate) struct Map {
    making: Arc<Making>,
    prepared: Prepared,
    inputs: Option<Inputs>,
    flow: Option<Flow>,
    ready: VecDeque<Settled>,
    /// What the inputs raised: it comes after the results of the items before.
    broken: Option<PyErr>,
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

/// Where the arguments come from.
pub(crate) enum Inputs {
    /// One iterable, one argument.
    One(Py<PyIterator>),
    /// An iterable of the arguments of each call.
    Star(Py<PyIterator>),
    /// An iterable for each argument; the shortest ends them.
    Zip(Vec<Py<PyIterator>>),
}

impl Inputs {
    pub(crate) fn new(iterables: &[Bound<'_, PyAny>], star: bool) -> PyResult<Self> {
        let mut iterators = Vec::with_capacity(iterables.len());
        for iterable in iterables {
            iterators.push(iterable.try_iter()?.unbind());
        }
        Ok(match (iterators.len(), star) {
            (1, true) => Self::Star(iterators.remove(0)),
            (1, false) => Self::One(iterators.remove(0)),
            _ => Self::Zip(iterators),
        })
    }

    fn next(&self, py: Python<'_>) -> PyResult<Option<Item>> {
        match self {
            Self::One(iterator) => Ok(advance(py, iterator)?.map(|item| Item::Single(item.unbind()))),
            Self::Star(iterator) => match advance(py, iterator)? {
                Some(item) => Ok(Some(Item::Several(item.try_iter()?.collect_tuple()?))),
                None => Ok(None),
            },
            Self::Zip(iterators) => {
                let mut items = Vec::with_capacity(iterators.len());
                for iterator in iterators {
                    match advance(py, iterator)? {
                        Some(item) => items.push(item),
                        None => return Ok(None),
                    }
                }
                // As for `zip()` of nothing, a map over no iterables has no items.
                Ok(if items.is_empty() {
                    None
                } else {
                    Some(Item::Several(PyTuple::new(py, items)?.unbind()))
                })
            }
        }
    }
}

fn advance<'py>(py: Python<'py>, iterator: &Py<PyIterator>) -> PyResult<Option<Bound<'py, PyAny>>> {
    iterator.bind(py).clone().next().transpose()
}

/// The arguments of one call, from whatever iterable holds them.
trait CollectTuple {
    fn collect_tuple(self) -> PyResult<Py<PyTuple>>;
}

impl CollectTuple for Bound<'_, PyIterator> {
    fn collect_tuple(self) -> PyResult<Py<PyTuple>> {
        let py = self.py();
        let items = self.collect::<PyResult<Vec<_>>>()?;
        Ok(PyTuple::new(py, items)?.unbind())
    }
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
        let mut map = Self {
            making,
            prepared,
            inputs: Some(inputs),
            flow: Some(flow),
            ready: VecDeque::new(),
            broken: None,
            deadline: wanted.timeout.and_then(deadline),
            timeout: wanted.timeout.unwrap_or_default(),
        };
        map.fill(py)?;
        Ok(map)
    }

    fn fill(&mut self, py: Python<'_>) -> PyResult<()> {
        let Some(flow) = &mut self.flow else { return Ok(()) };
        while let Some(inputs) = &self.inputs {
            let room = flow.room();
            if room == 0 {
                break;
            }
            let (items, end) = gather(py, inputs, room);
            if let Some(end) = end {
                self.inputs = None;
                self.broken = end.err();
            }
            if items.is_empty() {
                break;
            }
            let count = items.len();
            let work = self.making.each(py, &self.prepared, items, flow.sends_singles())?;
            flow.send(count, work).map_err(|error| error::to_python(py, &error))?;
        }
        Ok(())
    }

    /// Takes the next chunk's results; false if there is none.
    fn receive(&mut self, py: Python<'_>) -> PyResult<bool> {
        let Some(flow) = &mut self.flow else { return Ok(false) };
        let mut next = Next::Late;
        let in_time = door::wait(py, self.deadline, |until| {
            next = flow.next(Some(until));
            !matches!(next, Next::Late)
        })?;
        match next {
            Next::Chunk(chunk) => self.ready.extend(Settled::each(py, chunk.outcome, chunk.items)),
            Next::Empty => return Ok(false),
            Next::Late => {
                debug_assert!(!in_time);
                self.end();
                return Err(error::to_python(py, &late(self.timeout)));
            }
        }
        Ok(true)
    }

    fn end(&mut self) {
        self.inputs = None;
        self.flow = None;
        self.ready.clear();
        self.broken = None;
    }
}

/// At most `room` items; and how the inputs ended, if they did.
fn gather(py: Python<'_>, inputs: &Inputs, room: usize) -> (Vec<Item>, Option<PyResult<()>>) {
    let mut items = Vec::with_capacity(room.min(1024));
    while items.len() < room {
        match inputs.next(py) {
            Ok(Some(item)) => items.push(item),
            Ok(None) => return (items, Some(Ok(()))),
            Err(error) => return (items, Some(Err(error))),
        }
    }
    (items, None)
}

#[pymethods]
impl Map {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        loop {
            if let Some(settled) = self.ready.pop_front() {
                return settled.into_result().map(Some);
            }
            self.fill(py)?;
            if !self.receive(py)? {
                return self.broken.take().map_or(Ok(None), Err);
            }
        }
    }

    /// Ends the iterator and cancels what has not begun.
    fn close(&mut self) {
        self.end();
    }
}

fn late(seconds: f64) -> Error {
    Error::new(Kind::Timeout, format!("the map has not ended within {seconds} s"))
        .during("map")
        .with_retry(Retry::MayRepeat)
        .with_help("give it more time, or none at all: without `timeout` it may take as long as it wants")
}
