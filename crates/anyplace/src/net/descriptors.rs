//! Open files that travel through unix sockets.

use super::readiness::Interest;
use super::stream::Writing;
use super::transport::again;
use super::waiting::{Awaited, Operation, Waiting};
use super::{Stream, address};
use crate::error::{Error, Result};
use crate::share::Wait;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Instant;

/// As many as the kernel takes at once.
const MOST: usize = 253;
/// The room that they need beside the bytes they come with.
const SPACE: usize = rustix::cmsg_space!(ScmRights(253));

/// Open files, through unix sockets: the other process gets descriptors of its own for the same files. They travel with
/// bytes, and who reads those bytes in another way loses the files.
impl Stream {
    /// Sends a descriptor, with one byte.
    ///
    /// # Errors
    /// `Unsupported` if this is no unix socket; `Timeout`; `ConnectionLost`.
    pub fn send_fd(&self, fd: BorrowedFd<'_>, until: Option<Instant>) -> Result<()> {
        self.send_fds(&[0], &[fd], until)
    }

    /// Sends at least one byte, and at most 253 descriptors with the first.
    ///
    /// # Errors
    /// As [`send_fd`](Self::send_fd); `ConfigInvalid` for no bytes, or more descriptors.
    pub fn send_fds(&self, bytes: &[u8], fds: &[BorrowedFd<'_>], until: Option<Instant>) -> Result<()> {
        Waiting::new(Sending { stream: self, bytes, fds, rest: None }).by(until)
    }

    /// [`send_fds`](Self::send_fds), as a value to wait for.
    pub fn sending_fds<'a>(
        &'a self,
        bytes: &'a [u8],
        fds: &'a [BorrowedFd<'a>],
    ) -> impl Wait<Given = ()> + use<'a> {
        Waiting::new(Sending { stream: self, bytes, fds, rest: None })
    }

    /// Receives a descriptor, and the byte that it comes with.
    ///
    /// # Errors
    /// `ConnectionLost` if the end comes, or a byte without a descriptor; else as [`send_fd`](Self::send_fd).
    pub fn recv_fd(&self, until: Option<Instant>) -> Result<OwnedFd> {
        let (_, mut fds) = self.recv_fds(&mut [0], until)?;
        let told =
            || self.told(io::Error::new(ErrorKind::UnexpectedEof, "no descriptor came"), "receive from");
        fds.pop().ok_or_else(told)
    }

    /// Reads what is there, with the descriptors that came with it: how many bytes, 0 at the end, and which files. They are
    /// closed in programs that this process starts.
    ///
    /// # Errors
    /// As [`send_fd`](Self::send_fd); `ResourceExhausted` if this process may not open so many.
    pub fn recv_fds(&self, into: &mut [u8], until: Option<Instant>) -> Result<(usize, Vec<OwnedFd>)> {
        Waiting::new(Receiving { stream: self, into }).by(until)
    }

    /// [`recv_fds`](Self::recv_fds), as a value to wait for.
    pub fn receiving_fds<'a>(
        &'a self,
        into: &'a mut [u8],
    ) -> impl Wait<Given = (usize, Vec<OwnedFd>)> + use<'a> {
        Waiting::new(Receiving { stream: self, into })
    }

    fn unix(&self) -> io::Result<BorrowedFd<'_>> {
        self.socket().filter(|socket| address::is_unix(*socket)).ok_or_else(|| {
            io::Error::new(ErrorKind::Unsupported, "open files travel only through unix sockets")
        })
    }
}

struct Sending<'a> {
    stream: &'a Stream,
    bytes: &'a [u8],
    fds: &'a [BorrowedFd<'a>],
    /// What is left to write once the descriptors have gone.
    rest: Option<Writing<'a, [IoSlice<'a>; 1]>>,
}

impl<'a> Sending<'a> {
    fn begin(&self) -> io::Result<Writing<'a, [IoSlice<'a>; 1]>> {
        if self.bytes.is_empty() || self.fds.len() > MOST {
            let why = "at least one byte goes with at most 253 descriptors";
            return Err(io::Error::new(ErrorKind::InvalidInput, why));
        }
        self.stream.check_writing()?;
        self.stream.outgoing().go_on(self.stream)?;
        let socket = self.stream.unix()?;
        let mut space = [MaybeUninit::uninit(); SPACE];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let fits = control.push(SendAncillaryMessage::ScmRights(self.fds));
        debug_assert!(fits, "there is room for 253");
        let slices = [IoSlice::new(self.bytes)];
        let sent =
            again(|| sendmsg(socket, &slices, &mut control, SendFlags::NOSIGNAL | SendFlags::DONTWAIT))?;
        Ok(Writing::begun(self.stream, [IoSlice::new(self.bytes)], sent))
    }
}

impl Operation for Sending<'_> {
    type Given = ();

    fn step(&mut self) -> io::Result<Option<()>> {
        match &mut self.rest {
            None => {
                self.rest = Some(self.begin()?);
                Ok(None)
            }
            Some(rest) => rest.step(),
        }
    }

    fn awaits(&self) -> Awaited<'_> {
        self.stream.awaited(Interest::Write)
    }

    fn told(&self, error: io::Error) -> Error {
        self.stream.told(error, "send to")
    }
}

struct Receiving<'a> {
    stream: &'a Stream,
    into: &'a mut [u8],
}

impl Operation for Receiving<'_> {
    type Given = (usize, Vec<OwnedFd>);

    fn step(&mut self) -> io::Result<Option<Self::Given>> {
        self.stream.check_reading()?;
        let socket = self.stream.unix()?;
        let read = self.stream.read_ahead(self.into);
        if read > 0 {
            return Ok(Some((read, vec![])));
        }
        let mut space = [MaybeUninit::uninit(); SPACE];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = again(|| {
            let mut slices = [IoSliceMut::new(self.into)];
            recvmsg(socket, &mut slices, &mut control, RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT)
        })?;
        let fds = control.drain().filter_map(rights).flatten().collect();
        // Those that could not be opened are lost: the kernel has let go of them.
        if received.flags.contains(ReturnFlags::CTRUNC) {
            return Err(rustix::io::Errno::MFILE.into());
        }
        Ok(Some((received.bytes, fds)))
    }

    fn awaits(&self) -> Awaited<'_> {
        self.stream.awaited(Interest::Read)
    }

    fn told(&self, error: io::Error) -> Error {
        self.stream.told(error, "receive from")
    }
}

fn rights(message: RecvAncillaryMessage<'_>) -> Option<impl Iterator<Item = OwnedFd>> {
    match message {
        RecvAncillaryMessage::ScmRights(fds) => Some(fds),
        _ => None,
    }
}
