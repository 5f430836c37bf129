//! Streams.

mod handed;
mod messages;
mod reading;

use super::steps::{Limit, given, late, told};
use super::{data, descriptors};
use crate::share::Waiting;
use crate::socket::View;
use anyplace::net::{self, Credentials, Interest, Waitable};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub(crate) use handed::Handed;
pub(super) use handed::handed;
use messages::bytes;

/// The part of ``anyplace.Stream`` that the engine does.
#[pyclass(subclass, frozen, weakref, module = "anyplace._core")]
pub(crate) struct Stream {
    stream: Mutex<Option<net::Stream>>,
    endpoint: String,
}

#[pymethods]
impl Stream {
    #[new]
    fn new(handed: &Handed) -> PyResult<Self> {
        let stream = handed.take()?;
        Ok(Self { endpoint: stream.endpoint().to_string(), stream: Mutex::new(Some(stream)) })
    }

    /// What was connected to; of an accepted stream, where it was listened.
    #[getter]
    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The address of the other end, if it has one: a unix socket that connects has none.
    #[getter]
    fn peer(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(told(py, self.open()?.peer())?.map(|endpoint| endpoint.to_string()))
    }

    /// The address of our end, if it has one.
    #[getter]
    fn local(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(told(py, self.open()?.local())?.map(|endpoint| endpoint.to_string()))
    }

    /// Process, user and group at the other end of a unix socket, by the word of the kernel; None of others.
    #[getter]
    fn credentials(&self, py: Python<'_>) -> PyResult<Option<(u32, u32, u32)>> {
        let credentials = told(py, self.open()?.credentials())?;
        Ok(credentials.map(|Credentials { pid, uid, gid, .. }| (pid, uid, gid)))
    }

    /// Whether it is closed.
    #[getter]
    fn closed(&self) -> bool {
        self.stream().is_none()
    }

    /// Return the descriptor of the socket, or what is below.
    fn fileno(&self) -> PyResult<i32> {
        Ok(self.open()?.fd(Interest::Read).as_raw_fd())
    }

    /// Read what there is.
    ///
    /// Parameters
    /// ----------
    /// size : int, default -1
    ///     Bytes, at most; below 0 is all that comes before the end.
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Returns
    /// -------
    /// bytes
    ///     Empty at the end.
    #[pyo3(signature = (size=-1, *, timeout=None), text_signature = "($self, size=-1, *, timeout=None)")]
    fn read<'py>(&self, py: Python<'py>, size: isize, timeout: Option<f64>) -> PyResult<Bound<'py, PyBytes>> {
        self.in_time(py, "read from", timeout, |limit| self.some(py, size, limit))
    }

    /// As a step: nothing if there is nothing to read now.
    fn _read_now<'py>(&self, py: Python<'py>, size: isize) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.some(py, size, Limit::Now)
    }

    /// Read into a buffer what there is, and return how many bytes there were; 0 is the end.
    #[pyo3(signature = (buffer, /, *, timeout=None))]
    fn readinto(&self, buffer: &Bound<'_, PyAny>, timeout: Option<f64>) -> PyResult<usize> {
        self.in_time(buffer.py(), "read from", timeout, |limit| self.some_into(buffer, limit))
    }

    fn _readinto_now(&self, buffer: &Bound<'_, PyAny>) -> PyResult<Option<usize>> {
        self.some_into(buffer, Limit::Now)
    }

    /// Read as many bytes as asked for.
    ///
    /// Raises
    /// ------
    /// anyplace.ConnectionLost
    ///     If the end comes before.
    #[pyo3(signature = (size, *, timeout=None))]
    fn readexactly<'py>(
        &self,
        py: Python<'py>,
        size: usize,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        self.in_time(py, "read from", timeout, |limit| self.exactly(py, size, limit))
    }

    fn _readexactly_now<'py>(&self, py: Python<'py>, size: usize) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.exactly(py, size, Limit::Now)
    }

    /// Read up to and with the next delimiter, or what there is before the end.
    ///
    /// Parameters
    /// ----------
    /// delimiter : bytes, default a newline
    ///     What is looked for.
    /// limit : int, default 1 MiB
    ///     Bytes within which it has to come.
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Raises
    /// ------
    /// anyplace.ResourceExhausted
    ///     If it does not; the bytes stay in the stream.
    #[pyo3(signature = (delimiter=b"\n".as_slice(), *, limit=1 << 20, timeout=None), text_signature = "($self, delimiter=b'\\n', *, limit=1048576, timeout=None)")]
    fn readuntil<'py>(
        &self,
        py: Python<'py>,
        delimiter: &[u8],
        limit: usize,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        self.in_time(py, "read from", timeout, |time| self.until(py, delimiter, limit, time))
    }

    fn _readuntil_now<'py>(
        &self,
        py: Python<'py>,
        delimiter: &[u8],
        limit: usize,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.until(py, delimiter, limit, Limit::Now)
    }

    /// Write all of the bytes, and return how many they are.
    ///
    /// Raises
    /// ------
    /// anyplace.Timeout
    ///     If some of them have gone by then, the stream cannot be written to any more.
    #[pyo3(signature = (data, /, *, timeout=None))]
    fn write(&self, data: &Bound<'_, PyAny>, timeout: Option<f64>) -> PyResult<usize> {
        let view = View::of(data)?;
        let write = |limit| given(data.py(), self.open()?.writing(view.bytes()), limit);
        self.in_time(data.py(), "write to", timeout, write)?;
        Ok(view.len())
    }

    fn _writing(&self, data: &Bound<'_, PyAny>) -> PyResult<Waiting> {
        let (stream, bytes) = (self.open()?, View::of(data)?.bytes().to_vec());
        let written = bytes.len();
        Ok(Waiting::new(async move { stream.writing(&bytes).await }, move |py, ()| {
            Ok(written.into_pyobject(py)?.into_any().unbind())
        }))
    }

    /// End our direction: the other side reads the end, and may still write.
    #[pyo3(signature = (*, timeout=None))]
    fn finish(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        self.in_time(py, "finish", timeout, |limit| given(py, self.open()?.finishing(), limit))
    }

    fn _finishing(&self) -> PyResult<Waiting> {
        let stream = self.open()?;
        Ok(Waiting::for_true(async move { stream.finishing().await }))
    }

    /// Send an object of data: None, bool, int, float, str, bytes, and lists, tuples and dicts of them.
    ///
    /// It travels as one message, in MessagePack: programs in any language can read it, and reading it runs nothing.
    ///
    /// Raises
    /// ------
    /// anyplace.NotSerializable
    ///     For anything else: `send_bytes` sends what you have encoded yourself.
    #[pyo3(signature = (value, /, *, timeout=None))]
    fn send(&self, value: &Bound<'_, PyAny>, timeout: Option<f64>) -> PyResult<()> {
        let bytes = data::dump(value)?;
        self.in_time(value.py(), "send to", timeout, |limit| self.sent(value.py(), &bytes, limit))
    }

    fn _sending(&self, value: &Bound<'_, PyAny>) -> PyResult<Waiting> {
        self.sending(data::dump(value)?)
    }

    /// Receive an object that was sent by ``send``.
    ///
    /// Parameters
    /// ----------
    /// limit : int, default 64 MiB
    ///     How long its message may be.
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Raises
    /// ------
    /// EOFError
    ///     At the end of the stream.
    #[pyo3(signature = (*, limit=64 << 20, timeout=None), text_signature = "($self, *, limit=67108864, timeout=None)")]
    fn recv<'py>(&self, py: Python<'py>, limit: usize, timeout: Option<f64>) -> PyResult<Bound<'py, PyAny>> {
        self.in_time(py, "receive from", timeout, |time| self.came(py, limit, time, data::load))
    }

    /// In a tuple: what was sent may be None.
    fn _recv_now<'py>(&self, py: Python<'py>, limit: usize) -> PyResult<Option<(Bound<'py, PyAny>,)>> {
        Ok(self.came(py, limit, Limit::Now, data::load)?.map(|value| (value,)))
    }

    /// Send bytes as one message. Any threads may do so at once.
    #[pyo3(signature = (data, /, *, timeout=None))]
    fn send_bytes(&self, data: &Bound<'_, PyAny>, timeout: Option<f64>) -> PyResult<()> {
        let view = View::of(data)?;
        self.in_time(data.py(), "send to", timeout, |limit| self.sent(data.py(), view.bytes(), limit))
    }

    fn _sending_bytes(&self, data: &Bound<'_, PyAny>) -> PyResult<Waiting> {
        self.sending(View::of(data)?.bytes().to_vec())
    }

    /// Receive the bytes of one message; else as ``recv``.
    #[pyo3(signature = (*, limit=64 << 20, timeout=None), text_signature = "($self, *, limit=67108864, timeout=None)")]
    fn recv_bytes<'py>(
        &self,
        py: Python<'py>,
        limit: usize,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        self.in_time(py, "receive from", timeout, |time| self.came(py, limit, time, bytes))
    }

    fn _recv_bytes_now<'py>(&self, py: Python<'py>, limit: usize) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.came(py, limit, Limit::Now, bytes)
    }

    /// Send a part of a file, by the system itself where it can; the file's position stays.
    ///
    /// Parameters
    /// ----------
    /// file : file or int
    ///     A file of the system's, or its descriptor.
    /// offset : int, default 0
    ///     Where in the file to begin.
    /// count : int, optional
    ///     Bytes to send; the default is to the end.
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Returns
    /// -------
    /// int
    ///     Bytes sent: fewer only if the file ends before.
    #[pyo3(signature = (file, offset=0, count=None, *, timeout=None))]
    fn send_file(
        &self,
        file: &Bound<'_, PyAny>,
        offset: u64,
        count: Option<u64>,
        timeout: Option<f64>,
    ) -> PyResult<u64> {
        let (stream, copy) = (self.open()?, descriptors::file(file)?);
        let sending = stream.sending_file(&copy, offset, count.unwrap_or(u64::MAX));
        self.in_time(file.py(), "send a file to", timeout, |limit| given(file.py(), sending, limit))
    }

    #[pyo3(signature = (file, offset=0, count=None))]
    fn _sending_file(&self, file: &Bound<'_, PyAny>, offset: u64, count: Option<u64>) -> PyResult<Waiting> {
        let (stream, copy) = (self.open()?, descriptors::file(file)?);
        let count = count.unwrap_or(u64::MAX);
        Ok(Waiting::new(async move { stream.sending_file(&copy, offset, count).await }, number))
    }

    /// Receive bytes into a file; its position stays.
    ///
    /// Parameters
    /// ----------
    /// file : file or int
    ///     A file of the system's that can be written to, or its descriptor.
    /// offset : int, default 0
    ///     Where in the file to begin.
    /// count : int, optional
    ///     Bytes to receive; the default is all that come before the end.
    /// timeout : float, optional
    ///     Seconds to wait at most.
    ///
    /// Returns
    /// -------
    /// int
    ///     Bytes received: fewer only if the stream ends before.
    #[pyo3(signature = (file, offset=0, count=None, *, timeout=None))]
    fn recv_file(
        &self,
        file: &Bound<'_, PyAny>,
        offset: u64,
        count: Option<u64>,
        timeout: Option<f64>,
    ) -> PyResult<u64> {
        let (stream, copy) = (self.open()?, descriptors::file(file)?);
        let receiving = stream.receiving_file(&copy, offset, count.unwrap_or(u64::MAX));
        self.in_time(file.py(), "receive a file from", timeout, |limit| given(file.py(), receiving, limit))
    }

    #[pyo3(signature = (file, offset=0, count=None))]
    fn _receiving_file(&self, file: &Bound<'_, PyAny>, offset: u64, count: Option<u64>) -> PyResult<Waiting> {
        let (stream, copy) = (self.open()?, descriptors::file(file)?);
        let count = count.unwrap_or(u64::MAX);
        Ok(Waiting::new(async move { stream.receiving_file(&copy, offset, count).await }, number))
    }

    /// Send an open file through a unix socket; it stays open here, too.
    ///
    /// Parameters
    /// ----------
    /// file : file, socket or int
    ///     What has a descriptor, or a descriptor.
    /// timeout : float, optional
    ///     Seconds to wait at most.
    #[pyo3(signature = (file, /, *, timeout=None))]
    fn send_fd(&self, file: &Bound<'_, PyAny>, timeout: Option<f64>) -> PyResult<()> {
        let (stream, copy) = (self.open()?, descriptors::copy(file)?);
        let fds = [copy.as_fd()];
        let sending = stream.sending_fds(descriptors::BESIDE, &fds);
        self.in_time(file.py(), "send a file to", timeout, |limit| given(file.py(), sending, limit))
    }

    fn _sending_fd(&self, file: &Bound<'_, PyAny>) -> PyResult<Waiting> {
        let (stream, copy) = (self.open()?, descriptors::copy(file)?);
        Ok(Waiting::for_true(async move {
            let fds = [copy.as_fd()];
            stream.sending_fds(descriptors::BESIDE, &fds).await
        }))
    }

    /// Receive the descriptor of an open file, which is the caller's to close.
    #[pyo3(signature = (*, timeout=None))]
    fn recv_fd(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<i32> {
        self.in_time(py, "receive a file from", timeout, |limit| self.came_fd(py, limit))
    }

    fn _recv_fd_now(&self, py: Python<'_>) -> PyResult<Option<i32>> {
        self.came_fd(py, Limit::Now)
    }

    /// End both directions in order: what was written arrives, and who still waits here is told.
    ///
    /// Parameters
    /// ----------
    /// timeout : float, default 1
    ///     Seconds to wait for the other side's end. What it still sends is thrown away.
    #[pyo3(signature = (*, timeout=Some(1.0)), text_signature = "($self, *, timeout=1.0)")]
    fn close(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        let Some(stream) = self.taken() else { return Ok(()) };
        match given(py, stream.closing(), Limit::of(timeout)?)? {
            Some(()) => Ok(()),
            // It is late, which only matters if what was written is still here.
            None => told(py, stream.close(Some(Instant::now()))),
        }
    }

    fn _closing(&self) -> Option<Waiting> {
        let stream = self.taken()?;
        Some(Waiting::for_true(async move { stream.closing().await }))
    }

    /// Break it off: who waits for it is told so, and the other end of a connection learns that this was no orderly end.
    fn abort(&self) {
        if let Some(stream) = self.taken() {
            stream.abort();
        }
    }

    /// Where a loop listens for what there is to read, and whether by asking for room to write.
    fn _awaits(&self) -> PyResult<(i32, bool)> {
        let stream = self.open()?;
        let writes = stream.awaits(Interest::Read) == Interest::Write;
        Ok((stream.fd(Interest::Read).as_raw_fd(), writes))
    }
}

impl Stream {
    fn slot(&self) -> MutexGuard<'_, Option<net::Stream>> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stream(&self) -> Option<net::Stream> {
        self.slot().clone()
    }

    fn taken(&self) -> Option<net::Stream> {
        self.slot().take()
    }

    /// The stream, which outlives a call that began before it was closed.
    pub(super) fn open(&self) -> PyResult<net::Stream> {
        self.stream().ok_or_else(|| PyValueError::new_err("the stream is closed"))
    }

    /// What an operation gives that has so long.
    fn in_time<R>(
        &self,
        py: Python<'_>,
        what: &str,
        timeout: Option<f64>,
        operation: impl FnOnce(Limit) -> PyResult<Option<R>>,
    ) -> PyResult<R> {
        operation(Limit::of(timeout)?)?.ok_or_else(|| late(py, &format!("{what} `{}`", self.endpoint)))
    }

    fn came_fd(&self, py: Python<'_>, limit: Limit) -> PyResult<Option<i32>> {
        let (stream, mut byte) = (self.open()?, [0]);
        let came = given(py, stream.receiving_fds(&mut byte), limit)?;
        came.map(|(_, came)| descriptors::first(py, came, &self.endpoint)).transpose()
    }
}

fn number(py: Python<'_>, number: u64) -> PyResult<Py<PyAny>> {
    Ok(number.into_pyobject(py)?.into_any().unbind())
}
