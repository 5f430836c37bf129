//! Sending bytes.

use super::Socket;
use super::address::Address;
use super::patience::Patience;
use super::receive::flags_of;
use super::sys;
use super::wait::{Begin, LONG, Until, take};
use pyo3::prelude::*;
use std::ffi::c_int;

impl Socket {
    /// How a call that sends is done. A datagram that has to wait does so in the system: whether the other end has room for
    /// it, `poll` may not know.
    fn manner(&self, patience: Patience, flags: c_int, length: usize) -> (Until, Begin, Patience) {
        let begin = if length > LONG { Begin::Long } else { Begin::Short };
        let plan = |begin, patience| (Until::Writable, begin, patience);
        match patience {
            Patience::Forever if flags & libc::MSG_DONTWAIT != 0 => plan(begin, Patience::Not),
            Patience::Forever if !self.is_stream() => plan(Begin::Blocking, patience),
            _ => plan(begin, patience),
        }
    }

    /// What `send` gives: how many bytes went. A socket without time-out takes all, unless it breaks.
    pub(super) fn sent(
        &self,
        py: Python<'_>,
        bytes: &[u8],
        flags: c_int,
        patience: Patience,
    ) -> PyResult<usize> {
        let waits = patience == Patience::Forever && flags & libc::MSG_DONTWAIT == 0;
        let mut sent = self.send_some(py, bytes, flags, patience)?;
        while waits && sent < bytes.len() && self.is_stream() {
            match self.send_some(py, &bytes[sent..], flags, patience) {
                Ok(more) => sent += more,
                // Some of it has gone: the next call is told what became of the socket.
                Err(error) if error.is_instance_of::<pyo3::exceptions::PyOSError>(py) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(sent)
    }

    fn send_some(&self, py: Python<'_>, bytes: &[u8], flags: c_int, patience: Patience) -> PyResult<usize> {
        let manner = self.manner(patience, flags, bytes.len());
        let flags = flags_of(manner.1, flags);
        take(py, &self.fd, manner, |fd| sys::send(fd, bytes, flags))
    }

    /// Sends all of it, in the time of the socket.
    pub(super) fn send_all(&self, py: Python<'_>, bytes: &[u8], flags: c_int) -> PyResult<()> {
        let patience = self.timeout.patience();
        let mut sent = self.send_some(py, bytes, flags, patience)?;
        if sent == bytes.len() {
            return Ok(());
        }
        let patience = patience.in_all();
        while sent < bytes.len() {
            py.check_signals()?;
            sent += self.send_some(py, &bytes[sent..], flags, patience)?;
        }
        Ok(())
    }

    /// What `sendto` gives: how many bytes went.
    pub(super) fn sent_to(
        &self,
        py: Python<'_>,
        bytes: &[u8],
        flags: c_int,
        to: &Address,
        patience: Patience,
    ) -> PyResult<usize> {
        let manner = self.manner(patience, flags, bytes.len());
        let flags = flags_of(manner.1, flags);
        take(py, &self.fd, manner, |fd| sys::sendto(fd, bytes, flags, to))
    }

    /// Sends a part of a file, from where on it says.
    pub(super) fn sent_of_file(
        &self,
        py: Python<'_>,
        file: c_int,
        offset: i64,
        count: usize,
    ) -> PyResult<usize> {
        let plan = (Until::Writable, Begin::WhenReady, self.timeout.patience());
        take(py, &self.fd, plan, |fd| sys::sendfile(fd, file, offset, count))
    }
}
