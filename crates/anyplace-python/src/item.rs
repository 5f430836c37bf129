//! What the calls of a map are called with, and where that comes from.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList, PyRange, PyTuple};

/// The most items that come of these iterables, where one of them is known to end. Only of Python's own sequences: to ask others
/// runs their code.
pub(crate) fn at_most(iterables: &[Bound<'_, PyAny>]) -> Option<usize> {
    let is_sequence = |iterable: &&Bound<'_, PyAny>| {
        iterable.is_exact_instance_of::<PyList>()
            || iterable.is_exact_instance_of::<PyTuple>()
            || iterable.is_exact_instance_of::<PyRange>()
    };
    iterables.iter().filter(is_sequence).filter_map(|iterable| iterable.len().ok()).min()
}

/// What one call of a map is called with.
pub(crate) enum Item<One = Py<PyAny>, Tuple = Py<PyTuple>> {
    /// One argument.
    Single(One),
    /// Any number of arguments.
    Several(Tuple),
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

    /// Gives at most `room` items to `take`. Tells how many, and how the inputs ended, if they did.
    pub(crate) fn each(
        &self,
        py: Python<'_>,
        room: usize,
        mut take: impl FnMut(Item) -> PyResult<()>,
    ) -> PyResult<(usize, Option<PyResult<()>>)> {
        for taken in 0..room {
            match self.next(py) {
                Ok(Some(item)) => take(item)?,
                Ok(None) => return Ok((taken, Some(Ok(())))),
                Err(error) => return Ok((taken, Some(Err(error)))),
            }
        }
        Ok((room, None))
    }

    fn next(&self, py: Python<'_>) -> PyResult<Option<Item>> {
        match self {
            Self::One(iterator) => Ok(advance(py, iterator)?.map(|item| Item::Single(item.unbind()))),
            Self::Star(iterator) => match advance(py, iterator)? {
                Some(item) => Ok(Some(Item::Several(spread(&item)?))),
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
    // SAFETY: it is an iterator; this gives a new reference, or null.
    let next = unsafe { Bound::from_owned_ptr_or_opt(py, ffi::PyIter_Next(iterator.as_ptr())) };
    if next.is_some() {
        return Ok(next);
    }
    // Null is the end, unless an exception is set.
    PyErr::take(py).map_or(Ok(None), Err)
}

/// The arguments of one call, from whatever iterable holds them.
fn spread(item: &Bound<'_, PyAny>) -> PyResult<Py<PyTuple>> {
    let arguments = item.try_iter()?.collect::<PyResult<Vec<_>>>()?;
    Ok(PyTuple::new(item.py(), arguments)?.unbind())
}

impl Item {
    pub(crate) fn bind<'a, 'py>(
        &'a self,
        py: Python<'py>,
    ) -> Item<&'a Bound<'py, PyAny>, &'a Bound<'py, PyTuple>> {
        match self {
            Self::Single(argument) => Item::Single(argument.bind(py)),
            Self::Several(arguments) => Item::Several(arguments.bind(py)),
        }
    }

    pub(crate) fn arguments(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        match self {
            Self::Single(argument) => Ok(PyTuple::new(py, [argument])?.unbind()),
            Self::Several(arguments) => Ok(arguments.clone_ref(py)),
        }
    }

    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Single(argument) => Self::Single(argument.clone_ref(py)),
            Self::Several(arguments) => Self::Several(arguments.clone_ref(py)),
        }
    }
}
