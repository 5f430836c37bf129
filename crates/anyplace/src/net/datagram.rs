//! Datagrams: messages that arrive whole or not at all.

mod steps;

use super::bound::Bound;
use super::failure::told;
use super::party::{Party, all_at};
use super::readiness::{Interest, Waitable, ready};
use super::transport::again;
use super::waiting::Waiting;
use super::watch::Watch;
use super::{Endpoint, Options, address};
use crate::error::{Error, Result};
use crate::share::Wait;
use rustix::net::sockopt::set_socket_broadcast;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvFlags, ReturnFlags, SendFlags, SocketFlags, SocketType, connect,
    getpeername, recvmsg, send, sendto, socket_with,
};
use std::io::{self, ErrorKind, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;
use steps::{Receiving, Sending};

/// A socket for datagrams: messages that arrive whole or not at all, of at most 65 507 bytes over IPv4. Any thread may use
/// it. Dropped, it is closed, and its file, if it has one, is gone.
///
/// Every verb takes the time until which it may wait; `None` is for as long as it takes.
///
/// ```
/// use anyplace::net::{Datagram, bind};
///
/// let server = bind("udp://127.0.0.1:0")?;
/// let client = Datagram::to(server.endpoint(), None)?;
/// client.send(b"ping", None)?;
/// let mut bytes = [0; 16];
/// let (length, from) = server.recv_from(&mut bytes, None)?;
/// server.send_to(&bytes[..length], &from, None)?;
/// assert_eq!(client.recv(&mut bytes, None)?, 4);
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Debug)]
pub struct Datagram {
    pub(super) fd: OwnedFd,
    endpoint: Endpoint,
    watch: Watch,
    /// What of the file system is ours.
    _bound: Option<Bound>,
}

/// Opens a socket for datagrams at an endpoint, such as `udp://127.0.0.1:0` (any free port), `udp://[::]:53` (every
/// address, IPv4 as well) or `unixgram:/run/log.sock` (of mode 0600).
///
/// # Errors
/// `ConfigInvalid` for a wrong endpoint; `ResourceExhausted` if somebody is there already; `PermissionDenied`.
pub fn bind<E>(endpoint: E) -> Result<Datagram>
where
    E: TryInto<Endpoint>,
    Error: From<E::Error>,
{
    bind_with(endpoint, &Options::default())
}

/// [`bind`], with options.
///
/// # Errors
/// As [`bind`].
pub fn bind_with<E>(endpoint: E, options: &Options) -> Result<Datagram>
where
    E: TryInto<Endpoint>,
    Error: From<E::Error>,
{
    let endpoint = endpoint.try_into()?;
    Datagram::bound(&endpoint, options).map_err(|error| told(error, &endpoint, "bind"))
}

impl Datagram {
    /// Opens a socket of any free address for datagrams to and from one endpoint only.
    ///
    /// # Errors
    /// `ConfigInvalid` for a wrong endpoint; `Unreachable`; `Timeout` for a name that is still being looked up.
    pub fn to<E>(endpoint: E, until: Option<Instant>) -> Result<Self>
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        let endpoint = endpoint.try_into()?;
        Self::connected(&endpoint, until).map_err(|error| told(error, &endpoint, "connect to"))
    }

    fn connected(endpoint: &Endpoint, until: Option<Instant>) -> io::Result<Self> {
        let mut last = io::Error::from(ErrorKind::HostUnreachable);
        for party in all_at(endpoint, until)? {
            let fd = socket(party.family(), &Options::default())?;
            match connect(&fd, party.address()) {
                Ok(()) => return Ok(Self::new(fd, endpoint.clone(), None)),
                Err(errno) => last = errno.into(),
            }
        }
        Err(last)
    }

    fn bound(endpoint: &Endpoint, options: &Options) -> io::Result<Self> {
        if let Endpoint::Unixgram(path) = endpoint {
            let fd = socket(AddressFamily::UNIX, options)?;
            let bound = Bound::new(fd.as_fd(), path, options.mode, || Ok(()))?;
            return Ok(Self::new(fd, endpoint.clone(), Some(bound)));
        }
        let mut last = io::Error::from(ErrorKind::HostUnreachable);
        for party in all_at(endpoint, None)? {
            let fd = socket(party.family(), options)?;
            options.set_bound(fd.as_fd(), party.family())?;
            match rustix::net::bind(&fd, party.address()) {
                Ok(()) => {
                    let endpoint = address::of_ours(fd.as_fd())?.unwrap_or_else(|| endpoint.clone());
                    return Ok(Self::new(fd, endpoint, None));
                }
                Err(errno) => last = errno.into(),
            }
        }
        Err(last)
    }

    fn new(fd: OwnedFd, endpoint: Endpoint, bound: Option<Bound>) -> Self {
        Self { fd, endpoint, watch: Watch::default(), _bound: bound }
    }

    /// Where it is bound, with the port that it was given, or what it was connected to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Our own address, if it has one.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local(&self) -> Result<Option<Endpoint>> {
        address::of_ours(self.fd.as_fd()).map_err(|error| self.told(error, "see our end of"))
    }

    /// From now on, sends to one party only, and receives from no other.
    ///
    /// # Errors
    /// `Unreachable`.
    pub fn connect(&self, party: &Party) -> Result<()> {
        connect(&self.fd, party.address()).map_err(|errno| self.told(errno.into(), "connect"))
    }

    /// Sends a datagram to who it is connected to. It has left when the kernel has it; that it arrives is not said.
    ///
    /// # Errors
    /// `ConfigInvalid` if it is too long; `Unreachable` if an earlier one was refused; `Timeout`.
    pub fn send(&self, bytes: &[u8], until: Option<Instant>) -> Result<()> {
        Waiting::new(Sending::new(self, bytes, None)).by(until)
    }

    /// [`send`](Self::send), as a value to wait for.
    pub fn sending<'a>(&'a self, bytes: &'a [u8]) -> impl Wait<Given = ()> + use<'a> {
        Waiting::new(Sending::new(self, bytes, None))
    }

    /// Sends a datagram to somebody.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_to(&self, bytes: &[u8], party: &Party, until: Option<Instant>) -> Result<()> {
        Waiting::new(Sending::new(self, bytes, Some(party))).by(until)
    }

    /// [`send_to`](Self::send_to), as a value to wait for.
    pub fn sending_to<'a>(&'a self, bytes: &'a [u8], party: &'a Party) -> impl Wait<Given = ()> + use<'a> {
        Waiting::new(Sending::new(self, bytes, Some(party)))
    }

    /// Receives the next datagram: its length.
    ///
    /// # Errors
    /// `ResourceExhausted` if there was not room for all of it, in which case it is lost; `Timeout`; `Unreachable` if an
    /// earlier one of ours was refused.
    pub fn recv(&self, into: &mut [u8], until: Option<Instant>) -> Result<usize> {
        Ok(self.recv_from(into, until)?.0)
    }

    /// Receives the next datagram: its length, and who sent it.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_from(&self, into: &mut [u8], until: Option<Instant>) -> Result<(usize, Party)> {
        Waiting::new(Receiving { socket: self, into }).by(until)
    }

    /// [`recv_from`](Self::recv_from), as a value to wait for.
    pub fn receiving_from<'a>(&'a self, into: &'a mut [u8]) -> impl Wait<Given = (usize, Party)> + use<'a> {
        Waiting::new(Receiving { socket: self, into })
    }

    /// The step of [`send`](Self::send) and [`send_to`](Self::send_to): `WouldBlock` if there is no room.
    ///
    /// # Errors
    /// Those of the system.
    pub fn try_send(&self, bytes: &[u8], party: Option<&Party>) -> io::Result<()> {
        // A datagram goes as a whole.
        again(|| match party {
            Some(party) => {
                sendto(&self.fd, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT, party.address())
            }
            None => send(&self.fd, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT),
        })
        .map(drop)
    }

    /// The step of [`recv_from`](Self::recv_from): `WouldBlock` if there is none.
    ///
    /// # Errors
    /// `FileTooLarge` for a datagram that was longer than there was room; those of the system.
    pub fn try_recv(&self, into: &mut [u8]) -> io::Result<(usize, Party)> {
        let received = again(|| {
            let mut control = RecvAncillaryBuffer::default();
            recvmsg(&self.fd, &mut [IoSliceMut::new(into)], &mut control, RecvFlags::DONTWAIT)
        })?;
        if received.flags.contains(ReturnFlags::TRUNC) {
            let why = format!("a datagram is longer than {} bytes, so it is lost", into.len());
            return Err(io::Error::new(ErrorKind::FileTooLarge, why));
        }
        let from = received.address.map_or_else(|| self.peer(), Ok)?;
        Ok((received.bytes, Party::from_system(from)))
    }

    fn peer(&self) -> io::Result<rustix::net::SocketAddrAny> {
        let nobody = rustix::net::SocketAddrUnix::new_unnamed().into();
        Ok(getpeername(&self.fd).ok().flatten().unwrap_or(nobody))
    }

    /// Waits until a step may go on; false if `until` came first, or a signal that this thread
    /// [waits for](anyplace_sync::ending_at_signals).
    ///
    /// # Errors
    /// Those of the system.
    pub fn ready(&self, interest: Interest, until: Option<Instant>) -> io::Result<bool> {
        ready(self.fd.as_fd(), interest, until)
    }

    /// Allows datagrams to everybody in a network, at its broadcast address.
    ///
    /// # Errors
    /// Those of the system.
    pub fn set_broadcast(&self, is_allowed: bool) -> Result<()> {
        set_socket_broadcast(&self.fd, is_allowed)
            .map_err(|errno| self.told(errno.into(), "allow broadcasts of"))
    }

    pub(super) fn told(&self, error: io::Error, operation: &'static str) -> Error {
        told(error, &self.endpoint, operation)
    }
}

fn socket(family: AddressFamily, options: &Options) -> io::Result<OwnedFd> {
    let fd = socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    options.set_buffers(fd.as_fd())?;
    Ok(fd)
}

impl Waitable for Datagram {
    fn fd(&self, _: Interest) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// For options that [`Options`] lacks.
impl AsFd for Datagram {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
