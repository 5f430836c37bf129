//! Listening: streams that others open.

use super::bound::Bound;
use super::connect::resolve;
use super::failure::told;
use super::gate::Gate;
use super::readiness::{Interest, Waitable, ready};
use super::transport::{Socket, again};
use super::waiting::{Awaited, Operation, Waiting};
use super::{Endpoint, Options, Stream, address};
use crate::error::{Error, Result};
use crate::share::Wait;
use rustix::io::Errno;
use rustix::net::sockopt::{set_socket_reuseaddr, socket_acceptconn};
use rustix::net::{AddressFamily, SocketFlags, SocketType, accept_with, bind, getsockname, socket_with};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// How long nobody is accepted when there is no descriptor left for them.
const PAUSE: Duration = Duration::from_millis(100);

/// Listens at an endpoint: streams that others open there wait until somebody accepts them. A dropped listener is closed,
/// and its file, if it is a unix socket, is gone.
#[derive(Debug)]
pub struct Listener {
    fd: OwnedFd,
    endpoint: Endpoint,
    /// Where to wait: for the socket, or for the end of a pause.
    gate: Gate,
    is_pausing: Mutex<bool>,
    /// A child of a fork has the same gate, which it must not shut for its parent.
    generation: u32,
    /// What of the file system is ours.
    _bound: Option<Bound>,
}

/// Listens at an endpoint, such as `tcp://127.0.0.1:0` (any free port), `tcp://[::]:80` (every address, IPv4 as well) or
/// `unix:/run/any.sock` (of mode 0600; a socket that nobody listens at any more is replaced).
///
/// # Errors
/// `ConfigInvalid` for a wrong endpoint; `ResourceExhausted` if somebody listens there already; `PermissionDenied`.
pub fn listen<E>(endpoint: E) -> Result<Listener>
where
    E: TryInto<Endpoint>,
    Error: From<E::Error>,
{
    listen_with(endpoint, &Options::default())
}

/// [`listen`], with options. Whoever is accepted has the same.
///
/// # Errors
/// As [`listen`].
pub fn listen_with<E>(endpoint: E, options: &Options) -> Result<Listener>
where
    E: TryInto<Endpoint>,
    Error: From<E::Error>,
{
    let endpoint = endpoint.try_into()?;
    open(&endpoint, options).map_err(|error| told(error, &endpoint, "listen at"))
}

fn open(endpoint: &Endpoint, options: &Options) -> io::Result<Listener> {
    match endpoint {
        Endpoint::Tcp { host, port } => tcp(&resolve(host, *port, None)?, options),
        Endpoint::Unix(path) => unix(path, options),
        _ => Err(io::Error::new(ErrorKind::Unsupported, "nobody can connect there")),
    }
}

/// At the first of the addresses that is one of this machine's.
fn tcp(addresses: &[SocketAddr], options: &Options) -> io::Result<Listener> {
    let mut last = io::Error::new(ErrorKind::HostUnreachable, "the name has no address");
    for address in addresses {
        match tcp_at(address, options) {
            Err(error) => last = error,
            listener => return listener,
        }
    }
    Err(last)
}

fn tcp_at(address: &SocketAddr, options: &Options) -> io::Result<Listener> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let fd = socket(family, options)?;
    // Connections of a server that has ended may linger for minutes; they are nobody's.
    set_socket_reuseaddr(&fd, true)?;
    options.set_bound(fd.as_fd(), family)?;
    bind(&fd, address)?;
    rustix::net::listen(&fd, options.backlog.into())?;
    let endpoint = Endpoint::tcp(getsockname(&fd)?.try_into()?);
    Listener::new(fd, endpoint, None)
}

fn unix(path: &Path, options: &Options) -> io::Result<Listener> {
    let fd = socket(AddressFamily::UNIX, options)?;
    let answer = || Ok(rustix::net::listen(&fd, options.backlog.into())?);
    let bound = Bound::new(fd.as_fd(), path, options.mode, answer)?;
    Listener::new(fd, Endpoint::Unix(path.to_owned()), Some(bound))
}

fn socket(family: AddressFamily, options: &Options) -> io::Result<OwnedFd> {
    let fd = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    options.set(fd.as_fd(), family)?;
    Ok(fd)
}

impl Listener {
    fn new(fd: OwnedFd, endpoint: Endpoint, bound: Option<Bound>) -> io::Result<Self> {
        let gate = Gate::new()?;
        gate.add(fd.as_fd(), Interest::Read)?;
        Ok(Self {
            fd,
            endpoint,
            gate,
            is_pausing: Mutex::new(false),
            generation: anyplace_sync::fork_generation(),
            _bound: bound,
        })
    }

    /// Takes over a socket that somebody else has made and listens at, such as one that systemd hands to a service
    /// (`LISTEN_FDS`). The file of a unix socket stays theirs.
    ///
    /// # Errors
    /// `ConfigInvalid` if it is no such socket.
    pub fn adopt(fd: OwnedFd) -> Result<Self> {
        let endpoint = listened_at(&fd)?;
        let listener = (|| {
            rustix::io::ioctl_fionbio(&fd, true)?;
            rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
            let family = getsockname(&fd)?.address_family();
            Options::default().set(fd.as_fd(), family)?;
            Self::new(fd, endpoint.clone(), None)
        })();
        listener.map_err(|error| told(error, &endpoint, "listen at"))
    }

    /// Where it listens, with the port that it was given.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The next stream that somebody opens. Nothing is said to them yet.
    ///
    /// # Errors
    /// `Timeout` if `until` came first; `ResourceExhausted` if there is no descriptor left, after which nobody is accepted
    /// for a tenth of a second.
    pub fn accept(&self, until: Option<Instant>) -> Result<Stream> {
        Waiting::new(Accepting(self)).by(until)
    }

    /// [`accept`](Self::accept), as a value to wait for.
    pub fn accepting(&self) -> impl Wait<Given = Stream> + use<'_> {
        Waiting::new(Accepting(self))
    }

    /// The step of [`accept`](Self::accept): `WouldBlock` if nobody waits to be accepted.
    ///
    /// # Errors
    /// Those of the system, but for connections that were given up before they were accepted.
    pub fn try_accept(&self) -> io::Result<Stream> {
        let mut is_pausing = self.is_pausing.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_pausing {
            if !self.gate.has_rung() {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.gate.add(self.fd.as_fd(), Interest::Read)?;
            *is_pausing = false;
        }
        drop(is_pausing);
        self.take().inspect_err(|error| {
            if is_for_want_of_room(error) {
                self.pause();
            }
        })
    }

    fn take(&self) -> io::Result<Stream> {
        loop {
            match again(|| accept_with(&self.fd, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)) {
                Ok(fd) => return Ok(Stream::new(Socket::new(fd), self.endpoint.clone())),
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Who waits to be accepted still waits, and would be reported again and again.
    fn pause(&self) {
        let mut is_pausing = self.is_pausing.lock().unwrap_or_else(PoisonError::into_inner);
        let is_ours = self.generation == anyplace_sync::fork_generation();
        if is_ours && !*is_pausing && self.gate.ring_after(PAUSE).is_ok() {
            self.gate.remove(self.fd.as_fd());
            *is_pausing = true;
        }
    }

    /// Waits until somebody can be accepted; false if `until` came first, or a signal that this thread
    /// [waits for](anyplace_sync::ending_at_signals).
    ///
    /// # Errors
    /// Those of the system.
    pub fn ready(&self, until: Option<Instant>) -> io::Result<bool> {
        ready(self.fd(), Interest::Read, until)
    }

    /// The descriptor that can be read when somebody can be accepted. It is not the socket, which is
    /// [this](#impl-AsFd-for-Listener).
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.gate.fd()
    }
}

fn listened_at(fd: &OwnedFd) -> Result<Endpoint> {
    let endpoint = (|| match socket_acceptconn(fd)? {
        true => address::of_ours(fd.as_fd()),
        false => Err(io::Error::from(ErrorKind::InvalidInput)),
    })();
    endpoint
        .ok()
        .flatten()
        .filter(|endpoint| matches!(endpoint, Endpoint::Tcp { .. } | Endpoint::Unix(_)))
        .ok_or_else(|| {
            Error::config("this descriptor is no socket at which somebody listens for streams")
                .with_help("hand over a TCP or unix socket after `listen`, as `Accept=no` of systemd does")
        })
}

fn is_for_want_of_room(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(errno, Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM))
}

struct Accepting<'a>(&'a Listener);

impl Operation for Accepting<'_> {
    type Given = Stream;

    fn step(&mut self) -> io::Result<Option<Stream>> {
        self.0.try_accept().map(Some)
    }

    fn awaits(&self) -> Awaited<'_> {
        self.0.gate.awaited()
    }

    fn told(&self, error: io::Error) -> Error {
        told(error, &self.0.endpoint, "accept at")
    }
}

impl Waitable for Listener {
    fn fd(&self, _: Interest) -> BorrowedFd<'_> {
        self.gate.fd()
    }
}

/// For options that [`Options`] lacks, and to hand it to another process.
impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
