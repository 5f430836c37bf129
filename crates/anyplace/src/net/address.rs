//! The addresses of a socket, as the system says them.

use super::Endpoint;
use rustix::io::Errno;
use rustix::net::sockopt::socket_type;
use rustix::net::{AddressFamily, SocketAddrAny, SocketAddrUnix, SocketType, getpeername, getsockname};
use std::ffi::OsStr;
use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;

/// Of the other end, if it has one.
pub(super) fn of_peer(fd: BorrowedFd<'_>) -> io::Result<Option<Endpoint>> {
    match getpeername(fd) {
        Ok(Some(address)) => endpoint(fd, address),
        // A pipe's other end has none.
        Ok(None) | Err(Errno::NOTSOCK) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Of our end, if it has one.
pub(super) fn of_ours(fd: BorrowedFd<'_>) -> io::Result<Option<Endpoint>> {
    match getsockname(fd) {
        Err(Errno::NOTSOCK) => Ok(None),
        address => endpoint(fd, address?),
    }
}

/// Whether it is a unix socket.
pub(super) fn is_unix(fd: BorrowedFd<'_>) -> bool {
    getsockname(fd).is_ok_and(|address| address.address_family() == AddressFamily::UNIX)
}

fn endpoint(fd: BorrowedFd<'_>, address: SocketAddrAny) -> io::Result<Option<Endpoint>> {
    named(&address, socket_type(fd)? == SocketType::STREAM)
}

/// What the system calls an address of a stream, or of datagrams; unix sockets may have none.
pub(super) fn named(address: &SocketAddrAny, is_stream: bool) -> io::Result<Option<Endpoint>> {
    if address.address_family() != AddressFamily::UNIX {
        let address = SocketAddr::try_from(address.clone())?;
        return Ok(Some(if is_stream { Endpoint::tcp(address) } else { Endpoint::udp(address) }));
    }
    let address = SocketAddrUnix::try_from(address.clone())?;
    let path = address.path().map(|path| OsStr::from_bytes(path.to_bytes()).into());
    Ok(path.map(if is_stream { Endpoint::Unix } else { Endpoint::Unixgram }))
}
