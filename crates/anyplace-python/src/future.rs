//! The caller's end of a task: wait for it, cancel it, end it.

use crate::error;
use crate::settled::Settled;
use crate::{door, gil};
use anyplace::{Error, Handle, Kind, Outcome, Retry, Value};
use pyo3::call::PyCallArgs;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::{OnceLockExt, PyOnceLock};
use pyo3::types::{PyDict, PyTuple, PyType};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The part of ``anyplace.Future`` that the engine completes.
///
/// A future without a task (made by calling the class) is a plain ``concurrent.futures.Future``.
#[pyclass(subclass, frozen, generic, module = "anyplace._core")]
#[derive(Default)]
pub(crate) struct Future {
    handle: OnceLock<Handle<Value>>,
    settled: OnceLock<Settled>,
    /// The place that breaks if what the task returned cannot be read.
    strict: OnceLock<anyplace::Place>,
    /// Somebody awaits it through a mailbox.
    awaited: AtomicBool,
}

#[pymethods]
impl Future {
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn new(_arguments: &Bound<'_, PyTuple>, _keywords: Option<&Bound<'_, PyDict>>) -> Self {
        Self::default()
    }

    /// Waits for the task and gives what it returned.
    ///
    /// Parameters
    /// ----------
    /// timeout : float, optional
    ///     Seconds to wait at most; the task goes on when they are over.
    ///
    /// Returns
    /// -------
    /// object
    ///     What the task returned.
    ///
    /// Raises
    /// ------
    /// Timeout
    ///     If the time is over first.
    /// Cancelled
    ///     If the task was cancelled.
    /// Exception
    ///     What the task raised.
    #[pyo3(signature = (timeout=None))]
    fn result(slf: &Bound<'_, Self>, timeout: Option<f64>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        match slf.get().wait(py, timeout)? {
            Some(Settled::Returned(value)) => Ok(value.clone_ref(py)),
            Some(Settled::Raised(error) | Settled::Cancelled(error)) => Err(error.clone_ref(py)),
            None => plain(py, "result", (slf, timeout)),
        }
    }

    /// Waits for the task and gives what it raised, or None if it returned.
    ///
    /// Parameters
    /// ----------
    /// timeout : float, optional
    ///     Seconds to wait at most; the task goes on when they are over.
    ///
    /// Returns
    /// -------
    /// BaseException or None
    ///     What the task raised.
    ///
    /// Raises
    /// ------
    /// Timeout
    ///     If the time is over first.
    /// Cancelled
    ///     If the task was cancelled.
    #[pyo3(signature = (timeout=None))]
    fn exception(slf: &Bound<'_, Self>, timeout: Option<f64>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        match slf.get().wait(py, timeout)? {
            Some(Settled::Returned(_)) => Ok(py.None()),
            Some(Settled::Raised(error)) => Ok(error::value(py, error)),
            Some(Settled::Cancelled(error)) => Err(error.clone_ref(py)),
            None => plain(py, "exception", (slf, timeout)),
        }
    }

    /// Tells whether the task ended.
    ///
    /// Returns
    /// -------
    /// bool
    ///     True once it returned, raised or was cancelled.
    fn done(slf: &Bound<'_, Self>) -> PyResult<bool> {
        let this = slf.get();
        match this.handle.get() {
            _ if this.settled.get().is_some() => Ok(true),
            Some(handle) => Ok(handle.is_done()),
            None => plain(slf.py(), "done", (slf,))?.extract(slf.py()),
        }
    }

    /// Tells whether a worker runs the task now.
    ///
    /// Returns
    /// -------
    /// bool
    ///     True from its start to its end.
    fn running(slf: &Bound<'_, Self>) -> PyResult<bool> {
        let this = slf.get();
        match this.handle.get() {
            _ if this.settled.get().is_some() => Ok(false),
            Some(handle) => Ok(handle.is_running()),
            None => plain(slf.py(), "running", (slf,))?.extract(slf.py()),
        }
    }

    /// Tells whether the task was cancelled.
    ///
    /// Returns
    /// -------
    /// bool
    ///     True if it never ran, or was ended by ``cancel(kill=True)``.
    fn cancelled(slf: &Bound<'_, Self>) -> PyResult<bool> {
        let this = slf.get();
        match this.look(slf.py()) {
            Some(settled) => Ok(matches!(settled, Settled::Cancelled(_))),
            None if this.handle.get().is_some() => Ok(false),
            None => plain(slf.py(), "cancelled", (slf,))?.extract(slf.py()),
        }
    }

    /// Cancels the task if it has not begun.
    ///
    /// Parameters
    /// ----------
    /// kill : bool, default False
    ///     End it also if it runs, where the place can: `processes:` and `async:` can, threads cannot be ended.
    ///
    /// Returns
    /// -------
    /// bool
    ///     True if it never runs, or will be ended.
    #[pyo3(signature = (*, kill=false))]
    fn cancel(slf: &Bound<'_, Self>, kill: bool) -> PyResult<bool> {
        let (py, this) = (slf.py(), slf.get());
        match (this.look(py), this.handle.get()) {
            (Some(settled), _) => Ok(matches!(settled, Settled::Cancelled(_))),
            (None, Some(handle)) if kill => Ok(door::pass(py, || handle.kill())),
            (None, Some(handle)) => Ok(handle.cancel()),
            (None, None) => plain(py, "cancel", (slf,))?.extract(py),
        }
    }

    /// Calls ``_finished`` of the Python part when the task ended; false if there is no task to watch.
    fn _watch(slf: Bound<'_, Self>) -> PyResult<bool> {
        if slf.get().settled.get().is_some() {
            slf.call_method0("_finished")?;
            return Ok(true);
        }
        let Some(handle) = slf.get().handle.get() else { return Ok(false) };
        let future = slf.clone().unbind();
        let tell = move || {
            gil::with(|py| {
                let told = future.bind(py).call_method0("_finished");
                told.map_or_else(|error| error.write_unraisable(py, Some(future.bind(py).as_any())), drop);
                drop(future);
            });
        };
        handle.when_done(tell);
        Ok(true)
    }
}

impl Future {
    /// A future of `class` for a task; `class` is the Python part's. What cannot be read breaks a `strict` place.
    pub(crate) fn make<'py>(
        class: &Class,
        py: Python<'py>,
        handle: Handle<Value>,
        strict: Option<anyplace::Place>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let future = class.make(py)?;
        let this = future.cast::<Self>()?.get();
        strict.into_iter().for_each(|place| drop(this.strict.set(place)));
        drop(this.handle.set(handle));
        Ok(future)
    }

    /// The task, for the first who awaits it: others wait in another way.
    pub(crate) fn to_await(&self) -> Option<&Handle<Value>> {
        self.handle.get().filter(|_| !self.awaited.swap(true, Ordering::AcqRel))
    }

    /// A future that is done, since its task could not be sent.
    pub(crate) fn failed<'py>(class: &Class, py: Python<'py>, error: PyErr) -> PyResult<Bound<'py, PyAny>> {
        let future = class.make(py)?;
        drop(future.cast::<Self>()?.get().settled.set(Settled::Raised(error)));
        Ok(future)
    }

    /// How the task ended, waiting for it; `None` if there is no task.
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<&Settled>> {
        let Some(handle) = self.handle.get().filter(|_| self.settled.get().is_none()) else {
            return Ok(self.settled.get());
        };
        if !handle.is_done() {
            let deadline = timeout.and_then(deadline);
            let ended = |handle: &mut &Handle<Value>, until| handle.wait_until(until).then_some(());
            if door::attend(py, deadline, &mut &*handle, ended, |_| ())?.is_none() {
                return Err(error::to_python(py, &late(timeout.unwrap_or_default())));
            }
        }
        Ok(Some(self.settle(py, handle)))
    }

    /// How the task ended, if it did.
    pub(crate) fn look(&self, py: Python<'_>) -> Option<&Settled> {
        let handle = || self.handle.get().filter(|handle| handle.is_done());
        self.settled.get().or_else(|| handle().map(|handle| self.settle(py, handle)))
    }

    fn settle(&self, py: Python<'_>, handle: &Handle<Value>) -> &Settled {
        self.settled.get_or_init_py_attached(py, || {
            Settled::one(py, handle.take().unwrap_or_else(taken), self.strict.get())
        })
    }
}

/// When a wait of so many seconds ends; `None` if it never does.
pub(crate) fn deadline(seconds: f64) -> Option<Instant> {
    let seconds = if seconds > 0.0 { seconds } else { 0.0 };
    Duration::try_from_secs_f64(seconds).ok().and_then(|timeout| Instant::now().checked_add(timeout))
}

/// A time that somebody names.
///
/// # Errors
/// `ConfigInvalid` if it is none.
pub(crate) fn seconds(seconds: f64) -> anyplace::Result<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        Error::new(Kind::ConfigInvalid, format!("`{seconds}` is no number of seconds"))
            .with_help("write a number from 0 on")
    })
}

fn late(seconds: f64) -> Error {
    Error::new(Kind::Timeout, format!("the task has not ended within {seconds} s"))
        .during("result")
        .with_retry(Retry::MayRepeat)
        .with_help("it goes on: wait again, or end it by `cancel(kill=True)`")
}

fn taken() -> Outcome {
    Outcome::Failed(Error::new(Kind::Unexpected, "the outcome was already taken"))
}

/// What the standard library's future does; `arguments` begin with the future.
fn plain<'py>(py: Python<'py>, method: &str, arguments: impl PyCallArgs<'py>) -> PyResult<Py<PyAny>> {
    static BASE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let base = BASE.import(py, "concurrent.futures", "Future")?;
    Ok(base.getattr(method)?.call1(arguments)?.unbind())
}

/// The class of futures, and how to make one without a call: its `__init__` is that of the standard library, whose
/// lock and lists cost more than the whole of a short task. They are made when somebody touches them (`_future.py`).
pub(crate) struct Class {
    class: Py<PyType>,
    new: ffi::newfunc,
    nothing: Py<PyTuple>,
}

impl Class {
    pub(crate) fn get(py: Python<'_>) -> PyResult<&'static Self> {
        static CLASS: PyOnceLock<Class> = PyOnceLock::new();
        CLASS.get_or_try_init(py, || {
            let class = py.import("anyplace._future")?.getattr("Future")?.cast_into::<PyType>()?;
            // SAFETY: `class` is a heap type.
            let slot = unsafe { ffi::PyType_GetSlot(class.as_type_ptr(), ffi::Py_tp_new) };
            assert!(!slot.is_null(), "every class that can be called has `tp_new`");
            // SAFETY: the slot `tp_new` holds a `newfunc`.
            let new = unsafe { std::mem::transmute::<*mut std::ffi::c_void, ffi::newfunc>(slot) };
            Ok(Self { class: class.unbind(), new, nothing: PyTuple::empty(py).unbind() })
        })
    }

    fn make<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let class = self.class.bind(py).as_type_ptr();
        // SAFETY: the class is alive, the arguments are a tuple, and there are no keywords.
        let made = unsafe { (self.new)(class, self.nothing.as_ptr(), std::ptr::null_mut()) };
        // SAFETY: `tp_new` gives a new reference, or null with an exception set.
        unsafe { Bound::from_owned_ptr_or_err(py, made) }
    }
}
