//! Waiting for a descriptor, on the thread that wants it.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

/// What somebody waits to do with a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interest {
    /// There is something to read, or the end.
    Read,
    /// There is room to write.
    Write,
}

impl Interest {
    fn flags(self) -> PollFlags {
        match self {
            Self::Read => PollFlags::IN | PollFlags::RDHUP,
            Self::Write => PollFlags::OUT,
        }
    }
}

/// Waits until the descriptor is ready, or broken, which the next step then says; false if `until` came first, or a
/// signal that the caller [wants to hear of](anyplace_sync::ending_at_signals).
pub(crate) fn ready(fd: BorrowedFd<'_>, interest: Interest, until: Option<Instant>) -> io::Result<bool> {
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let mut polled = [PollFd::from_borrowed_fd(fd, interest.flags())];
        match poll(&mut polled, left.map(timespec).as_ref()) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(Errno::INTR) if anyplace_sync::signal_came() => return Ok(false),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn timespec(time: Duration) -> Timespec {
    // Longer than this is for ever.
    time.try_into().unwrap_or(Timespec { tv_sec: i64::MAX / 4, tv_nsec: 0 })
}
