//! Waiting for many descriptors, on a thread that does nothing else.
//!
//! The [reactor](super::reactor) is for all who have no such thread; here nothing is kept of a descriptor but its number.

use super::{Interest, Stream};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

/// Waits for many descriptors, each known by a number.
#[derive(Debug)]
pub(crate) struct Poller {
    epoll: OwnedFd,
    bell: OwnedFd,
}

/// Who is ready, by number.
pub(crate) struct Ready(Vec<epoll::Event>);

impl Ready {
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(256))
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().map(|event| event.data.u64()).filter(|number| *number != BELL)
    }
}

/// The number of the bell, which nobody may use.
const BELL: u64 = u64::MAX;

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &bell, EventData::new_u64(BELL), EventFlags::IN)?;
        Ok(Self { epoll, bell })
    }

    /// Makes a stream known, and waits until it can be read, once.
    pub(crate) fn add(&self, stream: &Stream, number: u64) -> io::Result<()> {
        let flags = flags(Interest::Read) | EventFlags::ONESHOT;
        Ok(epoll::add(&self.epoll, stream.fd(Interest::Read), EventData::new_u64(number), flags)?)
    }

    /// Makes a descriptor known, and waits whenever it can be read.
    pub(crate) fn add_fd(&self, fd: BorrowedFd<'_>, number: u64) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, fd, EventData::new_u64(number), EventFlags::IN)?)
    }

    /// Waits for a stream that is known once more, once.
    pub(crate) fn want(&self, stream: &Stream, number: u64, interest: Interest) {
        let flags = flags(interest) | EventFlags::ONESHOT;
        // It fails only for a descriptor that is not known.
        let _ = epoll::modify(&self.epoll, stream.fd(interest), EventData::new_u64(number), flags);
    }

    /// Waits for a descriptor that is known, or not.
    pub(crate) fn want_fd(&self, fd: BorrowedFd<'_>, number: u64, wanted: bool) {
        let flags = if wanted { EventFlags::IN } else { EventFlags::empty() };
        // As for `want`.
        let _ = epoll::modify(&self.epoll, fd, EventData::new_u64(number), flags);
    }

    /// Forgets a stream. It has to be told: another process may keep open what this one closes.
    pub(crate) fn forget(&self, stream: &Stream) {
        self.forget_fd(stream.fd(Interest::Read));
    }

    /// As [`forget`](Self::forget).
    pub(crate) fn forget_fd(&self, fd: BorrowedFd<'_>) {
        // It may be forgotten already.
        let _ = epoll::delete(&self.epoll, fd);
    }

    /// Ends the wait that is under way, or the next one.
    pub(crate) fn ring(&self) {
        // It can only fail when the counter is full, and a full counter wakes, too.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }

    /// Waits until something is ready, somebody rings, or `until`.
    pub(crate) fn wait(&self, ready: &mut Ready, until: Option<Instant>) {
        ready.0.clear();
        let left = until.and_then(|until| until.saturating_duration_since(Instant::now()).try_into().ok());
        // A signal is no reason to do anything, and nothing else can be wrong with a set of our own.
        let _ = epoll::wait(self.epoll.as_fd(), spare_capacity(&mut ready.0), left.as_ref());
        if ready.0.iter().any(|event| event.data.u64() == BELL) {
            self.hear();
        }
    }

    fn hear(&self) {
        // Empty is as good as emptied.
        let _ = rustix::io::read(&self.bell, &mut [0; 8]);
    }
}

fn flags(interest: Interest) -> EventFlags {
    match interest {
        Interest::Read => EventFlags::IN | EventFlags::RDHUP,
        Interest::Write => EventFlags::OUT,
    }
}
