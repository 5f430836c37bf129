//! One direction of a pipe, a file or a terminal.

use crate::net::gate::Gate;
use crate::net::readiness::{Interest, ready};
use crate::net::transport::again;
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::{Errno, read, write, writev};
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, sendmsg};
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// When to look again whether somebody reads a named pipe; the kernel tells nobody.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// Soon enough to be at once, where no time at all would be never.
const AT_ONCE: Duration = Duration::from_nanos(1);
/// What a pipe that can be written to takes without waiting.
const PIPE_BUF: usize = 4096;

/// One direction. It is waited for behind a gate, so that it can be closed while somebody waits.
#[derive(Debug)]
pub(super) struct End {
    gate: Gate,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// Nobody has used it yet.
    Named(PathBuf, OFlags),
    Open(Open),
    Closed,
}

#[derive(Debug)]
struct Open {
    fd: OwnedFd,
    kind: Kind,
    /// We have opened a named pipe, to which perhaps nobody has written yet.
    is_ours: bool,
}

/// How not to wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Nobody ever waits for it: it is ours, or a file.
    Nonblocking,
    /// It is shared with other programs, which do wait for it.
    Blocking,
    Socket,
}

impl End {
    /// A descriptor of this process, which may be shared with others: nothing of what they see is changed.
    pub(super) fn of(fd: BorrowedFd<'_>, interest: Interest) -> io::Result<Self> {
        let end = Self { gate: Gate::new()?, state: Mutex::new(State::Closed) };
        let found = Open::of(fd, interest)?;
        end.enter(&found, interest)?;
        *end.state() = State::Open(found);
        Ok(end)
    }

    pub(super) fn at(path: &Path, flags: OFlags) -> io::Result<Self> {
        Ok(Self { gate: Gate::new()?, state: Mutex::new(State::Named(path.to_owned(), flags)) })
    }

    fn enter(&self, found: &Open, interest: Interest) -> io::Result<()> {
        match self.gate.add(found.fd.as_fd(), interest) {
            // A file: it is always ready.
            Err(error) if error.raw_os_error() == Some(Errno::PERM.raw_os_error()) => {
                self.gate.ring_after(AT_ONCE)
            }
            entered => entered,
        }
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.gate.fd()
    }

    pub(super) fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        match self.opened(&mut state, Interest::Read)? {
            None => Ok(0),
            Some(open) => open.try_read(into),
        }
    }

    pub(super) fn try_write(&self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = self.state();
        match self.opened(&mut state, Interest::Write)? {
            None => Err(ErrorKind::BrokenPipe.into()),
            Some(open) => open.try_write(from),
        }
    }

    /// Opens it if nobody has, unless it is closed.
    fn opened<'a>(&self, state: &'a mut State, interest: Interest) -> io::Result<Option<&'a Open>> {
        if let State::Named(path, flags) = state {
            self.gate.has_rung();
            match open(&*path, *flags | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()) {
                // Nobody reads it yet.
                Err(Errno::NXIO) => {
                    self.gate.ring_after(LOOK_AGAIN)?;
                    return Err(ErrorKind::WouldBlock.into());
                }
                fd => {
                    let found = Open { fd: fd?, kind: Kind::Nonblocking, is_ours: true };
                    self.enter(&found, interest)?;
                    *state = State::Open(found);
                }
            }
        }
        match state {
            State::Open(open) => Ok(Some(open)),
            _ => Ok(None),
        }
    }

    /// Whoever waits for it is woken.
    pub(super) fn close(&self) {
        *self.state() = State::Closed;
        // It cannot fail for a clock that is there.
        drop(self.gate.ring_after(AT_ONCE));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn of(fd: BorrowedFd<'_>, interest: Interest) -> io::Result<Self> {
        let kind = match FileType::from_raw_mode(fstat(fd)?.st_mode) {
            FileType::Socket => Kind::Socket,
            FileType::Fifo | FileType::CharacterDevice => match reopened(fd, interest) {
                Ok(fd) => return Ok(Self { fd, kind: Kind::Nonblocking, is_ours: false }),
                Err(_) => Kind::Blocking,
            },
            _ => Kind::Nonblocking,
        };
        Ok(Self { fd: fd.try_clone_to_owned()?, kind, is_ours: false })
    }

    fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        self.check(Interest::Read)?;
        let read = match self.kind {
            Kind::Socket => again(|| recv(&self.fd, &mut *into, RecvFlags::DONTWAIT).map(|(read, _)| read)),
            _ => again(|| read(&self.fd, &mut *into)),
        }?;
        match read {
            0 if !into.is_empty() && self.is_new()? => Err(ErrorKind::WouldBlock.into()),
            read => Ok(read),
        }
    }

    fn try_write(&self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        self.check(Interest::Write)?;
        match self.kind {
            Kind::Nonblocking => again(|| writev(&self.fd, from)),
            Kind::Blocking => {
                let some = from.iter().find(|slice| !slice.is_empty()).map_or(&[][..], |slice| slice);
                again(|| write(&self.fd, &some[..some.len().min(PIPE_BUF)]))
            }
            Kind::Socket => {
                let mut control = SendAncillaryBuffer::default();
                again(|| sendmsg(&self.fd, from, &mut control, SendFlags::NOSIGNAL | SendFlags::DONTWAIT))
            }
        }
    }

    fn check(&self, interest: Interest) -> io::Result<()> {
        // A time that is over: it looks, and does not wait.
        match self.kind != Kind::Blocking || ready(self.fd.as_fd(), interest, Some(Instant::now()))? {
            true => Ok(()),
            false => Err(ErrorKind::WouldBlock.into()),
        }
    }

    /// Whether nobody has written to it yet: then it reads as if it had ended, but is not ready for that.
    fn is_new(&self) -> io::Result<bool> {
        Ok(self.is_ours && !ready(self.fd.as_fd(), Interest::Read, Some(Instant::now()))?)
    }
}

/// A descriptor of our own for the same pipe or terminal: others who have it go on waiting for it as they did.
fn reopened(fd: BorrowedFd<'_>, interest: Interest) -> io::Result<OwnedFd> {
    let access = match interest {
        Interest::Read => OFlags::RDONLY,
        Interest::Write => OFlags::WRONLY,
    };
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    Ok(open(path, access | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty())?)
}
