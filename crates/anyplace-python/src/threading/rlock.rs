//! A lock that its owner may take again.

use super::condition::TakenBack;
use super::patience::Patience;
use super::quick::Quick;
use crate::door;
use anyplace_sync::RLock;
use anyplace_sync::ground::{Here, Turn};
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use std::time::Instant;

/// What ``anyplace.threading.RLock`` is made of.
#[pyclass(subclass, frozen, module = "anyplace._core")]
#[derive(Default)]
pub(crate) struct ThreadRLock {
    lock: RLock,
}

/// How often a lock was taken, and by whom, while a condition has it released.
pub(super) type Saved = (u32, u64);

#[pymethods]
impl ThreadRLock {
    #[new]
    fn new() -> Self {
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
        match Patience::of_lock(blocking, timeout)? {
            _ if self.lock.try_acquire(&Here, this_thread()).is_some() => Ok(true),
            Patience::Not => Ok(false),
            patience => self.wait(py, (1, this_thread()), patience.deadline()),
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

    fn _is_owned(&self) -> bool {
        self.lock.is_owned(&Here, this_thread())
    }

    fn _recursion_count(&self) -> u32 {
        self.lock.count(&Here, this_thread())
    }

    /// The thread that has it and how often it took it, or nothing.
    fn _owner(&self) -> Option<(u64, u32)> {
        let depth = self.lock.depth();
        (depth > 0).then(|| (self.lock.owner(), depth))
    }

    /// For a condition: releases it wholly.
    fn _release_save(&self) -> PyResult<Saved> {
        let owner = this_thread();
        let released = self.lock.release_all(&Here, owner);
        Ok((released.map_err(|error| PyRuntimeError::new_err(error.to_string()))?, owner))
    }

    /// For a condition: takes it as it was. It hears no signal, since whoever waits for a condition has the lock then.
    fn _acquire_restore(&self, py: Python<'_>, saved: Saved) {
        crate::gil::without(py, || self.take_back(saved, &mut Turn::new(&Here), None));
    }

    /// Free it in the child of a fork: whoever had it stayed with the parent.
    fn _at_fork_reinit(&self) {
        // Nobody having it is as good.
        let _ = self.lock.release_all(&Here, self.lock.owner());
    }
}

impl ThreadRLock {
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
    #[inline]
    fn try_take(&self) -> bool {
        self.lock.try_acquire(&Here, this_thread()).is_some()
    }

    fn take(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.try_take() || self.wait(py, (1, this_thread()), None)?)
    }

    #[inline]
    fn let_go(&self) -> PyResult<()> {
        self.lock.release(&Here, this_thread()).map_err(|error| PyRuntimeError::new_err(error.to_string()))
    }
}

impl TakenBack for ThreadRLock {
    fn is_ours(&self) -> bool {
        self._is_owned()
    }

    fn give_up(&self) -> PyResult<Saved> {
        self._release_save()
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

/// The number by which Python knows this thread: no other living one has it.
#[inline]
fn this_thread() -> u64 {
    // SAFETY: it only reads the thread's own number.
    unsafe { ffi::PyThread_get_thread_ident() }
}
