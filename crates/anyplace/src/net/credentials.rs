//! Who is at the other end of a unix socket.

use rustix::net::sockopt::socket_peercred;
use std::io;
use std::os::fd::BorrowedFd;

/// Who was at the other end of a unix socket when it connected, or listened; the kernel vouches for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Credentials {
    /// The process.
    pub pid: u32,
    /// Its effective user.
    pub uid: u32,
    /// Its effective group.
    pub gid: u32,
}

impl Credentials {
    /// Of the other end of a connected unix socket.
    pub(super) fn of(fd: BorrowedFd<'_>) -> io::Result<Self> {
        let peer = socket_peercred(fd)?;
        Ok(Self {
            pid: peer.pid.as_raw_nonzero().get().unsigned_abs(),
            uid: peer.uid.as_raw(),
            gid: peer.gid.as_raw(),
        })
    }
}
