//! One thread of the process that waits for many descriptors.
//!
//! A [`Source`] is called when its descriptor is ready for what it [wants](Registration::want), once: it has to want again.
//! The thread starts with the first registration and ends when none is left. In a child of a fork nothing is registered:
//! whatever its parent had is its parent's.

use super::clock::Clock;
use super::epoll::{Event, Ready, Wish};
use super::poller::Poller;
use super::readiness::Interest;
use crate::context::{caught, within_engine};
use crate::error::{Error, Kind, Result, Retry};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// Whoever is called when a descriptor is ready. On the reactor's thread: it must be short, and never wait.
pub(crate) trait Source: Send + Sync {
    /// The descriptor is ready for reading, for writing, or broken, which is ready for both.
    fn ready(self: Arc<Self>, read: bool, write: bool);

    /// About a second is over since the last time.
    fn tick(self: Arc<Self>, now: Instant);

    /// [Soon](SOON) is now. True to be looked at once more, as soon as this time.
    fn look(self: Arc<Self>) -> bool {
        false
    }
}

/// How often sources are told the time.
const TICK: Duration = Duration::from_secs(1);

/// How soon a source is looked at that [asks for it](Registration::look_soon), or after it at the most.
const SOON: Duration = Duration::from_millis(1);

/// A descriptor that the reactor knows. Dropping it makes the reactor forget it: a call may still be under way then.
pub(crate) struct Registration {
    slot: Slot,
    /// Of its own: others may close theirs.
    fd: OwnedFd,
}

/// A slot of the reactor, for a descriptor that belongs to whoever holds this and is named with each call. Dropped, its
/// source is called no more.
pub(super) struct Slot {
    set: Arc<Set>,
    number: u64,
}

struct Set {
    /// Its bell is rung when the last registration goes.
    poller: Poller,
    /// Rings soon after the first source has asked to be looked at.
    clock: Clock,
    generation: u32,
    sources: Mutex<Sources>,
}

#[derive(Default)]
struct Sources {
    known: HashMap<u64, Arc<dyn Source>>,
    given: u64,
    /// Those that are to be looked at.
    soon: Vec<u64>,
}

/// The set of this process, if anything is registered.
static CURRENT: Mutex<Weak<Set>> = Mutex::new(Weak::new());

/// The number of the clock, which is no source's.
const CLOCK: u64 = 0;

/// Makes a descriptor known. Nothing is wanted of it yet.
///
/// # Errors
/// `ResourceExhausted` if there is no thread or descriptor left.
pub(crate) fn register(fd: BorrowedFd<'_>, source: Arc<dyn Source>) -> Result<Registration> {
    let fd = fd.try_clone_to_owned().map_err(full)?;
    let slot = Slot::take(fd.as_fd(), source)?;
    Ok(Registration { slot, fd })
}

fn full(error: io::Error) -> Error {
    Error::new(Kind::ResourceExhausted, format!("no room to wait for one more socket: {error}"))
        .with_retry(Retry::Safe)
        .with_help("close some, or raise the limits of open files (`ulimit -n`) and threads (`ulimit -u`)")
}

impl Registration {
    /// Wants to be called once, when the descriptor is ready for these, instead of what was wanted before.
    pub(crate) fn want(&self, read: bool, write: bool) {
        self.slot.want(self.fd.as_fd(), read, write);
    }

    /// Has the source [looked at](Source::look) [soon](SOON).
    pub(crate) fn look_soon(&self) {
        self.slot.look_soon();
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.slot.leave(self.fd.as_fd());
    }
}

impl Slot {
    /// Takes a slot. Nothing is wanted yet.
    pub(super) fn take(fd: BorrowedFd<'_>, source: Arc<dyn Source>) -> Result<Self> {
        let (set, number) = Set::enter(source).map_err(full)?;
        let slot = Self { set, number };
        slot.set.poller.add(fd, number, Wish::NOTHING.once()).map_err(full)?;
        Ok(slot)
    }

    /// As [`Registration::want`].
    pub(super) fn want(&self, fd: BorrowedFd<'_>, read: bool, write: bool) {
        self.set.poller.want(fd, self.number, Wish::new(read, write).once());
    }

    fn look_soon(&self) {
        if self.is_of_this_process() {
            self.set.look_soon(self.number);
        }
    }

    /// Has to be said before the descriptor is closed: another process may keep the file open.
    pub(super) fn leave(&self, fd: BorrowedFd<'_>) {
        if self.is_of_this_process() {
            self.set.poller.forget(fd);
        }
    }

    /// Whether this is the process that took it, and not a child of its fork.
    pub(super) fn is_of_this_process(&self) -> bool {
        self.set.generation == anyplace_sync::fork_generation()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.is_of_this_process() {
            let (source, is_last) = self.set.sources().remove(self.number);
            drop(source);
            if is_last {
                self.set.poller.ring();
            }
        }
    }
}

impl Sources {
    fn add(&mut self, source: Arc<dyn Source>) -> u64 {
        self.given += 1;
        self.known.insert(self.given, source);
        self.given
    }

    fn remove(&mut self, number: u64) -> (Option<Arc<dyn Source>>, bool) {
        (self.known.remove(&number), self.known.is_empty())
    }
}

impl Set {
    /// Puts a source into the one set of this process, which is made, with its thread, if there is none.
    fn enter(source: Arc<dyn Source>) -> io::Result<(Arc<Self>, u64)> {
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = anyplace_sync::fork_generation();
        let known = current.upgrade().filter(|set| set.generation == generation);
        let set = match known {
            Some(set) => set,
            None => Self::start(generation)?,
        };
        *current = Arc::downgrade(&set);
        let number = set.sources().add(source);
        Ok((set, number))
    }

    fn start(generation: u32) -> io::Result<Arc<Self>> {
        let (poller, clock) = (Poller::new()?, Clock::new()?);
        poller.add(clock.as_fd(), CLOCK, Interest::Read.into())?;
        let set = Arc::new(Self { poller, clock, generation, sources: Mutex::default() });
        let run = set.clone();
        thread::Builder::new().name("anyplace-net".to_owned()).spawn(move || within_engine(|| run.run()))?;
        Ok(set)
    }

    fn sources(&self) -> MutexGuard<'_, Sources> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut ready = Ready::new();
        let mut tick = Instant::now() + TICK;
        loop {
            for event in self.poller.wait(&mut ready, Some(tick)) {
                self.tell(&event);
            }
            let now = Instant::now();
            if now >= tick {
                tick = now + TICK;
                let sources: Vec<_> = self.sources().known.values().cloned().collect();
                sources.into_iter().for_each(|source| caught(|| source.tick(now)));
            }
            if self.is_over() {
                break;
            }
        }
    }

    /// Whether nobody is registered. Then nobody will be: who comes next makes a set of their own.
    fn is_over(&self) -> bool {
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = self.sources().known.is_empty();
        if is_over && std::ptr::eq(current.as_ptr(), self) {
            *current = Weak::new();
        }
        is_over
    }

    fn source(&self, number: u64) -> Option<Arc<dyn Source>> {
        self.sources().known.get(&number).cloned()
    }

    fn tell(&self, event: &Event) {
        if event.number == CLOCK {
            return self.look();
        }
        if let Some(source) = self.source(event.number) {
            caught(|| source.ready(event.read, event.write));
        }
    }

    fn look_soon(&self, number: u64) {
        let mut sources = self.sources();
        sources.soon.push(number);
        if sources.soon.len() == 1 {
            self.set_clock(SOON);
        }
    }

    /// Looks at those who asked for it.
    fn look(&self) {
        let mut soon = std::mem::take(&mut self.sources().soon);
        soon.retain(|number| {
            let mut again = false;
            self.source(*number).into_iter().for_each(|source| caught(|| again = source.look()));
            again
        });
        let mut sources = self.sources();
        sources.soon.append(&mut soon);
        self.set_clock(if sources.soon.is_empty() { Duration::ZERO } else { SOON });
    }

    fn set_clock(&self, time: Duration) {
        // It can only fail for a time that is none.
        drop(self.clock.ring_after(time));
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registration({:?})", self.slot)
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot({})", self.number)
    }
}
