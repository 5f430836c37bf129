//! Which process: its number, and when it started, since numbers are used again.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};
use std::fs;

/// A process of this machine, as one word.
///
/// The kernel's largest process number has 22 bits; 40 bits of hundredths of a second since the machine started last for
/// three centuries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Process(u64);

const PID_BITS: u32 = 22;
const START_BITS: u32 = 40;

/// When processes started cannot be told where `/proc` is not mounted: then it is all one.
const UNKNOWN: u64 = 0;

impl Process {
    /// This one.
    pub(super) fn this() -> Self {
        Self::of(getpid())
    }

    fn of(pid: Pid) -> Self {
        let number = u64::from(pid.as_raw_nonzero().get().cast_unsigned());
        Self(start_of(pid).unwrap_or(UNKNOWN) << PID_BITS | number)
    }

    pub(super) fn from_word(word: u64) -> Self {
        Self(word)
    }

    pub(super) fn word(self) -> u64 {
        self.0
    }

    /// Its number.
    pub(super) fn pid(self) -> u32 {
        (self.0 & ((1 << PID_BITS) - 1)) as u32
    }

    fn start(self) -> u64 {
        self.0 >> PID_BITS
    }

    /// Whether it has ended, also if nobody has waited for it yet (a zombie). Costs some microseconds.
    pub(super) fn is_gone(self) -> bool {
        let Some(pid) = Pid::from_raw(self.pid().cast_signed()) else { return true };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Err(Errno::SRCH) => true,
            // No descriptor can be had: a zombie is seen when one can.
            Err(_) => self.is_another(pid),
            Ok(fd) => {
                let now = Timespec { tv_sec: 0, tv_nsec: 0 };
                let ended = poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&now));
                // The descriptor was opened first, so that both answers are of one process.
                ended.is_ok_and(|ended| ended > 0) || self.is_another(pid)
            }
        }
    }

    fn is_another(self, pid: Pid) -> bool {
        let start = start_of(pid).unwrap_or(UNKNOWN);
        start != UNKNOWN && self.start() != UNKNOWN && start != self.start()
    }
}

/// The 22nd field of its `stat`; the second is its name in brackets, which may contain anything.
fn start_of(pid: Pid) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let start: u64 = rest.split_ascii_whitespace().nth(19)?.parse().ok()?;
    Some(start & ((1 << START_BITS) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_living_process_is_there_and_an_earlier_one_of_its_number_is_not() {
        let this = Process::this();
        assert_eq!(this.pid(), std::process::id());
        assert!(!this.is_gone());
        let earlier = Process(this.word() - (1 << PID_BITS));
        assert!(earlier.is_gone());
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a child that ends is what this is about")]
    fn a_process_that_nobody_has_waited_for_is_gone() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let it = Process::of(Pid::from_child(&child));
        assert!(!it.is_gone());
        drop(child.stdin.take());
        let fd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
        poll(&mut [PollFd::new(&fd, PollFlags::IN)], None).unwrap();
        assert!(it.is_gone(), "it is a zombie");
        child.wait().unwrap();
        assert!(it.is_gone());
    }
}
