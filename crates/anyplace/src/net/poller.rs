//! Many descriptors and a bell, for one thread that waits for all of them.
//!
//! The thread of a server is one, the [reactor](super::reactor)'s another: it is for all who have no such thread.

use super::epoll::{Epoll, Event, Ready, Wish};
use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

/// Waits for many descriptors, each known by a number.
#[derive(Debug)]
pub(crate) struct Poller {
    epoll: Epoll,
    bell: OwnedFd,
}

/// The number of the bell, which nobody may use.
const BELL: u64 = u64::MAX;

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        let (epoll, bell) = (Epoll::new()?, eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        epoll.add(bell.as_fd(), BELL, Wish::new(true, false))?;
        Ok(Self { epoll, bell })
    }

    /// Makes a descriptor known.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, number: u64, wish: Wish) -> io::Result<()> {
        self.epoll.add(fd, number, wish)
    }

    /// Wants this of a descriptor that is known, instead of what was wanted before.
    pub(crate) fn want(&self, fd: BorrowedFd<'_>, number: u64, wish: Wish) {
        self.epoll.want(fd, number, wish);
    }

    /// Forgets a descriptor, which has to be said before it is closed.
    pub(crate) fn forget(&self, fd: BorrowedFd<'_>) {
        self.epoll.forget(fd);
    }

    /// Ends the wait that is under way, or the next one.
    pub(crate) fn ring(&self) {
        // It can only fail when the counter is full, and a full counter wakes, too.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }

    /// Waits until somebody is ready, somebody rings, or `until`: all who are ready.
    pub(crate) fn wait<'a>(
        &self,
        ready: &'a mut Ready,
        until: Option<Instant>,
    ) -> impl Iterator<Item = Event> + use<'a> {
        self.epoll.wait(ready, until);
        if ready.events().any(|event| event.number == BELL) {
            self.hear();
        }
        ready.events().filter(|event| event.number != BELL)
    }

    fn hear(&self) {
        // Empty is as good as emptied.
        let _ = rustix::io::read(&self.bell, &mut [0; 8]);
    }
}
