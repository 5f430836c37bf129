//! A lock that its owner may take again.

use super::awaited::{ThreadTurn, yes};
use super::condition::TakenBack;
use super::patience::Patience;
use super::quick::Quick;
use crate::door;
use anyplace_sync::RLock;
use anyplace_sync::ground::{Here, Turn};
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use std::time::Instant;

/// What ``anyplace.threading.RLock`` is made of.
#[pyclass(subclass, frozen, module = "anyplace._core")]
#[derive(Default)]
pub(crate) struct ThreadRLock {
    lock: RLock,
}

/// Set in the numbers of tasks: no thread's has it.
const TASK: u64 = 1 << 63;

/// How often a lock was taken, and by whom, while a condition has it released.
pub(super) type Saved = (u32, u64);

#[pymethods]
impl ThreadRLock {
    /// As the standard library's, it takes what subclasses are made with.
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn new(_arguments: &Bound<'_, PyTuple>, _keywords: Option<&Bound<'_, PyDict>>) -> Self {
        Self::default()
    }

    /// Take the lock, waiting for it unless this thread has it already.
    ///
    /// Parameters
    /// ----------
    /// blocking : bool, default True
    ///     Wait if another thread has it.
    /// timeout : float, default -1
    ///     Seconds to wait at most; -1 is as long as it takes.
    ///
    /// Returns
    /// -------
    /// bool
    ///     Whether it is taken, once more if it was before.
    #[pyo3(signature = (blocking=None, timeout=None), text_signature = "($self, blocking=True, timeout=-1)")]
    fn acquire(
        &self,
        py: Python<'_>,
        blocking: Option<&Bound<'_, PyAny>>,
        timeout: Option<f64>,
    ) -> PyResult<bool> {
        if blocking.is_none() && timeout.is_none() {
            return self.take(py);
        }
        let owner = self.owner(py);
        match Patience::of_lock(blocking, timeout)? {
            _ if self.lock.try_acquire(&Here, owner).is_some() => Ok(true),
            Patience::Not => Ok(false),
            patience => self.wait(py, (1, owner), patience.deadline()),
        }
    }

    /// Let go of the lock, as often as it was taken.
    ///
    /// Raises
    /// ------
    /// RuntimeError
    ///     If this thread does not have it.
    fn release(&self) -> PyResult<()> {
        self.let_go()
    }

    /// Tell whether somebody has it.
    ///
    /// Returns
    /// -------
    /// bool
    ///     They may have let go a moment later.
    fn locked(&self) -> bool {
        self.lock.lock().is_locked()
    }

    fn __enter__(&self, py: Python<'_>) -> PyResult<bool> {
        self.take(py)
    }

    #[pyo3(signature = (_kind=None, _error=None, _traceback=None))]
    fn __exit__(
        &self,
        _kind: Option<&Bound<'_, PyAny>>,
        _error: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.release()
    }

    fn _is_owned(&self, py: Python<'_>) -> bool {
        self.lock.is_owned(&Here, self.owner(py))
    }

    fn _recursion_count(&self, py: Python<'_>) -> u32 {
        self.lock.count(&Here, self.owner(py))
    }

    /// The thread that has it and how often it took it, or nothing.
    fn _owner(&self) -> Option<(u64, u32)> {
        let depth = self.lock.depth();
        (depth > 0).then(|| (self.lock.owner(), depth))
    }

    /// For a condition: releases it wholly.
    fn _release_save(&self, py: Python<'_>) -> PyResult<Saved> {
        let owner = self.owner(py);
        let released = self.lock.release_all(&Here, owner);
        Ok((released.map_err(|error| PyRuntimeError::new_err(error.to_string()))?, owner))
    }

    /// For a condition: takes it as it was. It hears no signal, since whoever waits for a condition has the lock then.
    fn _acquire_restore(&self, py: Python<'_>, saved: Saved) {
        crate::gil::without(py, || self.take_back(saved, &mut Turn::new(&Here), None));
    }

    /// What a task that takes it has to give back: it has it, and not its thread, on which other tasks run meanwhile. Unless
    /// the thread has it already: then the task has taken it before, without awaiting.
    fn _task(&self, py: Python<'_>) -> PyResult<Saved> {
        let me = this_thread();
        if self.lock.is_owned(&Here, me) {
            return Ok((1, me));
        }
        let error = || PyRuntimeError::new_err("no running task");
        Ok((1, task(py).ok_or_else(error)?))
    }

    /// Takes it for a task if that is possible at once.
    fn _try(&self, saved: Saved) -> bool {
        self.lock.try_acquire(&Here, saved.1).is_some()
    }

    /// The turn of a task that awaits it.
    fn _turn(slf: &Bound<'_, Self>, label: &str, saved: Saved) -> ThreadTurn {
        let (count, owner) = saved;
        ThreadTurn::new(slf, &slf.get().lock, label, move |py, lock: &RLock, turn| {
            lock.acquire_count(turn, owner, count, Some(Instant::now())).map(|_| yes(py))
        })
    }

    /// Free it in the child of a fork: whoever had it stayed with the parent.
    fn _at_fork_reinit(&self) {
        // Nobody having it is as good.
        let _ = self.lock.release_all(&Here, self.lock.owner());
    }
}

impl ThreadRLock {
    /// As whom the caller has it, or would take it: as its task if a task has it, else as its thread.
    fn owner(&self, py: Python<'_>) -> u64 {
        let of_task = self.lock.owner() & TASK != 0;
        of_task.then(|| task(py)).flatten().unwrap_or_else(this_thread)
    }

    #[cold]
    fn wait(&self, py: Python<'_>, (count, owner): Saved, deadline: Option<Instant>) -> PyResult<bool> {
        let mut turn = Turn::new(&Here);
        let taken = door::stand(py, &mut turn, deadline, |turn, until| {
            self.lock.acquire_count(turn, owner, count, until)
        })?;
        Ok(taken.is_some())
    }
}

impl Quick for ThreadRLock {
    fn acquire(
        &self,
        py: Python<'_>,
        blocking: Option<&Bound<'_, PyAny>>,
        timeout: Option<f64>,
    ) -> PyResult<bool> {
        self.acquire(py, blocking, timeout)
    }

    #[inline]
    fn try_take(&self) -> bool {
        self.lock.try_acquire(&Here, this_thread()).is_some()
    }

    fn take(&self, py: Python<'_>) -> PyResult<bool> {
        let owner = self.owner(py);
        Ok(self.lock.try_acquire(&Here, owner).is_some() || self.wait(py, (1, owner), None)?)
    }

    #[inline]
    fn let_go(&self) -> PyResult<()> {
        let released = self.lock.release(&Here, this_thread());
        let released = released.or_else(|_| self.lock.release(&Here, Python::attach(|py| self.owner(py))));
        released.map_err(|error| PyRuntimeError::new_err(error.to_string()))
    }
}

impl TakenBack for ThreadRLock {
    fn is_ours(&self, py: Python<'_>) -> bool {
        self._is_owned(py)
    }

    fn give_up(&self, py: Python<'_>) -> PyResult<Saved> {
        self._release_save(py)
    }

    fn take_back<'g>(
        &'g self,
        (count, owner): Saved,
        turn: &mut Turn<'g, Here>,
        until: Option<Instant>,
    ) -> bool {
        self.lock.acquire_count(turn, owner, count, until).is_some()
    }
}

/// The number of the asyncio task that runs on this thread; nothing if none does.
fn task(py: Python<'_>) -> Option<u64> {
    static CURRENT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    // Outside of a loop it raises.
    let task = CURRENT.import(py, "asyncio", "current_task").ok()?.call0().ok()?;
    (!task.is_none()).then(|| task.as_ptr().addr() as u64 | TASK)
}

/// The number by which Python knows this thread: no other living one has it.
#[inline]
fn this_thread() -> u64 {
    // SAFETY: it only reads the thread's own number.
    unsafe { ffi::PyThread_get_thread_ident() }
}
