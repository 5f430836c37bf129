//! A number of permits.

use super::awaited::{ThreadTurn, yes};
use super::patience::Patience;
use crate::door;
use anyplace_sync::ground::{Here, Turn};
use anyplace_sync::{Semaphore, TooOften};
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::time::Instant;

/// What ``anyplace.threading.Semaphore`` and ``BoundedSemaphore`` are made of.
#[pyclass(subclass, frozen, module = "anyplace._core")]
#[derive(Default)]
pub(crate) struct ThreadSemaphore {
    semaphore: Semaphore,
}

#[pymethods]
impl ThreadSemaphore {
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn new(_arguments: &Bound<'_, PyTuple>, _keywords: Option<&Bound<'_, PyDict>>) -> Self {
        Self::default()
    }

    /// Says how many permits there are, and whether there may never be more.
    fn _begin(&self, value: i64, is_bounded: bool) -> PyResult<()> {
        if value < 0 {
            return Err(PyValueError::new_err("semaphore initial value must be >= 0"));
        }
        self.semaphore.begin(permits(value)?, is_bounded, 0);
        Ok(())
    }

    /// Take a permit, waiting for one if need be.
    ///
    /// Parameters
    /// ----------
    /// blocking : bool, default True
    ///     Wait if there is none.
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Returns
    /// -------
    /// bool
    ///     Whether one is taken.
    #[inline]
    #[pyo3(signature = (blocking=None, timeout=None), text_signature = "($self, blocking=True, timeout=None)")]
    fn acquire(
        &self,
        py: Python<'_>,
        blocking: Option<&Bound<'_, PyAny>>,
        timeout: Option<f64>,
    ) -> PyResult<bool> {
        if blocking.is_none() && timeout.is_none() {
            return self.take(py);
        }
        match Patience::of_semaphore(blocking, timeout)? {
            _ if self.semaphore.try_acquire(&Here) => Ok(true),
            Patience::Not => Ok(false),
            patience => self.wait(py, patience.deadline()),
        }
    }

    /// Give permits back.
    ///
    /// Parameters
    /// ----------
    /// n : int, default 1
    ///     How many.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     If there would be more than a bounded semaphore began with.
    #[inline]
    #[pyo3(signature = (n=1))]
    fn release(&self, n: i64) -> PyResult<()> {
        if n < 1 {
            return Err(PyValueError::new_err("n must be one or more"));
        }
        self.give(permits(n)?)
    }

    #[inline]
    fn __enter__(&self, py: Python<'_>) -> PyResult<bool> {
        self.take(py)
    }

    #[inline]
    #[pyo3(signature = (_kind=None, _error=None, _traceback=None))]
    fn __exit__(
        &self,
        _kind: Option<&Bound<'_, PyAny>>,
        _error: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.give(1)
    }

    /// The turn of a task that awaits a permit.
    fn _turn(slf: &Bound<'_, Self>, label: &str) -> ThreadTurn {
        ThreadTurn::new(slf, &slf.get().semaphore, label, |py, semaphore: &Semaphore, turn| {
            semaphore.acquire(turn, Some(Instant::now())).then(|| yes(py))
        })
    }

    /// How many permits there are.
    #[getter]
    fn _value(&self) -> u32 {
        self.semaphore.value()
    }

    /// How many there were at first.
    #[getter]
    fn _initial_value(&self) -> u32 {
        self.semaphore.initial()
    }
}

impl ThreadSemaphore {
    fn take(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.semaphore.try_acquire(&Here) || self.wait(py, None)?)
    }

    fn give(&self, count: u32) -> PyResult<()> {
        self.semaphore.release(&Here, count).map_err(too_often)
    }

    #[cold]
    fn wait(&self, py: Python<'_>, deadline: Option<Instant>) -> PyResult<bool> {
        let mut turn = Turn::new(&Here);
        let taken = door::stand(py, &mut turn, deadline, |turn, until| {
            self.semaphore.acquire(turn, until).then_some(())
        })?;
        Ok(taken.is_some())
    }
}

fn permits(count: i64) -> PyResult<u32> {
    let error = || PyOverflowError::new_err(format!("a semaphore counts to {}", Semaphore::MOST));
    u32::try_from(count).ok().filter(|&count| count <= Semaphore::MOST).ok_or_else(error)
}

fn too_often(error: TooOften) -> PyErr {
    if error.bounded {
        PyValueError::new_err("Semaphore released too many times")
    } else {
        PyOverflowError::new_err(error.to_string())
    }
}
