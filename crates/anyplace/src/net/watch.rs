//! The futures that wait for one direction of one descriptor.

use super::driven::Driven;
use super::reactor::{Registration, Source, register};
use super::readiness::Interest;
use crate::error::Result;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::time::Instant;

/// The futures that wait for one direction of one descriptor. The reactor knows the descriptor from the first of them
/// on, for as long as this lives: who awaits again costs one call of the system.
#[derive(Debug, Default)]
pub(super) struct Watch {
    seats: Arc<Seats>,
    driven: Driven,
    known: Mutex<Option<Known>>,
}

#[derive(Debug)]
struct Known {
    registration: Registration,
    /// A child of a fork has a reactor of its own.
    generation: u32,
}

#[derive(Debug, Default)]
struct Seats(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    given: u64,
    wakers: Vec<(u64, Waker)>,
}

impl Watch {
    /// Wakes somebody once, when the descriptor is ready or broken. It may be ready already; nothing if that is seen at
    /// once, and nobody will be woken.
    pub(super) fn enter(&self, fd: BorrowedFd<'_>, interest: Interest, waker: &Waker) -> Result<Option<u64>> {
        // Seated before anybody is asked, so that whatever is found wakes us.
        let seat = self.seats.enter(waker);
        match self.driven.enter(fd, interest, &self.seats.clone().into()) {
            Some(true) => {
                self.leave(seat);
                return Ok(None);
            }
            Some(false) => return Ok(Some(seat)),
            None => {}
        }
        let asked = self.ask(fd, interest);
        asked.inspect_err(|_| self.leave(seat)).map(|()| Some(seat))
    }

    /// Has the reactor look at it.
    fn ask(&self, fd: BorrowedFd<'_>, interest: Interest) -> Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = anyplace_sync::fork_generation();
        let known = match &mut *known {
            Some(known) if known.generation == generation => known,
            known => known.insert(Known { registration: register(fd, self.seats.clone())?, generation }),
        };
        known.registration.want(interest == Interest::Read, interest == Interest::Write);
        Ok(())
    }

    /// Wakes somebody no more.
    pub(super) fn leave(&self, seat: u64) {
        self.seats.taken().wakers.retain(|(taken, _)| *taken != seat);
    }
}

impl Seats {
    fn enter(&self, waker: &Waker) -> u64 {
        let mut taken = self.taken();
        taken.given += 1;
        let seat = taken.given;
        taken.wakers.push((seat, waker.clone()));
        seat
    }

    fn wake_all(&self) {
        // Woken without the lock: a waker may poll at once.
        let wakers = std::mem::take(&mut self.taken().wakers);
        wakers.into_iter().for_each(|(_, waker)| waker.wake());
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
