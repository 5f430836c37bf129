//! A [`Condition`]: threads wait until another tells them that something has changed.

use crate::ground::{Ground, Monitor, Party, Turn};
use std::time::Instant;

/// Threads wait until another one notifies them, the longest waiting first.
///
/// It knows no lock: who waits [enlists](Self::enlist) while it still has its lock, releases that, and then
/// [sleeps](Self::sleep). A notification that comes in between is not missed.
///
/// ```
/// use anyplace_sync::ground::{Here, Turn};
/// use anyplace_sync::Condition;
///
/// let changed = Condition::default();
/// let mut turn = Turn::new(&Here);
/// changed.enlist(&mut turn);
/// assert_eq!(changed.notify(&Here, 1), 1); // by another thread
/// assert!(changed.sleep(&mut turn, None));
/// ```
#[derive(Debug, Default)]
#[repr(C)]
pub struct Condition {
    monitor: Monitor,
}

impl Condition {
    /// One that nobody waits for.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self { monitor: Monitor::new() }
    }

    /// Joins those who wait.
    pub fn enlist<'g, G: Ground>(&'g self, turn: &mut Turn<'g, G>) {
        turn.tells_on = true;
        turn.join(&self.monitor);
    }

    /// Waits until this turn is notified, at the latest until `until`; whether it was. The next call goes on waiting.
    pub fn sleep<'g, G: Ground>(&'g self, turn: &mut Turn<'g, G>, until: Option<Instant>) -> bool {
        turn.wait(&self.monitor, until, |inside, number| inside.is_told(number).then_some(())).is_some()
    }

    /// Notifies up to `count` of those who wait, the longest waiting first; how many there were.
    pub fn notify<G: Ground>(&self, ground: &G, count: usize) -> usize {
        self.monitor.enter(ground).tell(count)
    }

    /// How many wait.
    pub fn waiting<G: Ground>(&self, ground: &G) -> usize {
        self.monitor.enter(ground).line().count()
    }

    /// Where they stand in line.
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// Sets right what a party that is no more has left: its places in the line.
    pub fn bury<G: Ground>(&self, ground: &G, party: Party) {
        let mut inside = self.monitor.enter(ground);
        inside.bury(party);
        inside.tell_on(party);
    }
}
