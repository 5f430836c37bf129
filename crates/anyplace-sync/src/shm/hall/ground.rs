//! A hall is a [`Ground`]: objects lie in it, and processes, the parties, can vanish at any time.

use super::Hall;
use super::layout::WAITERS;
use super::roll::Roll;
use crate::ground::{self, Ground, Monitor, Party, Waiter};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

/// In nanoseconds.
const BETWEEN_TRIMS: u64 = 1_000_000_000;

impl Ground for Hall {
    #[inline]
    fn me(&self) -> Party {
        self.seat().party
    }

    /// The counters of the semaphore that is object `table - 1`.
    fn counters(&self, table: u32) -> Option<&[AtomicU32]> {
        let entry = self.entry(table.checked_sub(1)?)?;
        self.counters_of(entry, super::objects::COUNTERS)
    }

    fn is_gone(&self, party: Party) -> bool {
        party != self.me() && Roll(self.header()).process(party).is_none_or(super::process::Process::is_gone)
    }

    fn bury_the_dead(&self) {
        self.bury_all();
    }

    /// Asking the system about each party takes some ten microseconds. However many sleep, all of them together spend no
    /// more than a quarter of a percent of one core on it.
    fn look_for_the_dead(&self) {
        let header = self.header();
        let (before, cost) = (header.looked.load(Relaxed), header.look_cost.load(Relaxed));
        let now = ground::now();
        let is_due = now.saturating_sub(before) >= cost.saturating_mul(400);
        if is_due && header.looked.compare_exchange(before, now, Relaxed, Relaxed).is_ok() {
            self.bury_all();
            self.trim_sometimes(now);
            header.look_cost.store(ground::now().saturating_sub(now), Relaxed);
        }
    }

    #[inline]
    fn waiter(&self, number: u32) -> &Waiter {
        let index = number.checked_sub(1).expect("records are numbered from 1");
        let offset = self.waiters.offset::<Waiter>(self, &self.header().waiter_rows, index);
        &self.segment().shared(offset.expect("a record of this number was made"), 1)[0]
    }

    /// # Panics
    /// If there is no memory for another, or 65536 threads wait already.
    fn take_waiter(&self) -> u32 {
        let ours = |number: &u32| self.waiter(*number).take(self.me());
        while let Some(number) = self.spare_waiter() {
            if ours(&number) {
                return number;
            }
        }
        loop {
            let made = self.waiters();
            if let Some(number) = (1..=made).find(ours) {
                return number;
            }
            // We may be inside a monitor, so waiting for one would keep others from giving theirs back.
            assert!(made < WAITERS.most(), "no more than {made} threads can wait in one hall");
            self.more_waiters(made).unwrap_or_else(|full| panic!("a thread cannot wait: {full}"));
        }
    }

    fn give_waiter(&self, number: u32) {
        self.waiter(number).give();
        self.seat().spare().push(number);
    }

    fn waiters(&self) -> u32 {
        self.header().waiters.load(Acquire).min(WAITERS.most())
    }

    /// Where it lies in the segment.
    fn name_of(&self, monitor: &Monitor) -> u64 {
        (std::ptr::from_ref(monitor).addr() - self.segment().pointer(0, 0).addr().get()) as u64
    }
}

impl Hall {
    /// Gives memory back that nobody has used for a while.
    fn trim_sometimes(&self, now: u64) {
        let trimmed = &self.header().trimmed;
        let before = trimmed.load(Relaxed);
        let is_due = now.saturating_sub(before) >= BETWEEN_TRIMS;
        if is_due && trimmed.compare_exchange(before, now, Relaxed, Relaxed).is_ok() {
            self.memory().trim();
        }
    }

    fn spare_waiter(&self) -> Option<u32> {
        self.seat().spare().pop()
    }

    /// Makes another row of records, if there are still as few as `made`.
    fn more_waiters(&self, made: u32) -> Result<(), crate::shm::Full> {
        let header = self.header();
        self.waiters.ensure::<Waiter>(self, &header.waiter_rows, made)?;
        header.waiters.fetch_max(made + WAITERS.row, AcqRel);
        Ok(())
    }
}
