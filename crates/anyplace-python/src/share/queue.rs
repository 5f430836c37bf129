//! What some put, others get.

use super::home::home;
use super::item::PyItem;
use super::limit::{Limit, Truth};
use super::raised::{empty, full, raised, reached};
use super::rank::rank;
use super::ticket;
use super::waiting::{self, Waiting};
use crate::place::Place;
use anyplace::Result;
use anyplace::driver::Share;
use anyplace::share::Queue;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use std::sync::atomic::{AtomicBool, Ordering};

/// The part of ``anyplace.share.Queue`` that the engine does.
#[pyclass(subclass, frozen, weakref, generic, module = "anyplace._core")]
pub(crate) struct SharedQueue {
    queue: Queue<PyItem>,
    /// Whether it gives the least first.
    ranks: bool,
    /// Closed in this process, as multiprocessing has it.
    is_closed: AtomicBool,
}

/// Makes or finds a queue.
type Make = fn(&(dyn Share + 'static), &str, usize) -> Result<Queue<PyItem>>;

#[pymethods]
impl SharedQueue {
    #[new]
    #[pyo3(signature = (place=None, name="", order="fifo", maxsize=0, *, _ticket=None))]
    fn new(
        py: Python<'_>,
        place: Option<&Bound<'_, Place>>,
        name: &str,
        order: &str,
        maxsize: i64,
        _ticket: Option<&[u8]>,
    ) -> PyResult<Self> {
        // What does not fit into memory is as good as without end.
        let maxsize = usize::try_from(maxsize).unwrap_or(0);
        let make: Make = match order {
            "fifo" => |share, name, capacity| share.queue(name, capacity),
            "lifo" => |share, name, capacity| share.lifo(name, capacity),
            "priority" => |share, name, capacity| share.priority(name, capacity),
            other => {
                return Err(PyValueError::new_err(format!("order is fifo, lifo or priority, not {other:?}")));
            }
        };
        let queue = ticket::or(py, _ticket, || make(&*home(place)?, name, maxsize))?;
        Ok(Self { queue, ranks: order == "priority", is_closed: AtomicBool::new(false) })
    }

    /// Put an item.
    ///
    /// Parameters
    /// ----------
    /// item : object
    ///     What is put.
    /// block : bool, default True
    ///     Whether to wait while the queue is full.
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Raises
    /// ------
    /// queue.Full
    ///     If it was full all the time.
    /// NotSerializable
    ///     If the item has to travel and cannot.
    /// Ended
    ///     If the queue is shut down; it is also a `ShutDown`.
    #[pyo3(
        signature = (item, block=Truth(true), timeout=None),
        text_signature = "($self, item, block=True, timeout=None)"
    )]
    fn put(
        slf: &Bound<'_, Self>,
        item: &Bound<'_, PyAny>,
        block: Truth,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        Self::put_within(slf, item, Limit::new(block, timeout)?)
    }

    /// Put items, one after the other.
    ///
    /// Those that were put when an exception is raised stay in the queue.
    ///
    /// Parameters
    /// ----------
    /// items : iterable
    ///     What is put.
    /// block : bool, default True
    ///     Whether to wait while the queue is full.
    /// timeout : float, optional
    ///     Seconds to wait at most, for all of them together.
    ///
    /// Raises
    /// ------
    /// queue.Full
    ///     If there was no room for the next one all the time.
    /// NotSerializable, Ended
    ///     As `put`.
    #[pyo3(
        signature = (items, block=Truth(true), timeout=None),
        text_signature = "($self, items, block=True, timeout=None)"
    )]
    fn put_many(
        slf: &Bound<'_, Self>,
        items: &Bound<'_, PyAny>,
        block: Truth,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        let limit = Limit::new(block, timeout)?;
        items.try_iter()?.try_for_each(|item| Self::put_within(slf, &item?, limit))
    }

    /// Put an item, without waiting.
    fn put_nowait(slf: &Bound<'_, Self>, item: &Bound<'_, PyAny>) -> PyResult<()> {
        Self::put(slf, item, Truth(false), None)
    }

    /// Get an item.
    ///
    /// Parameters
    /// ----------
    /// block : bool, default True
    ///     Whether to wait while there is none.
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
    ///     If there was none all the time.
    /// Ended
    ///     If the queue is shut down and empty; it is also a `ShutDown`.
    #[pyo3(signature = (block=Truth(true), timeout=None), text_signature = "($self, block=True, timeout=None)")]
    fn get<'py>(slf: &Bound<'py, Self>, block: Truth, timeout: Option<f64>) -> PyResult<Bound<'py, PyAny>> {
        let (py, queue) = (slf.py(), Self::usable(slf)?);
        match waiting::wait(py, queue.getting(), Limit::new(block, timeout)?)? {
            Some(item) => item.object(py),
            None => Err(empty(py)),
        }
    }

    /// Get an item, without waiting.
    fn get_nowait<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Self::get(slf, Truth(false), None)
    }

    /// Get as many items as there are, waiting only for the first.
    ///
    /// Parameters
    /// ----------
    /// most : int
    ///     How many at most.
    /// block : bool, default True
    ///     Whether to wait while there is none.
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Returns
    /// -------
    /// list
    ///     At least one item.
    ///
    /// Raises
    /// ------
    /// queue.Empty
    ///     If there was none all the time.
    #[pyo3(
        signature = (most, block=Truth(true), timeout=None),
        text_signature = "($self, most, block=True, timeout=None)"
    )]
    fn get_many<'py>(
        slf: &Bound<'py, Self>,
        most: usize,
        block: Truth,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyList>> {
        let (py, queue) = (slf.py(), Self::usable(slf)?);
        let getting = queue.getting_many(most.max(1));
        let items = waiting::wait(py, getting, Limit::new(block, timeout)?)?.ok_or_else(|| empty(py))?;
        let objects: Vec<_> = items.into_iter().map(|item| item.object(py)).collect::<PyResult<_>>()?;
        PyList::new(py, objects)
    }

    /// How many items are in it.
    fn qsize(&self) -> PyResult<usize> {
        reached(|| self.queue.len())
    }

    fn __len__(&self) -> PyResult<usize> {
        reached(|| self.queue.len())
    }

    /// A queue is always true, whether or not there is anything in it.
    fn __bool__(&self) -> bool {
        true
    }

    /// Whether there is nothing in it.
    fn empty(&self) -> PyResult<bool> {
        reached(|| self.queue.is_empty())
    }

    /// Whether nothing more fits.
    fn full(&self) -> PyResult<bool> {
        reached(|| self.queue.is_full())
    }

    /// How many items fit; 0 is as many as there is memory for.
    #[getter]
    fn maxsize(&self) -> PyResult<usize> {
        reached(|| self.queue.capacity())
    }

    /// Say that an item is done that was got.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     If all are done already.
    fn task_done(&self, py: Python<'_>) -> PyResult<()> {
        self.queue.task_done().map_err(|error| raised(py, &error))
    }

    /// Wait until every item that was put is done.
    fn join(&self, py: Python<'_>) -> PyResult<()> {
        waiting::wait(py, self.queue.joining(), Limit::Never).map(drop)
    }

    /// Let nothing more be put, and nothing be got once it is empty: whoever waits for that is told.
    ///
    /// Parameters
    /// ----------
    /// immediate : bool, default False
    ///     Throw away what is in it.
    #[pyo3(signature = (immediate=false))]
    fn shutdown(&self, immediate: bool) -> PyResult<()> {
        reached(|| self.queue.shut_down(immediate))
    }

    /// Its name; empty if it has none.
    #[getter]
    fn name(&self) -> &str {
        self.queue.name()
    }

    /// Refuse to put and get in this process from now on.
    fn _close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    /// Whether it was closed in this process.
    #[getter]
    fn _closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// The wait of a coroutine to put.
    fn _putting(&self, item: &Bound<'_, PyAny>) -> PyResult<Waiting> {
        let (queue, rank, mut item) = (self.queue.clone(), self.rank(item)?, Some(PyItem::new(item)));
        Ok(Waiting::for_true(async move { queue.putting_ranked(rank, &mut item).await }))
    }

    /// The wait of a coroutine for an item.
    fn _getting(&self) -> Waiting {
        let queue = self.queue.clone();
        Waiting::new(async move { queue.getting().await }, |py, item| item.object(py).map(Bound::unbind))
    }

    /// The wait of a coroutine until all is done.
    fn _joining(&self) -> Waiting {
        let queue = self.queue.clone();
        Waiting::for_true(async move { queue.joining().await })
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let order = if slf.get().ranks { "priority" } else { "fifo" };
        ticket::reduce_with(slf, &slf.get().queue, Some(PyTuple::new(slf.py(), [order])?))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let queue = &slf.get().queue;
        ticket::repr(slf, queue.name(), &format!("items={}", slf.get().qsize()?))
    }
}

impl SharedQueue {
    fn put_within(slf: &Bound<'_, Self>, item: &Bound<'_, PyAny>, limit: Limit) -> PyResult<()> {
        let (py, queue) = (slf.py(), Self::usable(slf)?);
        let (rank, mut item) = (slf.get().rank(item)?, Some(PyItem::new(item)));
        let putting = queue.putting_ranked(rank, &mut item);
        waiting::wait(py, putting, limit)?.ok_or_else(|| full(py))
    }

    fn rank(&self, item: &Bound<'_, PyAny>) -> PyResult<i64> {
        if self.ranks { rank(item) } else { Ok(0) }
    }

    /// # Errors
    /// `ValueError` if it was closed in this process.
    fn usable<'a>(slf: &'a Bound<'_, Self>) -> PyResult<&'a Queue<PyItem>> {
        if slf.get()._closed() {
            return Err(PyValueError::new_err(format!("Queue {} is closed", slf.repr()?)));
        }
        Ok(&slf.get().queue)
    }
}
