//! A point where so many wait for each other.

use super::home::home;
use super::limit::{Limit, Truth};
use super::raised::{raised, reached};
use super::ticket;
use super::waiting::{self, Waiting};
use crate::place::Place;
use anyplace::share::Barrier;
use anyplace::{Error, Kind};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;

/// The part of ``anyplace.share.Barrier`` that the engine does.
#[pyclass(subclass, frozen, weakref, module = "anyplace._core")]
pub(crate) struct SharedBarrier {
    barrier: Barrier,
    action: Option<Py<PyAny>>,
    timeout: Option<f64>,
}

#[pymethods]
impl SharedBarrier {
    #[new]
    #[pyo3(signature = (place=None, name="", parties=1, action=None, timeout=None, *, _ticket=None))]
    fn new(
        py: Python<'_>,
        place: Option<&Bound<'_, Place>>,
        name: &str,
        parties: i64,
        action: Option<Py<PyAny>>,
        timeout: Option<f64>,
        _ticket: Option<&[u8]>,
    ) -> PyResult<Self> {
        let parties = u32::try_from(parties).ok().filter(|&parties| parties > 0);
        let parties = parties.ok_or_else(|| PyValueError::new_err("parties must be > 0"))?;
        let barrier = ticket::or(py, _ticket, || home(place)?.barrier(name, parties))?;
        Ok(Self { barrier, action, timeout })
    }

    /// Wait for the others.
    ///
    /// Parameters
    /// ----------
    /// timeout : float, optional
    ///     Seconds to wait at most; as many as the barrier was made with unless it is given. When they are over,
    ///     the barrier breaks.
    ///
    /// Returns
    /// -------
    /// int
    ///     Another number from 0 for each of those who waited together.
    ///
    /// Raises
    /// ------
    /// threading.BrokenBarrierError
    ///     If the barrier breaks, or is reset meanwhile.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<u32> {
        let limit = Limit::new(Truth(true), timeout.or(self.timeout))?;
        // Who was interrupted, or waited long enough, does not come any more.
        let arrived = waiting::wait(py, self.barrier.gathering(), limit).inspect_err(|error| {
            if !is_broken(py, error) {
                // If it cannot be reached, that is the error.
                drop(self.abort());
            }
        })?;
        let Some(arrived) = arrived else {
            self.abort()?;
            let error = Error::new(Kind::Broken, "the others did not come in time, so the barrier is broken");
            return Err(raised(py, &error));
        };
        if arrived.is_last {
            self.open(py)?;
        }
        Ok(arrived.index)
    }

    /// Break it: whoever waits, or comes, raises.
    fn abort(&self) -> PyResult<()> {
        reached(|| self.barrier.abort())
    }

    /// Make it as it was at first; whoever waits raises.
    fn reset(&self) -> PyResult<()> {
        reached(|| self.barrier.reset())
    }

    /// How many wait for each other.
    #[getter]
    fn parties(&self) -> PyResult<u32> {
        reached(|| self.barrier.parties())
    }

    /// How many are waiting now.
    #[getter]
    fn n_waiting(&self) -> PyResult<usize> {
        reached(|| self.barrier.n_waiting())
    }

    /// Whether it is broken.
    #[getter]
    fn broken(&self) -> PyResult<bool> {
        reached(|| self.barrier.is_broken())
    }

    /// Its name; empty if it has none.
    #[getter]
    fn name(&self) -> &str {
        self.barrier.name()
    }

    /// The wait of a coroutine for the others.
    fn _waiting(&self) -> Waiting {
        let barrier = self.barrier.clone();
        Waiting::new(async move { barrier.gathering().await }, |py, arrived| {
            Ok((arrived.index, arrived.is_last).into_pyobject(py)?.into_any().unbind())
        })
    }

    /// Let all go on, after a coroutine has come as the last.
    fn _open(&self, py: Python<'_>) -> PyResult<()> {
        self.open(py)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let this = slf.get();
        let more = (this.parties()?, &this.action, this.timeout);
        ticket::reduce_with(slf, &this.barrier, Some(more.into_pyobject(slf.py())?))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let barrier = &slf.get().barrier;
        let state = reached(|| match barrier.is_broken() {
            true => "broken".to_owned(),
            false => format!("waiters={}/{}", barrier.n_waiting(), barrier.parties()),
        })?;
        ticket::repr(slf, barrier.name(), &state)
    }
}

/// Whether it tells what others did to the barrier, which may be whole again by now.
fn is_broken(py: Python<'_>, error: &PyErr) -> bool {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    CLASS.import(py, "threading", "BrokenBarrierError").is_ok_and(|class| error.is_instance(py, class))
}

impl SharedBarrier {
    /// Does the action, then lets all go on. An action that raises breaks the barrier.
    fn open(&self, py: Python<'_>) -> PyResult<()> {
        if let Some(action) = &self.action {
            action.call0(py).inspect_err(|_| drop(self.abort()))?;
        }
        self.barrier.open().map_err(|error| raised(py, &error))
    }
}
