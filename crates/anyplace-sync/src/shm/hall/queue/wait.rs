//! Waiting for a message, for room, or for rest.

use super::Queue;
use super::body;
use super::within::Within;
use crate::ground::{Ground, Monitor, Turn};
use crate::spin;
use std::time::Instant;

impl Queue {
    /// Tries inside the queue, in its turn among those who stand in `line`, until `attempt` gives something.
    pub(super) fn wait<'g, G: Ground, R>(
        &'g self,
        turn: &mut Turn<'g, G>,
        line: &'g Monitor,
        until: Option<Instant>,
        mut attempt: impl FnMut(&Within<'_>) -> Option<R>,
    ) -> Option<R> {
        if !turn.is_standing() && !line.is_awaited() {
            self.look_out(line, until);
            let within = self.enter();
            if let Some(result) = attempt(&within) {
                return Some(result);
            }
        }
        turn.wait(line, until, |inside, number| {
            if !inside.may_try(number) {
                return None;
            }
            let within = self.enter();
            let result = attempt(&within)?;
            drop(within);
            if self.is_ready(line) {
                // There is more for the next in line, and whoever was woken for it may be gone. We may be the first ourselves.
                inside.wake(2);
            }
            Some(result)
        })
    }

    /// Spins for a moment while there is nothing to be had: whoever works at the other end may be about to bring it, and
    /// need not know that we wait.
    fn look_out(&self, line: &Monitor, until: Option<Instant>) {
        if self.is_ready(line) {
            return;
        }
        spin::WAITERS.spin_until(spin::limit(until), || self.is_ready(line));
    }

    /// Whether those in this line need not wait at this moment.
    fn is_ready(&self, line: &Monitor) -> bool {
        let for_items = std::ptr::eq(line, &raw const self.0.items);
        self.is_shut() || if for_items { !self.is_empty() } else { !self.is_full() }
    }

    /// Messages were taken out: so many who wait for room can look again.
    pub(super) fn got(&self, count: usize) {
        self.call(&self.0.room, count);
    }

    /// Has up to `count` of a line look again. (Outside the queue's monitor.)
    pub(super) fn call(&self, line: &Monitor, count: usize) {
        body::call(self.0.hall(), line, count);
    }
}
