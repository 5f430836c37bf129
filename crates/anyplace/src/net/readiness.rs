//! Waiting for a descriptor, on the thread that wants it.

use crate::error::Result;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
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

/// What can be waited for together with others, by [`wait_any`].
pub trait Waitable {
    /// The descriptor that says when a step may go on.
    fn fd(&self, interest: Interest) -> BorrowedFd<'_>;

    /// What to ask that descriptor for.
    fn awaits(&self, interest: Interest) -> Interest {
        interest
    }

    /// Whether a step may go on whatever the descriptor says, since bytes were read ahead of it.
    fn is_ready(&self, _: Interest) -> bool {
        false
    }
}

/// A descriptor of any other kind.
impl Waitable for BorrowedFd<'_> {
    fn fd(&self, _: Interest) -> BorrowedFd<'_> {
        *self
    }
}

/// A descriptor of any other kind.
impl Waitable for OwnedFd {
    fn fd(&self, _: Interest) -> BorrowedFd<'_> {
        self.as_fd()
    }
}

/// Waits until at least one of them is ready, or broken, which the next step then says: the positions of all that are. None
/// are if `until` came first, or a signal that the caller [wants to hear of](anyplace_sync::ending_at_signals). What is
/// ready stays so until somebody reads or writes.
///
/// ```
/// use anyplace::net::{Interest, connect, listen, wait_any};
///
/// let (web, admin) = (listen("tcp://127.0.0.1:0")?, listen("tcp://127.0.0.1:0")?);
/// let _visitor = connect(admin.endpoint(), None)?;
/// assert_eq!(wait_any(&[(&web, Interest::Read), (&admin, Interest::Read)], None)?, [1]);
/// # Ok::<(), anyplace::Error>(())
/// ```
///
/// # Errors
/// Those of the system.
pub fn wait_any(these: &[(&dyn Waitable, Interest)], until: Option<Instant>) -> Result<Vec<usize>> {
    let mut polls = Vec::with_capacity(these.len());
    let mut is_any_ready = false;
    for (one, interest) in these {
        polls.push(PollFd::from_borrowed_fd(one.fd(*interest), one.awaits(*interest).flags()));
        is_any_ready |= one.is_ready(*interest);
    }
    // The others are looked at, too, so that nobody starves.
    wait(&mut polls, if is_any_ready { Some(Instant::now()) } else { until })?;
    let is_ready = |&position: &usize| {
        let (one, interest) = these[position];
        one.is_ready(interest) || !polls[position].revents().is_empty()
    };
    Ok((0..these.len()).filter(is_ready).collect())
}

/// Waits until the descriptor is ready, or broken, which the next step then says; false if `until` came first, or a
/// signal that the caller [wants to hear of](anyplace_sync::ending_at_signals).
pub(crate) fn ready(fd: BorrowedFd<'_>, interest: Interest, until: Option<Instant>) -> io::Result<bool> {
    wait(&mut [PollFd::from_borrowed_fd(fd, interest.flags())], until)
}

fn wait(polls: &mut [PollFd<'_>], until: Option<Instant>) -> io::Result<bool> {
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        match poll(polls, left.map(timespec).as_ref()) {
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
