//! Datagrams.

use super::options::options;
use super::steps::{Limit, given, in_time, told};
use crate::door;
use crate::share::Waiting;
use crate::socket::View;
use anyplace::net::{self, Endpoint, Party};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longer datagrams than this there are none, but for unix sockets, where the caller says so.
const LONGEST: usize = 65536;
/// How long the look-up of a receiver's name may take where the caller says nothing.
const LOOK_UP: Duration = Duration::from_secs(30);

/// The part of ``anyplace.Datagram`` that the engine does.
#[pyclass(subclass, frozen, weakref, module = "anyplace._core")]
pub(crate) struct Datagram {
    socket: Mutex<Option<Arc<net::Datagram>>>,
    endpoint: String,
}

#[pymethods]
impl Datagram {
    #[new]
    #[pyo3(signature = (address, connects=false, timeout=None, **keywords))]
    fn new(
        py: Python<'_>,
        address: &str,
        connects: bool,
        timeout: Option<f64>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let options = options(keywords)?;
        let endpoint: Endpoint = told(py, address.parse())?;
        let Limit::By(until) = Limit::of(timeout)? else { return Err(closed()) };
        let socket = door::pass(py, || match connects {
            true => net::Datagram::to(endpoint, until),
            false => net::bind_with(endpoint, &options),
        });
        let socket = told(py, socket)?;
        let endpoint = socket.endpoint().to_string();
        Ok(Self { socket: Mutex::new(Some(Arc::new(socket))), endpoint })
    }

    /// Where it is bound, with the port that it was given, or what it was connected to.
    #[getter]
    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Our own address, if it has one.
    #[getter]
    fn local(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(told(py, self.open()?.local())?.map(|endpoint| endpoint.to_string()))
    }

    /// Whether it is closed.
    #[getter]
    fn closed(&self) -> bool {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Return the descriptor of the socket.
    fn fileno(&self) -> PyResult<i32> {
        Ok(self.open()?.as_fd().as_raw_fd())
    }

    /// Send a datagram. It has left when the system has it; that it arrives is not said.
    ///
    /// Parameters
    /// ----------
    /// data : bytes
    ///     All of it arrives, or nothing.
    /// to : str, optional
    ///     Whom it is for; the default is who this is connected to.
    /// timeout : float, optional
    ///     Seconds to wait at most.
    #[pyo3(signature = (data, to=None, *, timeout=None))]
    fn send(&self, data: &Bound<'_, PyAny>, to: Option<&str>, timeout: Option<f64>) -> PyResult<()> {
        let (py, view, socket) = (data.py(), View::of(data)?, self.open()?);
        let what = || format!("send from `{}`", self.endpoint);
        match party(py, to)? {
            Some(party) => in_time(py, socket.sending_to(view.bytes(), &party), timeout, what),
            None => in_time(py, socket.sending(view.bytes()), timeout, what),
        }
    }

    #[pyo3(signature = (data, to=None))]
    fn _sending(&self, data: &Bound<'_, PyAny>, to: Option<&str>) -> PyResult<Waiting> {
        let (socket, bytes) = (self.open()?, View::of(data)?.bytes().to_vec());
        let party = party(data.py(), to)?;
        Ok(Waiting::for_true(async move {
            match party {
                Some(party) => socket.sending_to(&bytes, &party).await,
                None => socket.sending(&bytes).await,
            }
        }))
    }

    /// Receive a datagram.
    ///
    /// Parameters
    /// ----------
    /// size : int, default 65536
    ///     How long it may be; a longer one is lost.
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Returns
    /// -------
    /// tuple of (bytes, str or None)
    ///     It, and who sent it; None if they have no address.
    #[pyo3(signature = (size=LONGEST, *, timeout=None), text_signature = "($self, size=65536, *, timeout=None)")]
    fn recv<'py>(&self, py: Python<'py>, size: usize, timeout: Option<f64>) -> PyResult<Received<'py>> {
        let (socket, mut room) = (self.open()?, vec![0; size]);
        let what = || format!("receive at `{}`", self.endpoint);
        let (length, from) = in_time(py, socket.receiving_from(&mut room), timeout, what)?;
        Ok(received(py, &room[..length], &from))
    }

    fn _recv_now<'py>(&self, py: Python<'py>, size: usize) -> PyResult<Option<Received<'py>>> {
        let (socket, mut room) = (self.open()?, vec![0; size]);
        let came = given(py, socket.receiving_from(&mut room), Limit::Now)?;
        Ok(came.map(|(length, from)| received(py, &room[..length], &from)))
    }

    /// Close it, once nobody waits for it any more.
    fn _close(&self, py: Python<'_>) {
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner).take();
        door::pass(py, || drop(socket));
    }
}

type Received<'py> = (Bound<'py, PyBytes>, Option<String>);

fn received<'py>(py: Python<'py>, bytes: &[u8], from: &Party) -> Received<'py> {
    (PyBytes::new(py, bytes), from.endpoint().map(|endpoint| endpoint.to_string()))
}

fn party(py: Python<'_>, to: Option<&str>) -> PyResult<Option<Party>> {
    let Some(to) = to else { return Ok(None) };
    let endpoint: Endpoint = told(py, to.parse())?;
    let until = Instant::now() + LOOK_UP;
    told(py, door::pass(py, || Party::at(endpoint, Some(until)))).map(Some)
}

impl Datagram {
    fn open(&self) -> PyResult<Arc<net::Datagram>> {
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner).clone();
        socket.ok_or_else(closed)
    }
}

fn closed() -> PyErr {
    PyValueError::new_err("the socket is closed")
}
