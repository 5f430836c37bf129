//! An [`Event`]: a flag that threads wait for.

use crate::ground::{Ground, Monitor, Party, Turn};
use crate::primitives::atomic::AtomicU32;
use crate::primitives::atomic::Ordering::{Acquire, Release};
use std::time::Instant;

/// A flag: it is set or not, and threads wait until it is.
///
/// Looking is one load. Everybody who waits when it is set goes on, also if it is cleared right after.
///
/// ```
/// use anyplace_sync::ground::{Here, Turn};
/// use anyplace_sync::Event;
///
/// let open = Event::default();
/// assert!(!open.is_set());
/// open.set(&Here);
/// assert!(open.wait(&mut Turn::new(&Here), None));
/// ```
#[derive(Debug, Default)]
#[repr(C)]
pub struct Event {
    monitor: Monitor,
    flag: AtomicU32,
}

impl Event {
    /// One that is not set.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self { monitor: Monitor::new(), flag: AtomicU32::new(0) }
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.flag.load(Acquire) != 0
    }

    /// Sets it: who waits goes on.
    pub fn set<G: Ground>(&self, ground: &G) {
        let mut inside = self.monitor.enter(ground);
        self.flag.store(1, Release);
        inside.tell(usize::MAX);
    }

    /// Clears it.
    pub fn clear<G: Ground>(&self, ground: &G) {
        // Inside, so that everybody who waited when it was set has been told.
        let _inside = self.monitor.enter(ground);
        self.flag.store(0, Release);
    }

    /// Waits until it is set, at the latest until `until`; whether it was. The next call with the same `turn` goes on waiting.
    pub fn wait<'g, G: Ground>(&'g self, turn: &mut Turn<'g, G>, until: Option<Instant>) -> bool {
        let come = |told: bool| (told || self.is_set()).then_some(());
        (self.is_set() && !turn.is_standing())
            || turn.wait(&self.monitor, until, |inside, number| come(inside.is_told(number))).is_some()
    }

    /// Where others stand in line.
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// Sets right what a party that is no more has left: its places in the line.
    pub fn bury<G: Ground>(&self, ground: &G, party: Party) {
        self.monitor.enter(ground).bury(party);
    }
}
