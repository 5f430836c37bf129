//! A queue without bounds, which may be put into anywhere.

use super::arguments::{Patience, Truth};
use super::held::Held;
use super::quick::{Methods, Quick};
use super::refusal;
use super::waiters::{Place, Waiters};
use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict, PyTuple, PyType};
use std::collections::VecDeque;

/// An unbounded first in, first out queue that can be put into from anywhere, also from ``__del__`` and from the handler
/// of a signal that came in the middle of ``put``.
///
/// It is twin to ``queue.SimpleQueue``, and can also be awaited.
#[pyclass(subclass, frozen, generic, weakref, module = "anyplace.queue")]
#[derive(Default)]
pub(crate) struct SimpleQueue {
    items: Held<VecDeque<Py<PyAny>>>,
    takers: Waiters,
}

#[pymethods]
impl SimpleQueue {
    #[new]
    #[classmethod]
    #[pyo3(signature = (*arguments, **keywords))]
    fn new(
        class: &Bound<'_, PyType>,
        arguments: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        // A class of the program's may have an `__init__` that takes some.
        let is_own = class.is(class.py().get_type::<Self>());
        if is_own && !(arguments.is_empty() && keywords.is_none()) {
            return Err(PyTypeError::new_err("SimpleQueue() takes no arguments"));
        }
        Ok(Self::default())
    }

    /// Puts an item; it never waits.
    ///
    /// Parameters
    /// ----------
    /// item : object
    ///     Any object.
    /// block, timeout
    ///     Not looked at; they are there for ``Queue.put``.
    #[pyo3(signature = (item, block=None, timeout=None), text_signature = "($self, item, block=True, timeout=None)")]
    fn put(
        &self,
        item: Bound<'_, PyAny>,
        block: Option<&Bound<'_, PyAny>>,
        timeout: Option<&Bound<'_, PyAny>>,
    ) {
        let _ = (block, timeout);
        self.add(&item);
    }

    /// Puts an item; it never waits.
    ///
    /// Parameters
    /// ----------
    /// item : object
    ///     Any object.
    fn put_nowait(&self, item: Bound<'_, PyAny>) {
        self.add(&item);
    }

    /// Takes the item that was put first, waiting for one.
    ///
    /// Parameters
    /// ----------
    /// block : bool, default True
    ///     Whether to wait.
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Returns
    /// -------
    /// object
    ///     The item.
    ///
    /// Raises
    /// ------
    /// queue.Empty
    ///     If there is none in time.
    #[pyo3(signature = (block=Truth(Ok(true)), timeout=None), text_signature = "($self, block=True, timeout=None)")]
    fn get(&self, py: Python<'_>, block: Truth, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        let patience = Patience::bounded(block, timeout)?;
        match self.take(py) {
            Some(item) => Ok(item),
            None if patience.waits() => self.take_later(py, patience),
            None => Err(refusal::empty(py)),
        }
    }

    /// Takes the item that was put first, if there is one now.
    ///
    /// Returns
    /// -------
    /// object
    ///     The item.
    ///
    /// Raises
    /// ------
    /// queue.Empty
    ///     If there is none.
    fn get_nowait(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.take(py).ok_or_else(|| refusal::empty(py))
    }

    /// Takes an item, waiting for one in the running asyncio loop.
    ///
    /// Returns
    /// -------
    /// Coroutine
    ///     To be awaited: the item. A wait that is cancelled takes nothing.
    fn get_async<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        super::awaiting(slf.py())?.getattr("get")?.call1((slf,))
    }

    /// Tells whether there is no item; others may put one meanwhile.
    fn empty(&self, py: Python<'_>) -> bool {
        self.items.with(py, |items| items.is_empty())
    }

    /// Tells how many items there are; others may put and take meanwhile.
    fn qsize(&self, py: Python<'_>) -> usize {
        self.items.with(py, |items| items.len())
    }

    /// Tells how many wait for an item.
    fn _waiting<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        [("takers", self.takers.count(py))].into_py_dict(py)
    }

    /// Has ``tell`` called, once, when the next item comes.
    fn _expect(&self, py: Python<'_>, _change: &str, tell: Py<PyAny>, is_first: bool) {
        self.takers.expect(py, tell, Place::of(is_first));
    }

    /// Ends that; whoever was called already lets the next one look.
    fn _leave(&self, _change: &str, tell: &Bound<'_, PyAny>) {
        self.takers.leave(tell);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let all = |items: &VecDeque<_>| items.iter().try_for_each(|item| visit.call(item));
        self.items.visit(all).unwrap_or(Ok(()))?;
        self.takers.traverse(&visit)
    }

    fn __clear__(&self) {
        drop(self.items.clear());
        self.takers.clear();
    }
}

impl SimpleQueue {
    #[inline]
    fn add(&self, item: &Bound<'_, PyAny>) {
        self.push(item);
        self.takers.call(item.py(), 1);
    }

    #[inline]
    fn push(&self, item: &Bound<'_, PyAny>) {
        self.items.with(item.py(), |items| items.push_back(item.clone().unbind()));
    }

    #[inline]
    fn take(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.items.with(py, VecDeque::pop_front)
    }

    #[cold]
    fn take_later(&self, py: Python<'_>, patience: Patience) -> PyResult<Py<PyAny>> {
        let mut place = Place::Last;
        loop {
            let in_time =
                self.takers.wait(py, patience.deadline(), std::mem::replace(&mut place, Place::First))?;
            match self.take(py) {
                Some(item) => return Ok(item),
                None if in_time => {}
                None => return Err(refusal::empty(py)),
            }
        }
    }
}

impl Quick for SimpleQueue {
    #[inline]
    fn put_at_once(&self, py: Python<'_>, item: &Borrowed<'_, '_, PyAny>) -> bool {
        let wakes = self.takers.is_any(py);
        if !wakes {
            self.push(item);
        }
        !wakes
    }

    #[inline]
    fn get_at_once(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.take(py)
    }

    fn methods() -> &'static Methods {
        static METHODS: Methods = Methods::new();
        &METHODS
    }
}
