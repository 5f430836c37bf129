//! Connecting, and taking connections.

use super::Socket;
use super::address::Address;
use super::patience::Patience;
use super::raised::raised;
use super::sys::{self, Fd};
use super::wait::{Begin, Until, attend, take};
use crate::gil;
use pyo3::exceptions::PyTimeoutError;
use pyo3::prelude::*;
use std::ffi::c_int;
use std::io;

impl Socket {
    /// Connects, waiting as the socket does.
    pub(super) fn connected(&self, py: Python<'_>, to: &Address) -> PyResult<()> {
        self.try_connect(py, to)?.map_err(|error| raised(py, &error))
    }

    /// What `connect_ex` gives: 0, or the number of the error.
    pub(super) fn connect_number(&self, py: Python<'_>, to: &Address) -> PyResult<c_int> {
        match self.try_connect(py, to) {
            Ok(Ok(())) => Ok(0),
            Ok(Err(error)) => Ok(error.raw_os_error().unwrap_or(libc::EIO)),
            Err(error) if error.is_instance_of::<PyTimeoutError>(py) => Ok(libc::EWOULDBLOCK),
            Err(error) => Err(error),
        }
    }

    /// Without time-out the system waits; a signal ends that, and the connection is made all the same.
    fn try_connect(&self, py: Python<'_>, to: &Address) -> PyResult<io::Result<()>> {
        let patience = self.timeout.patience();
        let begun = match patience {
            Patience::Not => sys::connect(self.fd(), to),
            _ => gil::without(py, || sys::connect(self.fd(), to)),
        };
        let is_under_way = match begun.as_ref().map_err(io::Error::raw_os_error) {
            Err(Some(libc::EINPROGRESS)) => patience != Patience::Not,
            Err(Some(libc::EINTR)) => true,
            _ => false,
        };
        if !is_under_way {
            return Ok(begun);
        }
        py.check_signals()?;
        attend(py, &self.fd, Until::Writable, patience)?;
        Ok(self.outcome())
    }

    /// Begins to connect, without waiting; true if that is done already. The descriptor blocks afterwards if it did before.
    pub(super) fn begun(&self, to: &Address) -> io::Result<bool> {
        let fd = self.fd();
        let blocks = sys::is_blocking(fd)?;
        sys::set_blocking(fd, false)?;
        let begun = sys::connect(fd, to);
        sys::set_blocking(fd, blocks)?;
        match begun {
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => Ok(false),
            done => done.map(|()| true),
        }
    }

    /// What has become of a connection that was being made.
    pub(super) fn outcome(&self) -> io::Result<()> {
        match sys::number(self.fd(), libc::SOL_SOCKET, libc::SO_ERROR)? {
            0 | libc::EISCONN => Ok(()),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }

    /// Takes the next connection.
    pub(super) fn accepted(&self, py: Python<'_>, patience: Patience) -> PyResult<(Fd, Address)> {
        take(py, &self.fd, (Until::Readable, Begin::WhenReady, patience), sys::accept)
    }
}
