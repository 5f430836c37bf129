//! Messages between two ends.

use super::home::home;
use super::item::PyItem;
use super::limit::{Limit, Truth};
use super::raised::raised;
use super::ticket;
use super::waiting::{self, Waiting};
use crate::place::Place;
use anyplace::share::Pipe;
use pyo3::exceptions::{PyOSError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The part of ``anyplace.share.Pipe`` that the engine does: one end.
#[pyclass(subclass, frozen, weakref, module = "anyplace._core")]
pub(crate) struct SharedPipe(Mutex<Option<Pipe<PyItem>>>);

/// Makes or finds a pipe: its two ends. ``Place.pipe`` calls it.
#[pyfunction]
pub(crate) fn shared_pipe<'py>(
    kind: &Bound<'py, PyAny>,
    place: Option<&Bound<'py, Place>>,
    name: &str,
    duplex: bool,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let py = kind.py();
    let made = home(place).and_then(|share| if duplex { share.pipe(name) } else { share.simplex(name) });
    let (first, second) = made.map_err(|error| raised(py, &error))?;
    let end = |pipe| kind.call1((Py::new(py, SharedPipe(Mutex::new(Some(pipe))))?,));
    Ok((end(first)?, end(second)?))
}

#[pymethods]
impl SharedPipe {
    #[new]
    #[pyo3(signature = (_end=None, _name="", *, _ticket=None))]
    fn new(
        py: Python<'_>,
        _end: Option<&Bound<'_, Self>>,
        _name: &str,
        _ticket: Option<&[u8]>,
    ) -> PyResult<Self> {
        let pipe = match (_end, _ticket) {
            (Some(end), _) => end.get().pipe()?,
            (None, Some(_)) => ticket::or(py, _ticket, || unreachable!("there is a ticket"))?,
            (None, None) => return Err(PyTypeError::new_err("a pipe's end is what `Place.pipe` gives")),
        };
        Ok(Self(Mutex::new(Some(pipe))))
    }

    /// Send an object to the other end.
    ///
    /// Parameters
    /// ----------
    /// obj : object
    ///     What is sent.
    ///
    /// Raises
    /// ------
    /// Ended
    ///     If the other end is closed, or this one only receives.
    /// NotSerializable
    ///     If the object has to travel and cannot.
    fn send(&self, obj: &Bound<'_, PyAny>) -> PyResult<()> {
        self.pipe()?.send(PyItem::new(obj)).map_err(|error| raised(obj.py(), &error))
    }

    /// Receive what the other end has sent, waiting for it.
    ///
    /// Returns
    /// -------
    /// object
    ///     What was sent.
    ///
    /// Raises
    /// ------
    /// Ended
    ///     If the other end is closed and all was received; it is also an `EOFError`.
    fn recv<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let pipe = self.pipe()?;
        // Without a limit, it has come or raised.
        let item = waiting::wait(py, pipe.receiving(), Limit::Never)?;
        item.map_or_else(|| Ok(py.None().into_bound(py)), |item| item.object(py))
    }

    /// Send bytes to the other end.
    ///
    /// Parameters
    /// ----------
    /// buf : bytes-like
    ///     What is sent.
    fn send_bytes(&self, buf: &Bound<'_, PyAny>) -> PyResult<()> {
        let bytes = buf.py().get_type::<PyBytes>().call1((buf,))?;
        self.send(&bytes)
    }

    /// Receive bytes that the other end has sent, waiting for them.
    fn recv_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(self.recv(py)?.cast_into()?)
    }

    /// Tell whether there is something to receive; the end of the pipe counts.
    ///
    /// Parameters
    /// ----------
    /// timeout : float, optional
    ///     Seconds to wait for it at most; 0 unless it is given, and with None, for ever.
    ///
    /// Returns
    /// -------
    /// bool
    ///     Whether `recv` would not wait.
    #[pyo3(signature = (timeout=Some(0.0)), text_signature = "($self, timeout=0.0)")]
    fn poll(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let pipe = self.pipe()?;
        Ok(waiting::wait(py, pipe.polling(), Limit::new(Truth(true), timeout)?)?.is_some())
    }

    /// Close this end, as this object has it: others may have it, too.
    fn close(&self) {
        let pipe = self.end().take();
        drop(pipe);
    }

    /// Whether this object has closed its end.
    #[getter]
    fn closed(&self) -> bool {
        self.end().is_none()
    }

    /// The wait of a coroutine to receive.
    fn _receiving(&self) -> PyResult<Waiting> {
        let pipe = self.pipe()?;
        Ok(Waiting::new(async move { pipe.receiving().await }, |py, item| item.object(py).map(Bound::unbind)))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        ticket::reduce(slf, &slf.get().pipe()?)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        ticket::repr(slf, "", if slf.get().closed() { "closed" } else { "open" })
    }
}

impl SharedPipe {
    fn end(&self) -> MutexGuard<'_, Option<Pipe<PyItem>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pipe(&self) -> PyResult<Pipe<PyItem>> {
        self.end().clone().ok_or_else(|| PyOSError::new_err("this end of the pipe is closed"))
    }
}
