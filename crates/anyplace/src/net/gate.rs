//! Several descriptors and a clock behind one descriptor.

use super::clock::Clock;
use super::epoll::Epoll;
use super::readiness::Interest;
use super::waiting::Awaited;
use super::watch::Watch;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// Several descriptors and a clock behind one descriptor, so that whoever waits for one can wait for all of them.
#[derive(Debug)]
pub(super) struct Gate {
    epoll: Epoll,
    clock: Clock,
    watch: Watch,
}

impl Gate {
    pub(super) fn new() -> io::Result<Self> {
        let gate = Self { epoll: Epoll::new()?, clock: Clock::new()?, watch: Watch::default() };
        gate.add(gate.clock.as_fd(), Interest::Read)?;
        Ok(gate)
    }

    /// Waits for this descriptor, too, until it is closed.
    pub(super) fn add(&self, fd: BorrowedFd<'_>, interest: Interest) -> io::Result<()> {
        self.epoll.add(fd, 0, interest.into())
    }

    /// Waits for this descriptor no more.
    pub(super) fn remove(&self, fd: BorrowedFd<'_>) {
        self.epoll.forget(fd);
    }

    /// Rings after this time, and no more at any earlier one.
    pub(super) fn ring_after(&self, time: Duration) -> io::Result<()> {
        self.clock.ring_after(time)
    }

    /// Whether the clock has rung since it was asked.
    pub(super) fn has_rung(&self) -> bool {
        self.clock.has_rung()
    }

    /// Can be read when any of them is ready, or the clock has rung.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }

    pub(super) fn awaited(&self) -> Awaited<'_> {
        Awaited { fd: self.epoll.as_fd(), interest: Interest::Read, watch: &self.watch }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.watch.forget(self.epoll.as_fd());
    }
}
