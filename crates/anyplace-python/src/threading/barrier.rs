//! A number of threads that wait for one another.

use super::awaited::{ThreadTurn, no};
use super::patience::Patience;
use crate::door;
use anyplace_sync::Barrier;
use anyplace_sync::ground::{Here, Turn};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::time::Instant;

/// What ``anyplace.threading.Barrier`` is made of.
#[pyclass(subclass, frozen, module = "anyplace._core")]
#[derive(Default)]
pub(crate) struct ThreadBarrier {
    barrier: Barrier,
}

#[pymethods]
impl ThreadBarrier {
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn new(_arguments: &Bound<'_, PyTuple>, _keywords: Option<&Bound<'_, PyDict>>) -> Self {
        Self::default()
    }

    /// Says how many threads it is for.
    fn _begin(&self, parties: i64) -> PyResult<()> {
        let parties = u32::try_from(parties).ok().filter(|&parties| parties > 0);
        self.barrier.begin(parties.ok_or_else(|| PyValueError::new_err("parties must be >= 1"))?);
        Ok(())
    }

    /// Waits until all have come: which one this was, and whether it was the last and has to open. Nothing if the barrier
    /// is broken, which it is when the time is over.
    fn _arrive(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<(u32, bool)>> {
        let deadline = Patience::of_wait(timeout)?.deadline();
        let mut turn = Turn::new(&Here);
        let arrived = door::stand(py, &mut turn, deadline, |turn, until| self.barrier.arrive(turn, until))?;
        if arrived.is_none() {
            self.barrier.abort(&Here);
        }
        Ok(arrived.and_then(Result::ok).map(|arrived| (arrived.index, arrived.is_last)))
    }

    /// The turn of a task that awaits the others: it gives what `_arrive` gives, but False for a broken barrier.
    fn _turn(slf: &Bound<'_, Self>, label: &str) -> ThreadTurn {
        ThreadTurn::new(slf, &slf.get().barrier, label, |py, barrier: &Barrier, turn| {
            let arrived = barrier.arrive(turn, Some(Instant::now()))?;
            let found = arrived.map(|arrived| (arrived.index, arrived.is_last).into_pyobject(py));
            let found = found.map(|found| found.map(|found| found.into_any().unbind()));
            Some(found.ok().and_then(Result::ok).unwrap_or_else(|| no(py)))
        })
    }

    /// Lets all go who have come; false if the barrier was broken meanwhile.
    fn _open(&self) -> bool {
        self.barrier.open(&Here).is_ok()
    }

    /// Make it empty and whole: who waits gets ``BrokenBarrierError``.
    fn reset(&self) {
        self.barrier.reset(&Here);
    }

    /// Break it: who waits and who comes gets ``BrokenBarrierError``.
    fn abort(&self) {
        self.barrier.abort(&Here);
    }

    /// How many threads it is for.
    #[getter]
    fn parties(&self) -> u32 {
        self.barrier.parties()
    }

    /// How many wait for the others.
    #[getter]
    fn n_waiting(&self) -> usize {
        self.barrier.waiting(&Here)
    }

    /// Whether it is broken.
    #[getter]
    fn broken(&self) -> bool {
        self.barrier.is_broken()
    }
}
