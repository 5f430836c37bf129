//! The futures that wait for one descriptor.

use super::reactor::{Slot, Source};
use super::readiness::Interest;
use crate::error::Result;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

/// The futures that wait for one descriptor. The reactor knows the descriptor from the first of them on, for as long as
/// this lives: who awaits again costs one call of the system.
#[derive(Debug, Default)]
pub(super) struct Watch {
    seats: Arc<Seats>,
    slot: Mutex<Option<Slot>>,
}

#[derive(Debug, Default)]
struct Seats(Mutex<Taken>);

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
    /// Wakes somebody once, when the descriptor is ready or broken. It may be ready already.
    pub(super) fn enter(&self, fd: BorrowedFd<'_>, interest: Interest, waker: &Waker) -> Result<u64> {
        // Held to the end, so that no older wish of another thread overtakes ours.
        let mut slot = self.slot();
        let slot = match &mut *slot {
            // A child of a fork has a reactor of its own.
            Some(slot) if slot.is_of_this_process() => slot,
            slot => slot.insert(Slot::take(fd, self.seats.clone())?),
        };
        // Seated before the reactor is asked, so that whatever it finds wakes us.
        let (number, read, write) = self.seats.enter(interest, waker);
        slot.want(fd, read, write);
        Ok(number)
    }

    /// Wakes somebody no more.
    pub(super) fn leave(&self, number: u64) {
        self.seats.taken().seats.retain(|seat| seat.number != number);
    }

    /// The descriptor is to be closed. Whoever waited for it is woken.
    pub(super) fn forget(&self, fd: BorrowedFd<'_>) {
        self.slot().take().iter().for_each(|slot| slot.leave(fd));
        self.seats.wake();
    }

    fn slot(&self) -> MutexGuard<'_, Option<Slot>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seats {
    /// A seat's number, and whether anybody waits to read, or to write.
    fn enter(&self, interest: Interest, waker: &Waker) -> (u64, bool, bool) {
        let mut taken = self.taken();
        taken.given += 1;
        let number = taken.given;
        taken.seats.push(Seat { number, interest, waker: waker.clone() });
        let anybody = |interest| taken.seats.iter().any(|seat| seat.interest == interest);
        (number, anybody(Interest::Read), anybody(Interest::Write))
    }

    /// Everybody looks again: who has waited for the other direction sits down once more.
    fn wake(&self) {
        // Without the lock: a waker may poll at once.
        let seats = std::mem::take(&mut self.taken().seats);
        seats.into_iter().for_each(|seat| seat.waker.wake());
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Seats {
    fn ready(self: Arc<Self>, _: bool, _: bool) {
        self.wake();
    }

    /// Futures bring clocks of their own.
    fn tick(self: Arc<Self>, _: Instant) {}
}
