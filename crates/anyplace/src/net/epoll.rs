//! The system's own way to wait for many descriptors. Nobody else knows its flags.

use super::readiness::Interest;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

/// A set of descriptors, each known by a number. Nothing else is kept of them.
#[derive(Debug)]
pub(super) struct Epoll(OwnedFd);

/// What is wanted of a descriptor: to be told for as long as it is so, or [once](Self::once). Whoever is broken is told of
/// in any case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish(EventFlags);

/// A descriptor that is ready for reading, for writing, or broken, which is ready for both.
pub(crate) struct Event {
    pub(crate) number: u64,
    pub(crate) read: bool,
    pub(crate) write: bool,
}

/// Who is ready.
pub(crate) struct Ready(Vec<epoll::Event>);

const READ: EventFlags = EventFlags::IN.union(EventFlags::RDHUP);
const WRITE: EventFlags = EventFlags::OUT;
const BROKEN: EventFlags = EventFlags::ERR.union(EventFlags::HUP);

impl Epoll {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(epoll::create(epoll::CreateFlags::CLOEXEC)?))
    }

    /// Makes a descriptor known.
    pub(super) fn add(&self, fd: BorrowedFd<'_>, number: u64, wish: Wish) -> io::Result<()> {
        Ok(epoll::add(&self.0, fd, EventData::new_u64(number), wish.0)?)
    }

    /// Wants this of a descriptor that is known, instead of what was wanted before.
    pub(super) fn want(&self, fd: BorrowedFd<'_>, number: u64, wish: Wish) {
        // It fails only for a descriptor that is not known.
        let _ = epoll::modify(&self.0, fd, EventData::new_u64(number), wish.0);
    }

    /// Forgets a descriptor. It has to be told: another process may keep open what this one closes.
    pub(super) fn forget(&self, fd: BorrowedFd<'_>) {
        // It may be forgotten already.
        let _ = epoll::delete(&self.0, fd);
    }

    /// Waits until somebody is ready, or `until`.
    pub(super) fn wait(&self, ready: &mut Ready, until: Option<Instant>) {
        ready.0.clear();
        let left = until.and_then(|until| until.saturating_duration_since(Instant::now()).try_into().ok());
        // A signal is no reason to do anything, and nothing else can be wrong with a set of our own.
        let _ = epoll::wait(&self.0, spare_capacity(&mut ready.0), left.as_ref());
    }
}

/// Can be read when anybody is ready.
impl AsFd for Epoll {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Wish {
    pub(crate) const NOTHING: Self = Self(EventFlags::empty());

    pub(super) fn new(read: bool, write: bool) -> Self {
        let mut flags = EventFlags::empty();
        flags.set(READ, read);
        flags.set(WRITE, write);
        Self(flags)
    }

    /// The same, once: then it has to be wanted again.
    pub(crate) fn once(self) -> Self {
        Self(self.0 | EventFlags::ONESHOT)
    }
}

impl From<Interest> for Wish {
    fn from(interest: Interest) -> Self {
        Self::new(interest == Interest::Read, interest == Interest::Write)
    }
}

impl Ready {
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(256))
    }

    pub(super) fn events(&self) -> impl Iterator<Item = Event> + '_ {
        self.0.iter().map(Event::new)
    }
}

impl Event {
    fn new(event: &epoll::Event) -> Self {
        let (number, flags) = (event.data.u64(), event.flags);
        Self { number, read: flags.intersects(READ | BROKEN), write: flags.intersects(WRITE | BROKEN) }
    }
}
