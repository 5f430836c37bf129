//! Connecting: one address, one stream.

use super::failure::told;
use super::readiness::{Interest, ready};
use super::transport::Socket;
use super::{Endpoint, Stream};
use crate::error::{Error, Result};
use rustix::io::Errno;
use rustix::net::sockopt::{set_tcp_nodelay, socket_error};
use rustix::net::{AddressFamily, SocketAddrAny, SocketAddrUnix, SocketFlags, SocketType, socket_with};
use std::io::{self, ErrorKind};
use std::net::ToSocketAddrs;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

/// Connects to an endpoint, such as `tcp://localhost:80` or `unix:/run/any.sock`.
///
/// # Errors
/// `ConfigInvalid` for a wrong endpoint; `Unreachable`; `Timeout` if `until` came first.
pub fn connect<E>(endpoint: E, until: Option<Instant>) -> Result<Stream>
where
    E: TryInto<Endpoint>,
    Error: From<E::Error>,
{
    let endpoint = endpoint.try_into()?;
    let fd = match &endpoint {
        Endpoint::Tcp { host, port } => tcp(host, *port, until),
        Endpoint::Unix(path) => SocketAddrUnix::new(path.as_path())
            .map_err(io::Error::from)
            .and_then(|address| one(&address.into(), AddressFamily::UNIX, until)),
    };
    let fd = fd.map_err(|error| told(error, &endpoint, "connect to"))?;
    Ok(Stream::new(Socket::new(fd), endpoint))
}

fn tcp(host: &str, port: u16, until: Option<Instant>) -> io::Result<OwnedFd> {
    let mut last = io::Error::from(ErrorKind::NotFound);
    for address in (host, port).to_socket_addrs()? {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        match one(&address.into(), family, until) {
            Ok(fd) => {
                set_tcp_nodelay(&fd, true)?;
                return Ok(fd);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn one(address: &SocketAddrAny, family: AddressFamily, until: Option<Instant>) -> io::Result<OwnedFd> {
    let fd = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    match rustix::net::connect(&fd, address) {
        Ok(()) => Ok(fd),
        // A unix socket's backlog is full: the kernel says so at once, and tells nobody when there is room.
        Err(Errno::INPROGRESS) => {
            if !ready(fd.as_fd(), Interest::Write, until)? {
                return Err(ErrorKind::TimedOut.into());
            }
            socket_error(&fd)??;
            Ok(fd)
        }
        Err(error) => Err(error.into()),
    }
}
