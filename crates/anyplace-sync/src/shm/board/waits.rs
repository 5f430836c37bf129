//! How callers wait: for one task, or for any.

use super::host::Host;
use super::ticket::Ticket;
use super::word::AWAITED;
use crate::primitives::atomic::Ordering::{Acquire, SeqCst};
use crate::primitives::atomic::fence;
use crate::spin;
use std::time::Instant;

impl<T> Host<T> {
    /// Wakes one more worker if tasks wait: one that was counted on may be stopped, or be swapped out.
    pub fn wake_another(&self) {
        let workers = self.board.size.workers;
        if self.board.waiting() > 0
            && let Some(worker) = self.board.header().asleep.0.take_lowest(workers)
        {
            self.board.rouse(worker);
        }
    }

    /// Waits until the task is over or `deadline` comes; true if it is over. It spins for about as long as a wake-up
    /// costs, if a core can be spared, and sleeps then.
    pub fn wait(&self, ticket: Ticket, deadline: Option<Instant>) -> bool {
        let slot = self.slot(ticket.slot);
        let over = || !slot.load().is_live(ticket.generation);
        if over() || spin(deadline, over) {
            return true;
        }
        loop {
            let asleep = slot.update(|word| word.is_live(ticket.generation).then(|| word.with(AWAITED)));
            let Some(word) = asleep else { return true };
            if !slot.word.sleep_while(word.with(AWAITED).0, deadline) {
                return over();
            }
        }
    }

    /// Waits until some task is finished that nobody has collected, or `arrived`, or `deadline` comes.
    pub fn wait_any(&self, deadline: Option<Instant>, arrived: impl Fn() -> bool) {
        let found = || self.board.has_finished() || arrived();
        if found() || spin(deadline, found) {
            return;
        }
        let header = self.board.header();
        header.callers.0.fetch_add(1, SeqCst);
        let any = &header.any.0;
        let seen = any.word().load(Acquire);
        fence(SeqCst);
        if !found() {
            any.sleep_while(seen, deadline);
        }
        header.callers.0.fetch_sub(1, SeqCst);
    }

    /// Wakes all that wait in [`wait_any`](Self::wait_any), to look again. Costs no call of the kernel if there are none.
    pub fn rouse_callers(&self) {
        let header = self.board.header();
        fence(SeqCst);
        if header.callers.0.load(SeqCst) > 0 {
            header.any.0.word().fetch_add(1, SeqCst);
            header.any.0.wake(u32::MAX);
        }
    }
}

fn spin(deadline: Option<Instant>, found: impl FnMut() -> bool) -> bool {
    spin::WAITERS.enter().is_some_and(|permit| permit.spin_until(spin::limit(deadline), found))
}
