//! Listening: streams that others open.

use super::failure::told;
use super::readiness::{Interest, ready};
use super::transport::{Socket, again};
use super::{Endpoint, Stream};
use crate::error::{Error, Result};
use rustix::fs::{AtFlags, CWD, Mode, chmodat};
use rustix::net::sockopt::{set_socket_reuseaddr, set_tcp_nodelay};
use rustix::net::{
    AddressFamily, SocketAddrAny, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, getsockname,
    socket_with,
};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

/// The kernel takes fewer if `net.core.somaxconn` says so.
const BACKLOG: i32 = 1024;

/// Listens at an endpoint: streams that others open there wait until somebody accepts them. A dropped listener is closed,
/// and its file, if it is a unix socket, is gone.
#[derive(Debug)]
pub struct Listener {
    fd: OwnedFd,
    endpoint: Endpoint,
}

/// Listens at an endpoint, such as `tcp://127.0.0.1:0` (any free port) or `unix:/run/any.sock` (of mode 0600).
///
/// # Errors
/// `ConfigInvalid` for a wrong endpoint; `ResourceExhausted` if somebody listens there already; `PermissionDenied`.
pub fn listen<E>(endpoint: E) -> Result<Listener>
where
    E: TryInto<Endpoint>,
    Error: From<E::Error>,
{
    let endpoint = endpoint.try_into()?;
    open(&endpoint).map_err(|error| told(error, &endpoint, "listen at"))
}

fn open(endpoint: &Endpoint) -> io::Result<Listener> {
    let fd = match endpoint {
        Endpoint::Tcp { host, port } => {
            let address = (host.as_str(), *port).to_socket_addrs()?.next().ok_or(ErrorKind::NotFound)?;
            let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
            let fd = socket(family)?;
            // Connections of a server that has ended may linger for minutes; they are nobody's.
            set_socket_reuseaddr(&fd, true)?;
            bind(&fd, &address)?;
            fd
        }
        Endpoint::Unix(path) => {
            let fd = socket(AddressFamily::UNIX)?;
            bind(&fd, &SocketAddrUnix::new(path.as_path())?)?;
            chmodat(CWD, path.as_path(), Mode::RUSR | Mode::WUSR, AtFlags::empty())?;
            fd
        }
    };
    rustix::net::listen(&fd, BACKLOG)?;
    let endpoint = match endpoint {
        Endpoint::Tcp { .. } => at(getsockname(&fd)?)?,
        Endpoint::Unix(_) => endpoint.clone(),
    };
    Ok(Listener { fd, endpoint })
}

fn socket(family: AddressFamily) -> io::Result<OwnedFd> {
    Ok(socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?)
}

fn at(address: SocketAddrAny) -> io::Result<Endpoint> {
    let address = SocketAddr::try_from(address)?;
    Ok(Endpoint::Tcp { host: address.ip().to_string(), port: address.port() })
}

impl Listener {
    /// Where it listens, with the port that it was given.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The next stream that somebody opens. Nothing is said to them yet.
    ///
    /// # Errors
    /// `Timeout` if `until` came first; `ResourceExhausted` if there is no descriptor left.
    pub fn accept(&self, until: Option<Instant>) -> Result<Stream> {
        let accepted = loop {
            match self.try_accept() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => match self.ready(until) {
                    Ok(true) => {}
                    Ok(false) => break Err(ErrorKind::TimedOut.into()),
                    Err(error) => break Err(error),
                },
                taken => break taken,
            }
        };
        accepted.map_err(|error| told(error, &self.endpoint, "accept at"))
    }

    /// The step of [`accept`](Self::accept): `WouldBlock` if nobody waits to be accepted.
    ///
    /// # Errors
    /// Those of the system, but for connections that were given up before they were accepted.
    pub fn try_accept(&self) -> io::Result<Stream> {
        loop {
            match again(|| accept_with(&self.fd, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)) {
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error),
                Ok(fd) => {
                    if matches!(self.endpoint, Endpoint::Tcp { .. }) {
                        set_tcp_nodelay(&fd, true)?;
                    }
                    return Ok(Stream::new(Socket::new(fd), self.endpoint.clone()));
                }
            }
        }
    }

    /// Waits until somebody can be accepted; false if `until` came first, or a signal that this thread
    /// [waits for](anyplace_sync::ending_at_signals).
    ///
    /// # Errors
    /// Those of the system.
    pub fn ready(&self, until: Option<Instant>) -> io::Result<bool> {
        ready(self.fd.as_fd(), Interest::Read, until)
    }

    /// The descriptor that says when somebody can be accepted.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Endpoint::Unix(path) = &self.endpoint {
            // Somebody may have taken it away.
            drop(std::fs::remove_file(path));
        }
    }
}
