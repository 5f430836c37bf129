//! How far a worker's process is: wanted of the zygote, asked for, born. One that is started by exec is born at once.

use super::process::Leader;
use super::zygote::{Asked, Zygote};
use crate::error::Error;
use rustix::event::{PollFd, PollFlags};
use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// How far a worker's process is.
#[derive(Debug)]
pub(super) enum Birth {
    /// The zygote could not be asked yet.
    Wanted {
        zygote: Arc<Zygote>,
        /// The worker's ends of its lines.
        control: OwnedFd,
        stderr: OwnedFd,
    },
    Asked(Asked),
    Born(Leader),
    /// There is no process, and there will be none.
    Never(Error),
}

impl Birth {
    pub(super) fn wanted(zygote: Arc<Zygote>, control: OwnedFd, stderr: OwnedFd) -> Self {
        Self::Wanted { zygote, control, stderr }
    }

    /// Asks the zygote, if it has to be asked and can be now.
    pub(super) fn ask(&mut self) {
        let Self::Wanted { zygote, control, stderr } = self else { return };
        match zygote.ask(control.as_fd(), stderr.as_fd()) {
            // The worker's ends of its lines are closed here.
            Ok(asked) => *self = Self::Asked(asked),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => *self = Self::Never(zygote.failure()),
            Err(error) => *self = Self::Never(error.into()),
        }
    }

    /// The zygote has told of the worker: `false` if it was not asked, or told nonsense.
    pub(super) fn tell(&mut self, pid: u32, pidfd: Option<OwnedFd>) -> bool {
        let (Self::Asked(_), Some(pidfd)) = (&*self, pidfd) else { return false };
        let Self::Asked(asked) = std::mem::replace(self, Self::Never(nobody())) else { return false };
        if let Some(leader) = Leader::of_zygote(asked, pid, pidfd) {
            *self = Self::Born(leader);
        }
        matches!(self, Self::Born(_))
    }

    pub(super) fn leader(&self) -> Option<&Leader> {
        if let Self::Born(leader) = self { Some(leader) } else { None }
    }

    pub(super) fn leader_mut(&mut self) -> Option<&mut Leader> {
        if let Self::Born(leader) = self { Some(leader) } else { None }
    }

    /// Why there is no process, of one that was not born and will not be.
    pub(super) fn failure(&self) -> Error {
        match self {
            Self::Never(error) => error.clone(),
            Self::Wanted { zygote, .. } => zygote.failure(),
            Self::Asked(asked) => asked.zygote().failure(),
            Self::Born(_) => nobody(),
        }
    }

    /// Adds what has to be polled before it gets further.
    pub(super) fn waits<'a>(&'a self, waits: &mut Vec<PollFd<'a>>) {
        match self {
            Self::Wanted { zygote, .. } => {
                waits.push(PollFd::from_borrowed_fd(zygote.socket(), PollFlags::OUT));
            }
            Self::Born(leader) => waits.push(PollFd::from_borrowed_fd(leader.pidfd(), PollFlags::IN)),
            Self::Asked(_) | Self::Never(_) => {}
        }
    }
}

fn nobody() -> Error {
    Error::new(crate::Kind::WorkerLost, "no worker process was made").with_retry(crate::Retry::Safe)
}
