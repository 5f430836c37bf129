//! A worker process, whoever started it: its number, its descriptor, its lines to us, its end.
//!
//! ```text
//!  started --(it ends, or is killed)--> ended --(kill what is left of its group, reap)--> reaped
//! ```
//!
//! The process leads a group and is reaped last: until then its number, which is the group's, is nobody else's, so
//! that the group, with all that the work has started, can be killed without harm to strangers.

use super::stderr::Stderr;
use super::zygote::Asked;
use crate::error::Exit;
use anyplace_sync::spawn::kill_group;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, setpgid, waitid,
};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Child;

/// A worker process with its lines to us. When it is dropped, it and all that it started are gone.
#[derive(Debug)]
pub(super) struct Process {
    leader: Leader,
    /// Its control socket, which never blocks.
    pub(super) control: UnixStream,
    pub(super) stderr: Stderr,
}

/// How a worker process ended.
#[derive(Clone, Debug)]
pub(super) struct Death {
    pub(super) pid: u32,
    pub(super) exit: Exit,
    /// The last lines that it wrote on its standard error.
    pub(super) tail: String,
}

impl Process {
    pub(super) fn new(leader: Leader, control: UnixStream, stderr: Stderr) -> Self {
        Self { leader, control, stderr }
    }

    /// Readable when it has ended.
    pub(super) fn pidfd(&self) -> BorrowedFd<'_> {
        self.leader.pidfd()
    }

    /// Whether it has ended, and waits to be reaped if it has not been.
    pub(super) fn has_ended(&self) -> bool {
        self.leader.has_ended()
    }
    /// Kills it with all that it started. Does nothing to what is gone.
    pub(super) fn kill(&self) {
        self.leader.kill();
    }

    /// Takes it out of the process table, once it and its group are killed and gone. Waits for no longer than the
    /// kernel takes to kill it, and not at all when it has ended.
    pub(super) fn reap(&mut self) -> Death {
        Death::of(Some(&mut self.leader), &mut self.stderr)
    }
}

impl Death {
    /// Of the process that writes to `stderr`; it is over when this returns.
    pub(super) fn of(leader: Option<&mut Leader>, stderr: &mut Stderr) -> Self {
        let (pid, exit) = leader.map_or((0, UNKNOWN), |leader| (leader.pid(), leader.reap()));
        let mut buffer = [0; 4096];
        while stderr.pass_on(&mut buffer) {}
        Self { pid, exit, tail: stderr.tail() }
    }
}

/// The process itself, as the leader of its group.
#[derive(Debug)]
pub(super) struct Leader {
    pid: Pid,
    pidfd: OwnedFd,
    parent: Parent,
    /// Known when it is reaped.
    exit: Option<Exit>,
}

/// Who reaps it.
#[derive(Debug)]
enum Parent {
    Us,
    Zygote(Asked),
}

impl Leader {
    /// A child that this process has just started, as the leader of a group.
    ///
    /// # Errors
    /// It cannot be watched, and so has been killed.
    pub(super) fn of(mut child: Child) -> io::Result<Self> {
        let pid = Pid::from_child(&child);
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Self { pid, pidfd, parent: Parent::Us, exit: None }),
            Err(error) => {
                let _ = kill_process_group(pid, Signal::KILL);
                drop(child.wait());
                Err(error.into())
            }
        }
    }

    /// A child that this process has just forked: it makes itself the leader of a group.
    ///
    /// # Errors
    /// It cannot be watched.
    pub(super) fn of_ours(pid: u32) -> io::Result<Self> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(Errno::INVAL)?;
        // The child does the same: whoever is first, the group is there when this returns.
        let _ = setpgid(Some(pid), Some(pid));
        let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
        Ok(Self { pid, pidfd, parent: Parent::Us, exit: None })
    }

    /// A child of the zygote's, with the number and the descriptor that it told.
    pub(super) fn of_zygote(asked: Asked, pid: u32, pidfd: OwnedFd) -> Option<Self> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
        Some(Self { pid, pidfd, parent: Parent::Zygote(asked), exit: None })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    pub(super) fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    pub(super) fn has_ended(&self) -> bool {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        self.exit.is_some()
            || matches!(poll(&mut [PollFd::new(&self.pidfd, PollFlags::IN)], Some(&now)), Ok(1..))
    }

    pub(super) fn kill(&self) {
        if self.exit.is_some() {
            return;
        }
        // A group that is already gone needs no signal. Kernels before 6.9 know groups by their number only, which
        // somebody else may have when the parent that should reap it is gone.
        if let Err(error) = kill_group(&self.pidfd)
            && Errno::from_io_error(&error) == Some(Errno::INVAL)
            && self.parent.is_there()
        {
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
    }

    pub(super) fn reap(&mut self) -> Exit {
        if let Some(exit) = self.exit {
            return exit;
        }
        self.kill();
        while poll(&mut [PollFd::new(&self.pidfd, PollFlags::IN)], None).is_err() {}
        // Once more, for what was started while the first signal was on its way.
        self.kill();
        let exit = self.parent.reap(&self.pidfd);
        self.exit = Some(exit);
        exit
    }
}

impl Parent {
    fn is_there(&self) -> bool {
        match self {
            Self::Us => true,
            Self::Zygote(asked) => asked.zygote().is_useful(),
        }
    }

    fn reap(&mut self, pidfd: &OwnedFd) -> Exit {
        match self {
            Self::Us => {
                let waited = waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
                waited.ok().flatten().map_or(UNKNOWN, |status| Exit::of(&status))
            }
            // A zygote that is gone took its workers with it.
            Self::Zygote(asked) => asked.reap().unwrap_or(KILLED),
        }
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.reap();
    }
}

/// Somebody else has taken the status.
const UNKNOWN: Exit = Exit::Signal(0);

const KILLED: Exit = Exit::Signal(9);
