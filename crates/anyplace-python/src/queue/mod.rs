//! Queues between Python's threads, native where the standard library's are Python.
//!
//! The interpreter's lock guards what they hold: a put or a get that finds what it needs is a method call, a push or a pop,
//! and a look whether somebody waits. Who waits does so in the door, for a latch of its own (`waiters.rs`).
//!
//! Programs may touch the inside of the standard library's queues: its list, its lock and conditions, its hooks. Whoever
//! does *opens* the queue (`_queue_open.py`): then it is the standard library's, with a lock and conditions of its own, and
//! everybody who waits here goes on there.

mod arguments;
mod heap;
mod held;
mod quick;
mod refusal;
mod simple;
mod state;
mod waiters;
mod waits;

pub(crate) use simple::SimpleQueue;

use arguments::{Patience, Truth};
use held::Held;
use pyo3::call::PyCallArgs;
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict, PyList, PyTuple};
use quick::{Methods, Quick};
use state::{OPEN, Order, SHUT, State};
use std::collections::VecDeque;
use waiters::{Place, Waiters};

/// The part of ``anyplace.queue.Queue`` that is native: all of it, until somebody touches its inside.
#[pyclass(subclass, frozen, generic, module = "anyplace._core")]
#[derive(Default)]
pub(crate) struct Queue {
    state: State,
    maxsize: Held<Option<Py<PyAny>>>,
    /// Those who wait for an item.
    takers: Waiters,
    /// Those who wait for room.
    putters: Waiters,
    /// Those who wait until all is done.
    joiners: Waiters,
}

#[pymethods]
impl Queue {
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn new(_arguments: &Bound<'_, PyTuple>, _keywords: Option<&Bound<'_, PyDict>>) -> Self {
        Self::default()
    }

    /// Begins anew, empty, in an order: ``"fifo"``, ``"lifo"``, ``"sorted"``.
    fn _begin(&self, py: Python<'_>, maxsize: Bound<'_, PyAny>, order: &str) -> PyResult<()> {
        self.set_maxsize(maxsize)?;
        let order = match order {
            "lifo" => Order::Lifo,
            "sorted" => Order::Sorted,
            _ => Order::Fifo,
        };
        drop(self.state.begin(py, order));
        Ok(())
    }

    /// Puts an item, waiting for room.
    ///
    /// Parameters
    /// ----------
    /// item : object
    ///     Any object.
    /// block : bool, default True
    ///     Whether to wait.
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Raises
    /// ------
    /// queue.Full
    ///     If there is no room in time.
    /// ShutDown
    ///     If the queue is shut down.
    #[pyo3(signature = (item, block=Truth(Ok(true)), timeout=None), text_signature = "($self, item, block=True, timeout=None)")]
    fn put(
        slf: &Bound<'_, Self>,
        item: &Bound<'_, PyAny>,
        block: Truth,
        timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let this = slf.get();
        // As in the standard library, which does not look at them if there is always room.
        let is_bounded = this.state.is_bounded();
        let patience = if is_bounded { Patience::of(block, timeout)? } else { Patience::Endless };
        this.put_within(slf, item, patience)
    }

    /// Takes an item, waiting for one.
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
    /// ShutDown
    ///     If the queue is shut down, and no item is left.
    #[pyo3(signature = (block=Truth(Ok(true)), timeout=None), text_signature = "($self, block=True, timeout=None)")]
    fn get(slf: &Bound<'_, Self>, block: Truth, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        slf.get().get_within(slf, Patience::of(block, timeout)?)
    }

    /// Puts an item if there is room now.
    ///
    /// Parameters
    /// ----------
    /// item : object
    ///     Any object.
    ///
    /// Raises
    /// ------
    /// queue.Full
    ///     If there is none.
    /// ShutDown
    ///     If the queue is shut down.
    fn put_nowait(slf: &Bound<'_, Self>, item: Bound<'_, PyAny>) -> PyResult<()> {
        // A class of the program's may have its own `put`.
        slf.call_method(intern!(slf.py(), "put"), (item,), Some(&not_blocking(slf.py())?)).map(drop)
    }

    /// Takes an item if there is one now.
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
    /// ShutDown
    ///     If the queue is shut down, and no item is left.
    fn get_nowait<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.call_method(intern!(slf.py(), "get"), (), Some(&not_blocking(slf.py())?))
    }

    /// Puts an item, waiting for room in the running asyncio loop.
    ///
    /// Parameters
    /// ----------
    /// item : object
    ///     Any object.
    ///
    /// Returns
    /// -------
    /// Coroutine
    ///     To be awaited. A wait that is cancelled puts nothing.
    ///
    /// Raises
    /// ------
    /// ShutDown
    ///     If the queue is shut down.
    fn put_async<'py>(slf: Bound<'py, Self>, item: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        awaiting(slf.py())?.getattr("put")?.call1((slf, item))
    }

    /// Takes an item, waiting for one in the running asyncio loop.
    ///
    /// Returns
    /// -------
    /// Coroutine
    ///     To be awaited: the item. A wait that is cancelled takes nothing.
    ///
    /// Raises
    /// ------
    /// ShutDown
    ///     If the queue is shut down, and no item is left.
    fn get_async<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        awaiting(slf.py())?.getattr("get")?.call1((slf,))
    }

    /// Tells how many items there are; others may put and take meanwhile.
    fn qsize(slf: &Bound<'_, Self>) -> PyResult<usize> {
        match slf.get().state.is(OPEN) {
            true => open(slf.py(), "qsize", (slf,))?.extract(),
            false => Ok(slf.get().state.len(slf.py())),
        }
    }

    /// Tells whether there is no item; others may put one meanwhile.
    fn empty(slf: &Bound<'_, Self>) -> PyResult<bool> {
        match slf.get().state.is(OPEN) {
            true => open(slf.py(), "empty", (slf,))?.extract(),
            false => Ok(slf.get().state.len(slf.py()) == 0),
        }
    }

    /// Tells whether there is no room; others may take an item meanwhile.
    fn full(slf: &Bound<'_, Self>) -> PyResult<bool> {
        match slf.get().state.is(OPEN) {
            true => open(slf.py(), "full", (slf,))?.extract(),
            false => Ok(!slf.get().state.has_room(slf.py())),
        }
    }

    /// Says that the work which an item stood for is done.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     If that was said for every item already.
    fn task_done(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        if this.state.is(OPEN) {
            return open(py, "task_done", (slf,)).map(drop);
        }
        let unfinished = this.state.unfinished() - 1;
        if unfinished < 0 {
            return Err(PyValueError::new_err("task_done() called too many times"));
        }
        this.set_unfinished_tasks(py, unfinished);
        Ok(())
    }

    /// Waits until ``task_done`` was called for every item that was put.
    fn join(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        while !this.state.is(OPEN) {
            if this.state.unfinished() == 0 {
                return Ok(());
            }
            this.joiners.wait(py, None, Place::Last)?;
        }
        open(py, "join", (slf,)).map(drop)
    }

    /// Refuses what is put from here on, and wakes all who wait.
    ///
    /// Parameters
    /// ----------
    /// immediate : bool, default False
    ///     Whether to throw away what is in the queue, and count it as done. Otherwise that can still be taken.
    #[pyo3(signature = (immediate=Truth(Ok(false))), text_signature = "($self, immediate=False)")]
    fn shutdown(slf: &Bound<'_, Self>, immediate: Truth) -> PyResult<()> {
        let (py, this, immediate) = (slf.py(), slf.get(), immediate.0?);
        let turn = this.state.turn(py)?;
        if this.state.is(OPEN) {
            drop(turn);
            return open(py, "shutdown", (slf, immediate)).map(drop);
        }
        this.state.set(SHUT, true);
        let thrown_away = if immediate { this.state.take_all(py) } else { VecDeque::new() };
        drop(turn);
        let unfinished = this.state.unfinished() - thrown_away.len() as i64;
        this.set_unfinished_tasks(py, unfinished.max(0));
        this.takers.call_all(py);
        this.putters.call_all(py);
        Ok(())
    }

    /// How many items there may be; none or fewer stand for any number. It may be changed.
    #[getter]
    fn maxsize(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.maxsize.with(py, |maxsize| maxsize.as_ref().map(|maxsize| maxsize.clone_ref(py)))
    }

    #[setter]
    fn set_maxsize(&self, maxsize: Bound<'_, PyAny>) -> PyResult<()> {
        let py = maxsize.py();
        self.state.set_room(room(&maxsize)?);
        drop(self.maxsize.with(py, |own| own.replace(maxsize.unbind())));
        self.putters.call_all(py);
        Ok(())
    }

    /// Items that were put, and are not said to be done.
    #[getter]
    fn unfinished_tasks(&self) -> i64 {
        self.state.unfinished()
    }

    #[setter]
    fn set_unfinished_tasks(&self, py: Python<'_>, unfinished: i64) {
        self.state.set_unfinished(unfinished);
        if unfinished == 0 {
            self.joiners.call_all(py);
        }
    }

    /// Whether ``shutdown`` was called.
    #[getter]
    fn is_shutdown(&self) -> bool {
        self.state.is(SHUT)
    }

    #[setter]
    fn set_is_shutdown(&self, py: Python<'_>, is_shutdown: bool) {
        self.state.set(SHUT, is_shutdown);
        self.takers.call_all(py);
        self.putters.call_all(py);
    }

    /// Whether somebody has touched its inside.
    fn _is_open(&self) -> bool {
        self.state.is(OPEN)
    }

    /// Ends the native part: all items go to the list of ``inside``, which is the queue's from here on, and all who wait go
    /// on there. No signal's handler comes in between.
    fn _hand_over(slf: &Bound<'_, Self>, inside: &Bound<'_, PyDict>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let own = slf.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
        let turn = this.state.turn(py)?;
        this.state.set(OPEN, true);
        let items = this.state.take_all(py);
        drop(turn);
        if let Some(list) = inside.get_item(intern!(py, "queue"))? {
            list.call_method1(intern!(py, "extend"), (PyList::new(py, items)?,))?;
        }
        own.update(inside.as_mapping())?;
        this.all_waiters().for_each(|waiters| waiters.call_all(py));
        Ok(())
    }

    /// Tells how many wait for an item, for room, and for all to be done.
    fn _waiting<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = self.all_waiters().map(|waiters| waiters.count(py));
        ["takers", "putters", "joiners"].into_iter().zip(counts).into_py_dict(py)
    }

    /// Has ``tell`` called, once, when there is a change: an ``"item"``, or ``"room"``.
    fn _expect(&self, py: Python<'_>, change: &str, tell: Py<PyAny>, is_first: bool) {
        self.waiters(change).expect(py, tell, Place::of(is_first));
    }

    /// Ends that; whoever was called already lets the next one look.
    fn _leave(&self, change: &str, tell: &Bound<'_, PyAny>) {
        self.waiters(change).leave(tell);
    }

    /// Calls one of those who wait here though the queue is open: there is a change.
    fn _call(&self, py: Python<'_>, change: &str) {
        self.waiters(change).call(py, 1);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let all = |items: &VecDeque<_>| items.iter().try_for_each(|item| visit.call(item));
        self.state.items().visit(all).unwrap_or(Ok(()))?;
        self.maxsize.visit(|maxsize| visit.call(maxsize)).unwrap_or(Ok(()))?;
        self.all_waiters().try_for_each(|waiters| waiters.traverse(&visit))
    }

    fn __clear__(&self) {
        drop(self.state.items().clear());
        drop(self.maxsize.clear());
        self.all_waiters().for_each(Waiters::clear);
    }
}

impl Queue {
    fn all_waiters(&self) -> impl Iterator<Item = &Waiters> {
        [&self.takers, &self.putters, &self.joiners].into_iter()
    }

    fn waiters(&self, change: &str) -> &Waiters {
        if change == "room" { &self.putters } else { &self.takers }
    }
}

impl Quick for Queue {
    #[inline]
    fn put_at_once(&self, py: Python<'_>, item: &Borrowed<'_, '_, PyAny>) -> bool {
        !self.takers.is_any(py) && self.state.put_at_once(item)
    }

    #[inline]
    fn get_at_once(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        if self.putters.is_any(py) { None } else { self.state.take_at_once(py) }
    }

    fn methods() -> &'static Methods {
        static METHODS: Methods = Methods::new();
        &METHODS
    }
}

/// Makes the methods quick that every program calls.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    quick::install::<Queue>(py)?;
    quick::install::<SimpleQueue>(py)
}

/// What an open queue does instead; `arguments` begin with the queue.
fn open<'py>(py: Python<'py>, method: &str, arguments: impl PyCallArgs<'py>) -> PyResult<Bound<'py, PyAny>> {
    py.import(intern!(py, "anyplace._queue_open"))?.getattr(method)?.call1(arguments)
}

/// What waits in an asyncio loop. It is imported when it is wanted: asyncio takes longer than all the rest.
fn awaiting(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import(intern!(py, "anyplace._queue_await"))
}

/// How many items are fewer than `maxsize`, which is a number.
fn room(maxsize: &Bound<'_, PyAny>) -> PyResult<usize> {
    if !maxsize.gt(0)? {
        return Ok(usize::MAX);
    }
    if let Ok(room) = maxsize.extract() {
        return Ok(room);
    }
    // Beyond what memory holds; or a fraction, below which there is one more.
    let number: f64 = maxsize.extract()?;
    Ok(number.ceil() as usize)
}

fn not_blocking(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let keywords = PyDict::new(py);
    keywords.set_item(intern!(py, "block"), false)?;
    Ok(keywords)
}
