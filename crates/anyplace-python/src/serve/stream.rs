//! A connection as its handler sees it.

use crate::{door, error};
use anyplace::Result;
use anyplace::net::{Endpoint, Interest, Stream, borrow};
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::cell::RefCell;
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::AsRawFd;
use std::time::Instant;

thread_local! {
    /// Where bytes are read to before there is an object for them.
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A connection that is served.
#[pyclass(frozen, module = "anyplace._core")]
pub(crate) struct ServedStream(Stream);

impl ServedStream {
    pub(crate) fn new(stream: Stream) -> Self {
        Self(stream)
    }
}

#[pymethods]
impl ServedStream {
    /// Reads what is there, at most `size` bytes; nothing is the end.
    #[pyo3(signature = (size=65536, *, timeout=None))]
    fn read<'py>(&self, py: Python<'py>, size: usize, timeout: Option<f64>) -> PyResult<Bound<'py, PyBytes>> {
        let until = timeout.and_then(crate::future::deadline);
        loop {
            let read = ROOM.with_borrow_mut(|room| {
                if room.len() < size {
                    room.resize(size, 0);
                }
                self.0.try_read(&mut room[..size]).map(|read| PyBytes::new(py, &room[..read]))
            });
            match read {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.attend(py, Interest::Read, until)?
                }
                read => return read.map_err(PyErr::from),
            }
        }
    }

    /// Writes all of it.
    #[pyo3(signature = (data, *, timeout=None))]
    fn write(&self, py: Python<'_>, data: &Bound<'_, PyAny>, timeout: Option<f64>) -> PyResult<()> {
        let until = timeout.and_then(crate::future::deadline);
        match data.cast::<PyBytes>() {
            Ok(bytes) => self.write_all(py, bytes.as_bytes(), until),
            Err(_) => self.write_all(py, &PyBuffer::<u8>::get(data)?.to_vec(py)?, until),
        }
    }

    /// Ends our direction.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        told(py, door::pass(py, || self.0.finish(None)))
    }

    /// The socket's descriptor.
    fn fileno(&self) -> i32 {
        self.0.fd(Interest::Read).as_raw_fd()
    }

    /// The address of the other end, if it has one.
    #[getter]
    fn peer(&self, py: Python<'_>) -> PyResult<Option<String>> {
        told(py, self.0.peer()).map(|peer| peer.as_ref().map(Endpoint::to_string))
    }
}

impl ServedStream {
    fn write_all(&self, py: Python<'_>, mut bytes: &[u8], until: Option<Instant>) -> PyResult<()> {
        while !bytes.is_empty() {
            match self.0.try_write(&[IoSlice::new(bytes)]) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.attend(py, Interest::Write, until)?
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn attend(&self, py: Python<'_>, interest: Interest, until: Option<Instant>) -> PyResult<()> {
        let ready = |stream: &mut &Stream, until| match stream.ready(interest, Some(until)) {
            Ok(true) => Some(Ok(())),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        };
        let ready = door::attend(py, until, &mut &self.0, ready, |_| ())?;
        ready.unwrap_or_else(|| Err(io::Error::from(ErrorKind::TimedOut))).map_err(PyErr::from)
    }
}

/// The connection of a ticket.
#[pyfunction]
pub(crate) fn borrow_stream(py: Python<'_>, ticket: &[u8]) -> PyResult<ServedStream> {
    told(py, door::pass(py, || borrow(ticket))).map(ServedStream)
}

fn told<R>(py: Python<'_>, result: Result<R>) -> PyResult<R> {
    result.map_err(|error| error::to_python(py, &error))
}
