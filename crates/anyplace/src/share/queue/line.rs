//! A [`Line`] of those who wait for a queue that does not know them: it is looked at only while somebody stands in it.
//!
//! Who would wait says so, looks at the queue once more, and joins; all of that inside the monitor. Who changes the queue
//! looks afterwards whether somebody has said so, and then enters the monitor to wake them. Between each one's write and look
//! stands a fence, so one of the two sees the other: either the look finds what was changed, or the change finds who waits, in
//! line by the time it is inside.

use crate::share::site::Site;
use crate::share::wait::Turn;
use anyplace_sync::ground::Monitor;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, fence};
use std::time::Instant;

#[derive(Default)]
pub(super) struct Line {
    is_awaited: AtomicBool,
    pub(super) monitor: Monitor,
}

impl Line {
    /// Tries `attempt` until it gives something; `None` if it has not when `until` has come. `is_more` says whether there is
    /// something for the next in line, too: whoever was woken for it may be us.
    pub(super) fn wait<'a, R>(
        &'a self,
        turn: &mut Turn<'a>,
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
    pub(super) fn call(&self, site: &Site, count: usize) {
        fence(SeqCst);
        if self.is_awaited.load(Relaxed) {
            self.wake(site, count);
        }
    }

    #[cold]
    fn wake(&self, site: &Site, count: usize) {
        let mut inside = self.monitor.enter(site);
        if inside.first() == 0 {
            self.is_awaited.store(false, Relaxed);
        }
        inside.wake(count);
    }
}
