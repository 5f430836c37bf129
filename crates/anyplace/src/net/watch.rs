//! The futures that wait for one descriptor.

use super::driven::{Driven, is_awaited};
use super::reactor::{Slot, Source};
use super::readiness::Interest;
use crate::error::Result;
use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::time::Instant;

/// The futures that wait for one descriptor. The reactor knows the descriptor from the first of them on, for as long as
/// this lives: who awaits again costs one call of the system.
#[derive(Debug, Default)]
pub(super) struct Watch {
    seats: Arc<Seats>,
    driven: Driven,
    slot: Mutex<Option<Slot>>,
}

#[derive(Debug, Default)]
struct Seats {
    taken: Mutex<Taken>,
    /// There is nothing to read before somebody is woken.
    is_empty: AtomicBool,
}

#[derive(Debug, Default)]
struct Taken {
    given: u64,
    seats: Vec<Seat>,
}

#[derive(Debug)]
struct Seat {
    number: u64,
    interest: Interest,
    waker: Waker,
}

impl Watch {
    /// Wakes somebody once, when the descriptor is ready or broken. It may be ready already; nothing if that is seen at
    /// once, and nobody will be woken.
    pub(super) fn enter(&self, fd: BorrowedFd<'_>, interest: Interest, waker: &Waker) -> Result<Option<u64>> {
        // Seated before anybody is asked, so that whatever is found wakes us.
        let number = self.seats.enter(interest, waker);
        match self.driven.enter(fd, interest, &self.seats.clone().into()) {
            Some(true) => {
                self.leave(number);
                self.seats.is_empty.store(false, Relaxed);
                Ok(None)
            }
            Some(false) => Ok(Some(number)),
            None => self.ask(fd).inspect_err(|_| self.leave(number)).map(|()| Some(number)),
        }
    }

    /// Takes a step that reads. After one that `was_last`, since it took all there was, futures are told `WouldBlock` without a
    /// call of the system until the descriptor is ready again.
    pub(super) fn read<T>(
        &self,
        step: impl FnOnce() -> io::Result<T>,
        was_last: impl FnOnce(&T) -> bool,
    ) -> io::Result<T> {
        if !is_awaited() {
            return step();
        }
        let mut taken = Err(ErrorKind::WouldBlock.into());
        if !self.seats.is_empty.load(Relaxed) {
            self.driven.read(|| {
                taken = step();
                let is_empty = taken.as_ref().is_ok_and(was_last);
                self.seats.is_empty.store(is_empty, Relaxed);
                is_empty
            });
        }
        taken
    }

    /// Has the reactor look at it, for all who sit here.
    fn ask(&self, fd: BorrowedFd<'_>) -> Result<()> {
        // Held to the end, so that no older wish of another thread overtakes ours.
        let mut slot = self.slot();
        let slot = match &mut *slot {
            // A child of a fork has a reactor of its own.
            Some(slot) if slot.is_of_this_process() => slot,
            slot => slot.insert(Slot::take(fd, self.seats.clone())?),
        };
        let taken = self.seats.taken();
        slot.want(fd, taken.has(Interest::Read), taken.has(Interest::Write));
        Ok(())
    }

    /// Wakes somebody no more.
    pub(super) fn leave(&self, number: u64) {
        self.seats.taken().seats.retain(|seat| seat.number != number);
    }

    /// The descriptor is to be closed. Whoever waited for it is woken.
    pub(super) fn forget(&self, fd: BorrowedFd<'_>) {
        self.slot().take().iter().for_each(|slot| slot.leave(fd));
        self.driven.forget();
        self.seats.wake_all();
    }

    fn slot(&self) -> MutexGuard<'_, Option<Slot>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seats {
    fn enter(&self, interest: Interest, waker: &Waker) -> u64 {
        let mut taken = self.taken();
        taken.given += 1;
        let number = taken.given;
        taken.seats.push(Seat { number, interest, waker: waker.clone() });
        number
    }

    /// Everybody looks again: who has waited for the other direction sits down once more.
    fn wake_all(&self) {
        self.is_empty.store(false, Relaxed);
        let mut taken = self.taken();
        // Mostly there is one, and its room serves the next.
        let last = taken.seats.pop();
        let others = if taken.seats.is_empty() { Vec::new() } else { std::mem::take(&mut taken.seats) };
        // Without the lock: a waker may poll at once.
        drop(taken);
        others.into_iter().chain(last).for_each(|seat| seat.waker.wake());
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn has(&self, interest: Interest) -> bool {
        self.seats.iter().any(|seat| seat.interest == interest)
    }
}

impl Wake for Seats {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }
}

impl Source for Seats {
    fn ready(self: Arc<Self>, _: bool, _: bool) {
        self.wake_all();
    }

    /// Futures bring clocks of their own.
    fn tick(self: Arc<Self>, _: Instant) {}
}
