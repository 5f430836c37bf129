//! A condition over any lock. Over ours, who is notified takes the lock back before it asks for the interpreter's: whoever
//! notified it mostly has both, and lets go of them one right after the other.

use super::awaited::{ThreadTurn, yes};
use super::lock::ThreadLock;
use super::patience::Patience;
use super::quick::Quick;
use super::rlock::{Saved, ThreadRLock};
use crate::{door, gil};
use anyplace_sync::Condition;
use anyplace_sync::ground::{Here, Turn};
use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::sync::OnceLock;
use std::time::Instant;

/// What ``anyplace.threading.Condition`` is made of.
#[pyclass(subclass, frozen, module = "anyplace._core")]
#[derive(Default)]
pub(crate) struct ThreadCondition {
    condition: Condition,
    lock: OnceLock<Beneath>,
}

/// The lock that the condition goes with.
enum Beneath {
    Lock(Py<ThreadLock>),
    RLock(Py<ThreadRLock>),
    /// Anybody's lock, or one of ours whose methods are somebody else's.
    Other(Py<PyAny>),
}

/// A lock that can be let go of and taken back as it was, without the interpreter's lock.
pub(super) trait TakenBack: Sync {
    fn is_ours(&self, py: Python<'_>) -> bool;

    fn give_up(&self, py: Python<'_>) -> PyResult<Saved>;

    /// Whether it is taken, which it may not be when `until` has come.
    fn take_back<'g>(&'g self, saved: Saved, turn: &mut Turn<'g, Here>, until: Option<Instant>) -> bool;
}

#[pymethods]
impl ThreadCondition {
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn new(_arguments: &Bound<'_, PyTuple>, _keywords: Option<&Bound<'_, PyDict>>) -> Self {
        Self::default()
    }

    /// Says which lock it goes with. Those that `are_ours` alone are called without asking Python.
    fn _over(&self, lock: Bound<'_, PyAny>, is_ours: bool) {
        let beneath = match (lock.cast::<ThreadLock>(), lock.cast::<ThreadRLock>()) {
            (Ok(ours), _) if is_ours => Beneath::Lock(ours.clone().unbind()),
            (_, Ok(ours)) if is_ours => Beneath::RLock(ours.clone().unbind()),
            _ => Beneath::Other(lock.unbind()),
        };
        // Called once, when it is made.
        drop(self.lock.set(beneath));
    }

    /// Let go of the lock, wait until notified, and take the lock back.
    ///
    /// Parameters
    /// ----------
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Returns
    /// -------
    /// bool
    ///     Whether it was notified.
    ///
    /// Raises
    /// ------
    /// RuntimeError
    ///     If this thread does not have the lock.
    #[pyo3(signature = (timeout=None))]
    fn wait(slf: &Bound<'_, Self>, timeout: Option<f64>) -> PyResult<bool> {
        let (py, this) = (slf.py(), slf.get());
        Self::expect_owned(slf, "wait on")?;
        let deadline = Patience::of_wait(timeout)?.deadline();
        match this.lock.get() {
            Some(Beneath::Lock(lock)) => this.wait_over(py, lock.get(), deadline),
            Some(Beneath::RLock(lock)) => this.wait_over(py, lock.get(), deadline),
            _ => Self::wait_over_other(slf, deadline),
        }
    }

    /// Wake those who have waited longest.
    ///
    /// Parameters
    /// ----------
    /// n : int, default 1
    ///     How many at most.
    ///
    /// Raises
    /// ------
    /// RuntimeError
    ///     If this thread does not have the lock.
    #[pyo3(signature = (n=1))]
    fn notify(slf: &Bound<'_, Self>, n: i64) -> PyResult<()> {
        Self::expect_owned(slf, "notify on")?;
        slf.get().condition.notify(&Here, usize::try_from(n).unwrap_or(0));
        Ok(())
    }

    /// Wake all who wait.
    ///
    /// Raises
    /// ------
    /// RuntimeError
    ///     If this thread does not have the lock.
    fn notify_all(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::notify(slf, i64::MAX)
    }

    /// The turn of a task that awaits a notification, in line already.
    fn _enlist(slf: &Bound<'_, Self>, label: &str) -> PyResult<ThreadTurn> {
        Self::expect_owned(slf, "wait on")?;
        let sleep = |py: Python<'_>, condition: &'static Condition, turn: &mut Turn<'static, Here>| {
            condition.sleep(turn, Some(Instant::now())).then(|| yes(py))
        };
        let turn = ThreadTurn::new(slf, &slf.get().condition, label, sleep);
        // Looking puts it in line: nobody notifies it before.
        turn.look(slf.py());
        Ok(turn)
    }

    /// Passes on a notification that came to one who does not wait any more.
    fn _pass_on(&self) {
        self.condition.notify(&Here, 1);
    }

    /// How many wait.
    fn _waiting(&self) -> usize {
        self.condition.waiting(&Here)
    }

    #[inline]
    fn __enter__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let taken = match slf.get().lock.get() {
            Some(Beneath::Lock(lock)) => lock.get().take(py)?,
            Some(Beneath::RLock(lock)) => lock.get().take(py)?,
            Some(Beneath::Other(lock)) => return lock.call_method0(py, intern!(py, "__enter__")),
            None => return Err(unfinished()),
        };
        Ok(taken.into_pyobject(py)?.to_owned().into_any().unbind())
    }

    #[pyo3(signature = (*arguments))]
    fn __exit__(slf: &Bound<'_, Self>, arguments: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        match slf.get().lock.get() {
            Some(Beneath::Lock(lock)) => lock.get().let_go()?,
            Some(Beneath::RLock(lock)) => lock.get().let_go()?,
            Some(Beneath::Other(lock)) => return lock.call_method1(py, intern!(py, "__exit__"), arguments),
            None => return Err(unfinished()),
        }
        Ok(py.None())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.lock.get() {
            Some(Beneath::Other(lock)) => visit.call(lock),
            Some(Beneath::Lock(lock)) => visit.call(lock),
            Some(Beneath::RLock(lock)) => visit.call(lock),
            None => Ok(()),
        }
    }
}

impl ThreadCondition {
    fn expect_owned(slf: &Bound<'_, Self>, purpose: &str) -> PyResult<()> {
        let is_owned = match slf.get().lock.get() {
            Some(Beneath::Lock(lock)) => lock.get().is_ours(slf.py()),
            Some(Beneath::RLock(lock)) => lock.get().is_ours(slf.py()),
            _ => slf.call_method0(intern!(slf.py(), "_is_owned"))?.is_truthy()?,
        };
        let error = || PyRuntimeError::new_err(format!("cannot {purpose} un-acquired lock"));
        is_owned.then_some(()).ok_or_else(error)
    }

    fn wait_over(&self, py: Python<'_>, lock: &impl TakenBack, deadline: Option<Instant>) -> PyResult<bool> {
        let (mut turn, mut back) = (Turn::new(&Here), Turn::new(&Here));
        self.condition.enlist(&mut turn);
        let saved = lock.give_up(py)?;
        let notified = door::stand(py, &mut turn, deadline, |turn, until| {
            self.condition.sleep(turn, until).then(|| lock.take_back(saved, &mut back, until))
        });
        if !matches!(notified, Ok(Some(true))) {
            gil::without(py, || lock.take_back(saved, &mut back, None));
        }
        self.conclude(turn, notified.map(|notified| notified.is_some()))
    }

    fn wait_over_other(slf: &Bound<'_, Self>, deadline: Option<Instant>) -> PyResult<bool> {
        let (py, this) = (slf.py(), slf.get());
        let mut turn = Turn::new(&Here);
        this.condition.enlist(&mut turn);
        let saved = slf.call_method0(intern!(py, "_release_save"))?;
        let notified = door::stand(py, &mut turn, deadline, |turn, until| {
            this.condition.sleep(turn, until).then_some(())
        });
        slf.call_method1(intern!(py, "_acquire_restore"), (saved,))?;
        this.conclude(turn, notified.map(|notified| notified.is_some()))
    }

    /// Whoever is notified after its time was over, while it took the lock back, was notified nevertheless; and if a signal
    /// ended its wait, the notification is the next one's.
    fn conclude<'g>(&'g self, mut turn: Turn<'g, Here>, notified: PyResult<bool>) -> PyResult<bool> {
        let late = !matches!(notified, Ok(true)) && self.condition.sleep(&mut turn, Some(Instant::now()));
        if late && notified.is_err() {
            self.condition.notify(&Here, 1);
        }
        notified.map(|notified| notified || late)
    }
}

fn unfinished() -> PyErr {
    PyRuntimeError::new_err("Condition.__init__() was not called")
}
