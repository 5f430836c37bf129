//! [`Onlookers`]: a line of those who wait for something that does not know them, such as a queue that is changed without a
//! monitor. It is looked at only while somebody stands in it.
//!
//! Who would wait says so, looks once more at what it waits for, and joins; all of that inside the monitor. Who changes it
//! looks afterwards whether somebody has said so, and then enters the monitor to wake them. Between each one's write and look
//! stands a fence, so one of the two sees the other: either the look finds what was changed, or the change finds who waits, in
//! line by the time it is inside.

use super::{Ground, Monitor, Turn};
use crate::primitives::atomic::Ordering::{Relaxed, SeqCst};
use crate::primitives::atomic::{AtomicBool, fence};
use std::time::Instant;

/// Those who wait until something is so that others change without knowing of them.
///
/// ```
/// use anyplace_sync::ground::{Here, Onlookers, Turn};
/// use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
///
/// let (line, loaves) = (Onlookers::default(), AtomicU32::new(0));
/// let take = || loaves.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).ok();
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         loaves.fetch_add(2, SeqCst);
///         line.call(&Here, 2);
///     });
///     let found = line.wait(&mut Turn::new(&Here), None, take, || loaves.load(SeqCst) > 0);
///     assert_eq!(found, Some(2));
/// });
/// ```
#[derive(Debug, Default)]
pub struct Onlookers {
    is_awaited: AtomicBool,
    monitor: Monitor,
}

impl Onlookers {
    /// Tries `attempt` until it gives something; `None` if it has not when `until` has come. `is_more` says whether there is
    /// something for the next in line, too: whoever was woken for it may be us.
    pub fn wait<'g, G: Ground, R>(
        &'g self,
        turn: &mut Turn<'g, G>,
        until: Option<Instant>,
        mut attempt: impl FnMut() -> Option<R>,
        is_more: impl Fn() -> bool,
    ) -> Option<R> {
        if !turn.is_standing()
            && let Some(given) = attempt()
        {
            return Some(given);
        }
        turn.wait(&self.monitor, until, |inside, number| {
            self.is_awaited.store(true, Relaxed);
            fence(SeqCst);
            let given = attempt();
            if given.is_some() && inside.others_wait(number) && is_more() {
                inside.wake(2);
            }
            given
        })
    }

    /// What up to `count` of them wait for may be there: one load, if nobody waits.
    #[inline]
    pub fn call<G: Ground>(&self, ground: &G, count: usize) {
        fence(SeqCst);
        if self.is_awaited.load(Relaxed) {
            self.wake(ground, count);
        }
    }

    /// Their line, for those who ask who waits.
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    #[cold]
    fn wake<G: Ground>(&self, ground: &G, count: usize) {
        let mut inside = self.monitor.enter(ground);
        if inside.first() == 0 {
            self.is_awaited.store(false, Relaxed);
        }
        inside.wake(count);
    }
}
