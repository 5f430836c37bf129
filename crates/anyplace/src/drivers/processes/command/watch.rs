//! Waits for everything that can happen to a running command.
//!
//! ```text
//!  running --(it ended)--> draining --(pipes closed, or 100 ms)--> ended
//!     |                        |
//!     '--(deadline, kill)------'   TERM to the group, a grace, KILL
//! ```
//!
//! A command has ended when its own process has. What it started and left behind may still hold its pipes: that
//! must not delay the result, but what the command itself printed must not be lost either, so the pipes are read a
//! moment longer. The process is reaped last: until then its number, which is its group's number, is nobody else's.

use super::capture::{BIG_PIPE, Capture};
use super::ending::{Bell, Ender};
use crate::task::Ending;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// How long the pipes of a command that has ended are read, when others still hold them.
const LEFT_BEHIND: Duration = Duration::from_millis(100);

/// More than both pipes hold: what is read after that was written by others, who may never stop.
const LEFT_IN_PIPES: usize = 2 * BIG_PIPE + 1;

/// A command that runs.
pub(super) struct Watch<'a> {
    pub(super) pidfd: &'a OwnedFd,
    pub(super) bell: &'a Bell,
    pub(super) out: &'a mut Capture,
    pub(super) err: &'a mut Capture,
    pub(super) ender: &'a mut Ender,
    pub(super) deadline: Option<Instant>,
    pub(super) buffer: &'a mut [u8],
}

/// What a look around found.
struct Seen {
    ended: bool,
    rung: bool,
    out: bool,
    err: bool,
}

impl Watch<'_> {
    /// Returns when the process has ended and what it printed is taken; it is not reaped yet.
    pub(super) fn until_ended(&mut self) -> io::Result<()> {
        while !self.running_step()? {}
        let drained = Instant::now() + LEFT_BEHIND;
        let mut left = LEFT_IN_PIPES;
        while left > 0 {
            match self.draining_step(drained)? {
                Some(taken) => left = left.saturating_sub(taken),
                None => break,
            }
        }
        if self.ender.why.is_some() {
            self.ender.kill();
        }
        Ok(())
    }

    /// True when the process has ended.
    fn running_step(&mut self) -> io::Result<bool> {
        let seen = self.look(earlier(self.deadline, self.ender.insist), true)?;
        self.take(&seen)?;
        if seen.ended {
            return Ok(true);
        }
        self.hear(&seen);
        let now = Instant::now();
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.deadline = None;
            self.ender.end(Ending::Timeout);
        }
        if self.ender.insist.is_some_and(|insist| insist <= now) {
            self.ender.kill();
        }
        Ok(false)
    }

    /// How much was read; nothing when nothing more is to be. What was asked to end may use its whole grace.
    fn draining_step(&mut self, drained: Instant) -> io::Result<Option<usize>> {
        if self.out.pipe.is_none() && self.err.pipe.is_none() {
            return Ok(None);
        }
        let until = self.ender.insist.unwrap_or(drained);
        let seen = self.look(Some(until), false)?;
        self.hear(&seen);
        let taken = self.take(&seen)?;
        Ok((taken > 0 || Instant::now() < until).then_some(taken))
    }

    fn hear(&mut self, seen: &Seen) {
        if seen.rung {
            self.bell.endings().into_iter().for_each(|ending| self.ender.end(ending));
        }
    }

    fn take(&mut self, seen: &Seen) -> io::Result<usize> {
        let mut taken = 0;
        if seen.out {
            taken += self.out.take(self.buffer)?;
        }
        if seen.err {
            taken += self.err.take(self.buffer)?;
        }
        Ok(taken)
    }

    /// Sleeps until something happens or `until` has come.
    fn look(&self, until: Option<Instant>, for_end: bool) -> io::Result<Seen> {
        let wanted = |fd| PollFd::new(fd, PollFlags::IN);
        // Negative descriptors are passed over; the bell stands in for them, with no wish.
        let absent = || PollFd::new(self.bell.event(), PollFlags::empty());
        let mut fds = [
            if for_end { wanted(self.pidfd) } else { absent() },
            wanted(self.bell.event()),
            self.out.pipe.as_ref().map_or_else(absent, wanted),
            self.err.pipe.as_ref().map_or_else(absent, wanted),
        ];
        match poll(&mut fds, timespec(until).as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Seen { ended: false, rung: false, out: false, err: false }),
            Err(error) => return Err(error.into()),
        }
        let happened = |index: usize| !fds[index].revents().is_empty();
        Ok(Seen { ended: happened(0), rung: happened(1), out: happened(2), err: happened(3) })
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

fn timespec(until: Option<Instant>) -> Option<Timespec> {
    let left = until?.saturating_duration_since(Instant::now());
    Some(Timespec::try_from(left).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 }))
}
