//! What a worker gets from its place when it is made by fork: its socket, its standard error, its folder.

use rustix::io::Errno;
use rustix::process::{Pid, Signal, fchdir, getppid, set_parent_process_death_signal, setpgid};
use std::io;
use std::os::fd::OwnedFd;

/// A new worker's lines to its place, for whoever makes workers by fork. The parent drops them, the child takes them.
#[derive(Debug)]
pub struct Lines {
    pub(crate) control: OwnedFd,
    pub(crate) stderr: OwnedFd,
    /// Its folder, if that is not its parent's, and can be named.
    pub(crate) folder: Option<OwnedFd>,
}

impl Lines {
    /// Makes the calling process, which `parent` has just forked, the worker that these lines are for: it ends when the
    /// parent's thread does that forked it, leads a group of its own, and calls [`serve`](super::serve) next.
    ///
    /// # Errors
    /// The parent is gone already, or the system refuses.
    pub fn take(&self, parent: u32) -> io::Result<()> {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        let is_parent = |pid: Pid| pid.as_raw_nonzero().get().unsigned_abs() == parent;
        if !getppid().is_some_and(is_parent) {
            return Err(Errno::PIPE.into());
        }
        setpgid(None, None)?;
        rustix::stdio::dup2_stdin(&self.control)?;
        rustix::stdio::dup2_stderr(&self.stderr)?;
        if let Some(folder) = &self.folder {
            fchdir(folder)?;
        }
        Ok(())
    }
}
