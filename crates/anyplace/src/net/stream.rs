//! A stream of bytes in both directions, whatever the address.

use super::Endpoint;
use super::failure::told;
use super::pulse::Pulse;
use super::readiness::{Interest, ready};
use super::transport::Transport;
use crate::error::Result;
use std::fmt;
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Instant;

/// A stream of bytes in both directions. Clones are the same stream, and any thread may use it.
///
/// Every verb takes the time until which it may wait; `None` is for as long as it takes.
#[derive(Clone)]
pub struct Stream(Arc<Inner>);

struct Inner {
    transport: Box<dyn Transport>,
    /// What was connected to, or listened at.
    endpoint: Endpoint,
    pulse: Pulse,
}

impl Stream {
    pub(crate) fn new(transport: impl Transport + 'static, endpoint: Endpoint) -> Self {
        Self(Arc::new(Inner { transport: Box::new(transport), endpoint, pulse: Pulse::default() }))
    }

    /// What was connected to; of an accepted stream, where it was listened.
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    /// Reads what is there, at most as much as there is room for; 0 is the end.
    ///
    /// # Errors
    /// `Timeout`; `ConnectionLost`.
    pub fn read(&self, into: &mut [u8], until: Option<Instant>) -> Result<usize> {
        self.step(Interest::Read, until, || self.try_read(into))
            .map_err(|error| self.told(error, "read from"))
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// `Timeout`, after which the stream cannot be written to any more, since nobody knows how much has gone; `ConnectionLost`.
    pub fn write(&self, mut bytes: &[u8], until: Option<Instant>) -> Result<()> {
        let result = (|| {
            while !bytes.is_empty() {
                let written = self.step(Interest::Write, until, || self.try_write(&[IoSlice::new(bytes)]))?;
                bytes = &bytes[written..];
            }
            self.step(Interest::Write, until, || self.try_flush())
        })();
        result.map_err(|error| self.told(error, "write to"))
    }

    /// Ends our direction: the other side reads the end, and may still write.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn finish(&self, until: Option<Instant>) -> Result<()> {
        let finish = || self.0.transport.try_finish();
        self.step(Interest::Write, until, finish).map_err(|error| self.told(error, "finish"))
    }

    /// Ends both directions at once: whoever reads from it, in whichever thread, sees the end.
    pub fn abort(&self) {
        self.0.transport.abort();
    }

    /// The step of [`read`](Self::read): `WouldBlock` if there is nothing to read now.
    ///
    /// # Errors
    /// Those of the system.
    #[inline]
    pub fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        self.0.pulse.felt(Interest::Read, self.0.transport.try_read(into))
    }

    /// The step of [`write`](Self::write), which takes some of the bytes: `WouldBlock` if there is room for none now.
    ///
    /// # Errors
    /// Those of the system.
    #[inline]
    pub fn try_write(&self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.pulse.felt(Interest::Write, self.0.transport.try_write(from))
    }

    /// Hands on what [`try_write`](Self::try_write) has taken: `WouldBlock` if some of it is still here.
    ///
    /// # Errors
    /// Those of the system.
    #[inline]
    pub fn try_flush(&self) -> io::Result<()> {
        self.0.transport.try_flush()
    }

    /// Waits until a step may go on; false if `until` came first, or a signal that this thread
    /// [waits for](anyplace_sync::ending_at_signals).
    ///
    /// # Errors
    /// Those of the system.
    pub fn ready(&self, interest: Interest, until: Option<Instant>) -> io::Result<bool> {
        ready(self.fd(interest), interest, until)
    }

    /// The descriptor that says when a step may go on.
    pub fn fd(&self, interest: Interest) -> BorrowedFd<'_> {
        self.0.transport.fd(interest)
    }

    /// Ends both directions in order, as far as that can be done without waiting. What the other end has sent and nobody
    /// has read is taken away: with that in it, the kernel would not close in order.
    pub(crate) fn close_now(&self) {
        let mut bytes = [0; 4096];
        // What is gone already is closed, too.
        drop(self.0.transport.try_finish());
        for _ in 0..64 {
            if !matches!(self.0.transport.try_read(&mut bytes), Ok(1..)) {
                break;
            }
        }
    }

    /// Whoever reads from it, in this process or another that has it, sees the end once what has come is read.
    pub(crate) fn deafen(&self) {
        self.0.transport.deafen();
    }

    /// What moves in it, for who watches others use it.
    pub(crate) fn pulse(&self) -> &Pulse {
        &self.0.pulse
    }

    /// The socket, if the bytes of the stream are the bytes of a socket.
    pub(crate) fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.0.transport.socket()
    }

    fn step<R>(
        &self,
        interest: Interest,
        until: Option<Instant>,
        mut step: impl FnMut() -> io::Result<R>,
    ) -> io::Result<R> {
        loop {
            match step() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !self.ready(interest, until)? {
                        return Err(ErrorKind::TimedOut.into());
                    }
                }
                taken => return taken,
            }
        }
    }

    fn told(&self, error: io::Error, operation: &'static str) -> crate::Error {
        told(error, &self.0.endpoint, operation)
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({})", self.0.endpoint)
    }
}
