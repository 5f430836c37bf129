//! A flag that threads wait for.

use super::awaited::{ThreadTurn, yes};
use super::patience::Patience;
use crate::door;
use anyplace_sync::Event;
use anyplace_sync::ground::{Here, Turn};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::time::Instant;

/// What ``anyplace.threading.Event`` is made of.
#[pyclass(subclass, frozen, module = "anyplace._core")]
#[derive(Default)]
pub(crate) struct ThreadEvent {
    event: Event,
}

#[pymethods]
impl ThreadEvent {
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn new(_arguments: &Bound<'_, PyTuple>, _keywords: Option<&Bound<'_, PyDict>>) -> Self {
        Self::default()
    }

    /// Tell whether it is set.
    ///
    /// Returns
    /// -------
    /// bool
    ///     True after ``set()``, until ``clear()``.
    #[inline]
    fn is_set(&self) -> bool {
        self.event.is_set()
    }

    /// Set it: who waits goes on, and who comes does not wait.
    fn set(&self) {
        self.event.set(&Here);
    }

    /// Clear it: who comes waits until it is set again.
    fn clear(&self) {
        self.event.clear(&Here);
    }

    /// Wait until it is set.
    ///
    /// Parameters
    /// ----------
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Returns
    /// -------
    /// bool
    ///     Whether it was set: False only after the timeout.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        if self.event.is_set() {
            return Ok(true);
        }
        match Patience::of_wait(timeout)? {
            Patience::Not => Ok(false),
            patience => self.sleep(py, patience.deadline()),
        }
    }

    /// The turn of a task that awaits it.
    fn _turn(slf: &Bound<'_, Self>, label: &str) -> ThreadTurn {
        ThreadTurn::new(slf, &slf.get().event, label, |py, event: &Event, turn| {
            event.wait(turn, Some(Instant::now())).then(|| yes(py))
        })
    }
}

impl ThreadEvent {
    fn sleep(&self, py: Python<'_>, deadline: Option<Instant>) -> PyResult<bool> {
        let mut turn = Turn::new(&Here);
        let come =
            door::stand(py, &mut turn, deadline, |turn, until| self.event.wait(turn, until).then_some(()))?;
        Ok(come.is_some())
    }
}
