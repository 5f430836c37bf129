//! A unix socket's file: made, taken over from the dead, and taken away.

use rustix::fs::{FlockOperation, Mode, OFlags, Stat, fchmod, flock, lstat, open};
use rustix::io::Errno;
use rustix::net::sockopt::socket_type;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, bind, connect, socket_with};
use std::io::{self, ErrorKind};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// A file of ours that a unix socket is bound to. Dropped, it is gone, unless it is somebody else's by then.
#[derive(Debug)]
pub(super) struct Bound {
    path: PathBuf,
    inode: (u64, u64),
    /// A child of a fork leaves the file to its parent.
    generation: u32,
}

impl Bound {
    /// Binds a socket to a path, and does what makes it answer. A socket that nobody listens at any more is replaced; a file
    /// that is no socket never is.
    pub(super) fn new(
        fd: BorrowedFd<'_>,
        path: &Path,
        mode: u32,
        answer: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<Self> {
        let address = SocketAddrUnix::new(path)?;
        // Before the name is there, so that nobody finds it with other rights.
        fchmod(fd, Mode::from_raw_mode(mode))?;
        let turn = turn_at(path)?;
        match bind(fd, &address) {
            Err(Errno::ADDRINUSE) if is_left_behind(fd, path, &address)? => {
                std::fs::remove_file(path)?;
                bind(fd, &address)?;
            }
            bound => bound?,
        }
        let inode = inode(&lstat(path)?);
        let bound = Self { path: path.to_owned(), inode, generation: anyplace_sync::fork_generation() };
        // Within our turn: until then it looks as if it had been left behind.
        let answered = answer();
        drop(turn);
        answered.map(|()| bound)
    }

    fn remove(&self) {
        let is_ours = lstat(&self.path).is_ok_and(|stat| inode(&stat) == self.inode);
        if is_ours && self.generation == anyplace_sync::fork_generation() {
            // Somebody may have taken it away by now.
            drop(std::fs::remove_file(&self.path));
        }
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        // Without a turn (the folder may be gone, or no descriptor left), it is looked at all the same.
        let _turn = turn_at(&self.path);
        self.remove();
    }
}

/// Only one process at a time looks at the sockets of a folder and replaces them. The lock is the folder's, so that no file
/// is left behind.
fn turn_at(path: &Path) -> io::Result<OwnedFd> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = open(parent, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    flock(&folder, FlockOperation::LockExclusive)?;
    Ok(folder)
}

/// Whether the path is a socket that nobody listens at.
fn is_left_behind(fd: BorrowedFd<'_>, path: &Path, address: &SocketAddrUnix) -> io::Result<bool> {
    if rustix::fs::FileType::from_raw_mode(lstat(path)?.st_mode) != rustix::fs::FileType::Socket {
        return Err(io::Error::new(ErrorKind::AddrInUse, "there is a file that is no socket"));
    }
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let probe = socket_with(AddressFamily::UNIX, socket_type(fd)?, flags, None)?;
    Ok(connect(&probe, address) == Err(Errno::CONNREFUSED))
}

fn inode(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}
