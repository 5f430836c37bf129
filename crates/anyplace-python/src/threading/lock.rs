//! A lock that any thread may release.

use super::awaited::{ThreadTurn, yes};
use super::condition::TakenBack;
use super::patience::Patience;
use super::quick::Quick;
use super::rlock::Saved;
use crate::door;
use anyplace_sync::Lock;
use anyplace_sync::ground::{Here, Turn};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::time::Instant;

/// What ``anyplace.threading.Lock`` is made of.
#[pyclass(subclass, frozen, module = "anyplace._core")]
#[derive(Default)]
pub(crate) struct ThreadLock {
    lock: Lock,
}

#[pymethods]
impl ThreadLock {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Take the lock, waiting for it if need be.
    ///
    /// Parameters
    /// ----------
    /// blocking : bool, default True
    ///     Wait if somebody has it.
    /// timeout : float, default -1
    ///     Seconds to wait at most; -1 is as long as it takes.
    ///
    /// Returns
    /// -------
    /// bool
    ///     Whether it is taken.
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
        match Patience::of_lock(blocking, timeout)? {
            _ if self.lock.try_acquire(&Here).is_some() => Ok(true),
            Patience::Not => Ok(false),
            patience => self.wait(py, patience.deadline()),
        }
    }

    /// Let go of the lock, whoever has it.
    ///
    /// Raises
    /// ------
    /// RuntimeError
    ///     If nobody has it.
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
        self.lock.is_locked()
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

    /// The turn of a task that awaits it.
    #[pyo3(signature = (label, _saved=None))]
    fn _turn(slf: &Bound<'_, Self>, label: &str, _saved: Option<&Bound<'_, PyAny>>) -> ThreadTurn {
        ThreadTurn::new(slf, &slf.get().lock, label, |py, lock: &Lock, turn| {
            lock.acquire(turn, Some(Instant::now())).map(|_| yes(py))
        })
    }

    /// Free it in the child of a fork: whoever had it stayed with the parent.
    fn _at_fork_reinit(&self) {
        // Nobody having it is as good.
        let _ = self.lock.release(&Here);
    }
}

impl ThreadLock {
    #[cold]
    fn wait(&self, py: Python<'_>, deadline: Option<Instant>) -> PyResult<bool> {
        let mut turn = Turn::new(&Here);
        let taken = door::stand(py, &mut turn, deadline, |turn, until| self.lock.acquire(turn, until))?;
        Ok(taken.is_some())
    }
}

impl Quick for ThreadLock {
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
        self.lock.try_acquire(&Here).is_some()
    }

    fn take(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.try_take() || self.wait(py, None)?)
    }

    #[inline]
    fn let_go(&self) -> PyResult<()> {
        self.lock.release(&Here).map_err(|error| PyRuntimeError::new_err(error.to_string()))
    }
}

impl TakenBack for ThreadLock {
    /// Any thread may have taken it: somebody has, as the standard library's condition finds it.
    fn is_ours(&self, _: Python<'_>) -> bool {
        self.lock.is_locked()
    }

    fn give_up(&self, _: Python<'_>) -> PyResult<Saved> {
        self.release().map(|()| Saved::default())
    }

    fn take_back<'g>(&'g self, _saved: Saved, turn: &mut Turn<'g, Here>, until: Option<Instant>) -> bool {
        self.lock.acquire(turn, until).is_some()
    }
}
