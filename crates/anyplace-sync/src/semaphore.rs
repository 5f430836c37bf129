//! A [`Semaphore`]: a number of permits; those of a process that is killed come back.

use crate::ground::{Ground, Inside, Monitor, Party, Turn};
use crate::primitives::atomic::AtomicU32;
use crate::primitives::atomic::Ordering::Relaxed;
use std::fmt;
use std::time::Instant;

/// A number of permits, which are taken one at a time and given back by anybody.
///
/// Who waits longest gets the next permit, but for newcomers in the first millisecond of its wait.
///
/// Where processes share it, it counts what each has taken and not given back. When one is killed, as many come back as are
/// missing from the number it began with: so a semaphore that stands for things (ten connections) is whole again, and one that
/// counts events (it began with 0) does not grow by a death.
///
/// ```
/// use anyplace_sync::ground::{Here, Turn};
/// use anyplace_sync::Semaphore;
///
/// let permits = Semaphore::new(2, false);
/// assert!(permits.acquire(&mut Turn::new(&Here), None));
/// assert_eq!(permits.value(), 1);
/// permits.release(&Here, 1)?;
/// # Ok::<(), anyplace_sync::TooOften>(())
/// ```
#[derive(Debug, Default)]
#[repr(C)]
pub struct Semaphore {
    monitor: Monitor,
    value: AtomicU32,
    initial: AtomicU32,
    bounded: AtomicU32,
    /// Where the ground counts who has taken how many; 0 if it does not.
    table: AtomicU32,
}

/// More were given back than a bounded semaphore began with, or than any can count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooOften {
    /// Whether the semaphore's own bound was passed, and not the largest number.
    pub bounded: bool,
}

impl fmt::Display for TooOften {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.bounded {
            "semaphore released too many times"
        } else {
            "semaphore value is too large"
        })
    }
}

impl std::error::Error for TooOften {}

impl Semaphore {
    /// The most permits there can be: what C's semaphores count to.
    pub const MOST: u32 = i32::MAX as u32;

    /// A semaphore of one process, with `value` permits; `bounded` if there may never be more.
    pub fn new(value: u32, bounded: bool) -> Self {
        let semaphore = Self::default();
        semaphore.begin(value, bounded, 0);
        semaphore
    }

    /// Fills a fresh one: `value` permits, and the table of its ground in which is counted who has them.
    pub fn begin(&self, value: u32, bounded: bool, table: u32) {
        self.value.store(value, Relaxed);
        self.initial.store(value, Relaxed);
        self.bounded.store(bounded.into(), Relaxed);
        self.table.store(table, Relaxed);
    }

    /// Takes a permit if there is one that nobody has waited for long.
    pub fn try_acquire<G: Ground>(&self, ground: &G) -> bool {
        self.value() > 0 && self.attempt(&mut self.monitor.enter(ground), ground, 0).is_some()
    }

    /// Takes a permit, at the latest at `until`; false if there was none. The next call with the same `turn` goes on waiting.
    pub fn acquire<'g, G: Ground>(&'g self, turn: &mut Turn<'g, G>, until: Option<Instant>) -> bool {
        let ground = turn.ground();
        turn.wait(&self.monitor, until, |inside, number| self.attempt(inside, ground, number)).is_some()
    }

    /// Gives `count` permits back and lets as many look.
    ///
    /// # Errors
    /// If there would be too many; nothing is changed then.
    pub fn release<G: Ground>(&self, ground: &G, count: u32) -> Result<(), TooOften> {
        let mut inside = self.monitor.enter(ground);
        let value = u64::from(self.value()) + u64::from(count);
        let bounded = self.bounded.load(Relaxed) != 0;
        if bounded && value > u64::from(self.initial.load(Relaxed)) {
            return Err(TooOften { bounded: true });
        }
        if value > u64::from(Self::MOST) {
            return Err(TooOften { bounded: false });
        }
        // The permit first: a death before the count costs nothing, since no more come back than are missing.
        self.value.store(value as u32, Relaxed);
        if let Some(held) = self.held(ground, ground.me()) {
            held.store(held.load(Relaxed).saturating_sub(count), Relaxed);
        }
        inside.wake(count as usize);
        Ok(())
    }

    /// How many permits there are.
    pub fn value(&self) -> u32 {
        self.value.load(Relaxed)
    }

    /// How many there were at first.
    pub fn initial(&self) -> u32 {
        self.initial.load(Relaxed)
    }

    /// Whether there may never be more than at first.
    pub fn is_bounded(&self) -> bool {
        self.bounded.load(Relaxed) != 0
    }

    /// Who has taken permits, and how many, where the ground counts that.
    pub fn holders<'g, G: Ground>(&self, ground: &'g G) -> impl Iterator<Item = (Party, u32)> + 'g {
        let counts = ground.counters(self.table.load(Relaxed)).unwrap_or_default().iter().zip(0..);
        counts.map(|(held, party)| (party, held.load(Relaxed))).filter(|&(_, held)| held > 0)
    }

    /// Where others stand in line.
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// The table of its ground in which is counted who has permits.
    pub fn table(&self) -> u32 {
        self.table.load(Relaxed)
    }

    /// Sets right what a party that is no more has left: its place in the line, and its permits.
    pub fn bury<G: Ground>(&self, ground: &G, party: Party) {
        let mut inside = self.monitor.enter(ground);
        inside.bury(party);
        let Some(held) = self.held(ground, party) else { return };
        let theirs = held.load(Relaxed);
        let others: u64 =
            self.holders(ground).filter(|&(other, _)| other != party).map(|(_, held)| u64::from(held)).sum();
        let accounted = u64::from(self.value()) + others;
        let missing = u64::from(self.initial.load(Relaxed)).saturating_sub(accounted);
        let back = missing.min(theirs.into()) as u32;
        self.value.store(self.value() + back, Relaxed);
        held.store(0, Relaxed);
        inside.wake(back as usize);
    }

    fn attempt<G: Ground>(&self, inside: &mut Inside<'_, G>, ground: &G, number: u32) -> Option<()> {
        let value = self.value();
        if value == 0 || !inside.may_try(number) {
            return None;
        }
        // The count first: a death before the permit is taken gives nothing back, as nothing is missing.
        if let Some(held) = self.held(ground, ground.me()) {
            held.store(held.load(Relaxed) + 1, Relaxed);
        }
        self.value.store(value - 1, Relaxed);
        if value > 1 && inside.others_wait(number) {
            // There is one more, and who was woken for it may be gone. We may be the first ourselves.
            inside.wake(2);
        }
        Some(())
    }

    fn held<'g, G: Ground>(&self, ground: &'g G, party: Party) -> Option<&'g AtomicU32> {
        ground.counters(self.table.load(Relaxed))?.get(party as usize)
    }
}
