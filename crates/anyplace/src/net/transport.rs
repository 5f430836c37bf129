//! What a stream reads and writes through: the socket itself, or something between it and the reader.

use super::address;
use super::readiness::Interest;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown, connect_unspec, recv, send, shutdown};
use std::fmt::Debug;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Bytes in both directions, in steps that never wait: `WouldBlock` says that a step has to wait for the descriptor.
///
/// Any thread may take any step at any time; no lock is held while somebody waits.
pub(crate) trait Transport: Send + Sync + Debug {
    /// Reads what is there; 0 is the end.
    fn try_read(&self, into: &mut [u8]) -> io::Result<usize>;

    /// Takes some of the bytes, as many as there is room for.
    fn try_write(&self, from: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Hands on what `try_write` has taken and keeps; a socket keeps nothing.
    fn try_flush(&self) -> io::Result<()> {
        Ok(())
    }

    /// Ends the direction in which we write, once all is flushed; reading goes on.
    fn try_finish(&self) -> io::Result<()>;

    /// Ends both directions at once, whatever is under way: whoever waits on them is woken. Where the kernel has a way to
    /// say so, the other end learns that this is no orderly end.
    fn abort(&self);

    /// Ends the direction in which we read: whoever waits for it is woken.
    fn end_reading(&self) {
        // It fails where the other end was faster.
        let _ = shutdown(self.bottom(), Shutdown::Read);
    }

    /// The descriptor to wait for.
    fn fd(&self, interest: Interest) -> BorrowedFd<'_>;

    /// What to wait for at that descriptor.
    fn interest(&self, interest: Interest) -> Interest {
        interest
    }

    /// Whether a step may go on whatever the descriptor says, since bytes are kept here.
    fn is_ready(&self, _: Interest) -> bool {
        false
    }

    /// Whether a read that leaves room has taken all that was there: the descriptor tells of what comes next.
    fn gives_all(&self) -> bool {
        false
    }

    /// The socket, if the bytes of the stream are the bytes of a socket.
    fn socket(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// The descriptor below, whatever is in between; it knows the addresses and takes options.
    fn bottom(&self) -> BorrowedFd<'_> {
        self.fd(Interest::Read)
    }
}

/// A stream socket as it is. Each step says by itself that it does not wait: whoever else has the socket, perhaps in another
/// process, may make it blocking.
#[derive(Debug)]
pub(crate) struct Socket {
    fd: OwnedFd,
    /// Between the bytes of a unix socket there may be files, at which a read stops. (In TCP it stops at urgent data. Who
    /// sends such, which means nothing here, may wait for an answer until it sends more.)
    is_tcp: bool,
}

impl Socket {
    /// Takes a connected, nonblocking socket.
    pub(crate) fn new(fd: OwnedFd) -> Self {
        let is_tcp = !address::is_unix(fd.as_fd());
        Self { fd, is_tcp }
    }
}

impl Transport for Socket {
    fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        again(|| recv(&self.fd, &mut *into, RecvFlags::DONTWAIT).map(|(read, _)| read))
    }

    fn try_write(&self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        if let [bytes] = from {
            return again(|| send(&self.fd, bytes, flags));
        }
        let mut control = rustix::net::SendAncillaryBuffer::default();
        again(|| rustix::net::sendmsg(&self.fd, from, &mut control, flags))
    }

    fn try_finish(&self) -> io::Result<()> {
        shutdown(&self.fd, Shutdown::Write).map_err(io::Error::from)
    }

    fn abort(&self) {
        // It tells the other end by a reset, where `shutdown` would say that all has been sent. Of unix sockets it says
        // nothing, and it may fail where the other end was faster.
        let _ = connect_unspec(&self.fd);
        let _ = shutdown(&self.fd, Shutdown::Both);
    }

    fn fd(&self, _: Interest) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    fn gives_all(&self) -> bool {
        self.is_tcp
    }

    fn socket(&self) -> Option<BorrowedFd<'_>> {
        Some(self.fd.as_fd())
    }
}

/// Steps take no time, so a signal is no reason to give one up.
pub(super) fn again<R>(mut step: impl FnMut() -> Result<R, Errno>) -> io::Result<R> {
    loop {
        match step() {
            Err(Errno::INTR) => {}
            taken => return taken.map_err(io::Error::from),
        }
    }
}
