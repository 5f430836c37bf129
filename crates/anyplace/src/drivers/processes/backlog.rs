//! Tasks that wait for room on the board, in order.

use super::desk::{Desk, Ended};
use super::posted::Posted;
use crate::outcome::Outcome;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

impl Desk {
    pub(super) fn backlog(&self) -> MutexGuard<'_, VecDeque<Box<Posted>>> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enqueue(&self, posted: Box<Posted>) {
        let mut backlog = self.backlog();
        backlog.push_back(posted);
        self.behind.store(backlog.len(), Ordering::Release);
    }

    /// Posts a task again, of which a part is done: before all that wait.
    pub(super) fn post_again(&self, posted: Box<Posted>) {
        posted.task.shared.come_home(None);
        if let Some(error) = self.broken.get() {
            self.announced.remove(&posted);
            return posted.end(Outcome::Lost(error.clone()));
        }
        match self.post(posted) {
            Ok(ended) => ended.into_iter().for_each(Ended::tell),
            Err(posted) => {
                let mut backlog = self.backlog();
                backlog.push_front(posted);
                self.behind.store(backlog.len(), Ordering::Release);
            }
        }
        self.host.rouse_callers();
        self.look_for_workers();
    }

    pub(super) fn refill(&self) {
        self.has_room.store(true, Ordering::SeqCst);
        // Who finds the backlog taken leaves the rest to the other, who looks again behind the lock.
        while self.refill_once() && self.has_room.load(Ordering::SeqCst) {
            // Somebody has brought more home meanwhile.
        }
        self.look_for_workers();
    }

    fn refill_once(&self) -> bool {
        let Ok(mut backlog) = self.backlog.try_lock() else { return false };
        self.has_room.store(false, Ordering::SeqCst);
        let mut ended = Vec::new();
        while let Some(posted) = backlog.pop_front() {
            match self.post(posted) {
                Ok(over) => ended.extend(over),
                Err(posted) => {
                    backlog.push_front(posted);
                    break;
                }
            }
        }
        self.behind.store(backlog.len(), Ordering::Release);
        // While there is more, workers say when they are about to run out of work.
        let low = if backlog.is_empty() { 0 } else { self.host.size().slots as u32 / 4 };
        self.host.ring_below(low);
        drop(backlog);
        ended.into_iter().for_each(Ended::tell);
        true
    }
}
