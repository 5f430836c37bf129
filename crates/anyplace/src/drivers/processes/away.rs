//! What handles ask of the desk for tasks that are on the board.

use super::callbacks::Callback;
use super::desk::Desk;
use crate::task::Ending;
use crate::task::Shared;
use crate::task::away::Away;
use anyplace_sync::shm::board::{Stage, Ticket};
use std::time::{Duration, Instant};

impl Away for Desk {
    fn take_back(&self, key: u64) -> bool {
        self.take_back(key)
    }

    fn has_begun(&self, key: u64) -> bool {
        !self.is_elsewhere() && matches!(self.host.stage(Ticket::from(key)), Stage::Running(_))
    }

    /// The reason stands with the task; its worker is killed by the keeper, which is told by the bell.
    fn end(&self, key: u64, _: Ending) -> bool {
        let condemned = !self.is_elsewhere() && self.host.condemn(Ticket::from(key)).is_some();
        if condemned {
            self.bell.ring();
        }
        condemned
    }

    fn watch(&self, key: u64) {
        if self.is_elsewhere() {
            return;
        }
        // If it is over already, the keeper brings it home.
        if !self.host.watch(Ticket::from(key)) {
            self.bell.ring();
        }
    }

    fn collect(&self) {
        self.collect();
    }

    fn wait(&self, task: &Shared, deadline: Option<Instant>) -> bool {
        loop {
            self.collect();
            if task.is_home() {
                return true;
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return false;
            }
            match task.key() {
                Some(key) => self.wait_at(key, task, deadline),
                // In the backlog, or between two places: whatever ends on the board may change that.
                None => self.host.wait_any(deadline, || task.is_home() || task.key().is_some()),
            }
        }
    }

    fn wait_any(&self, arrived: &dyn Fn() -> bool, deadline: Option<Instant>) -> bool {
        loop {
            self.collect();
            if arrived() {
                return true;
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return false;
            }
            self.host.wait_any(deadline, arrived);
        }
    }

    fn rouse(&self) {
        self.host.rouse_callers();
    }

    fn call_back(&self, callback: Callback) {
        self.callbacks.run(callback);
    }
}

/// When no worker has begun a task after this, another is woken for it: the one that was may be stopped.
const UNBEGUN: Duration = Duration::from_millis(50);

impl Desk {
    /// Waits until the task that has this place on the board is over there, and brings it home.
    fn wait_at(&self, key: u64, task: &Shared, deadline: Option<Instant>) {
        let ticket = Ticket::from(key);
        let is_waiting = || self.host.stage(ticket) == Stage::Waiting;
        let patience = Instant::now() + UNBEGUN;
        let until =
            if is_waiting() { Some(deadline.map_or(patience, |at| at.min(patience))) } else { deadline };
        if !self.host.wait(ticket, until) {
            if is_waiting() {
                self.host.wake_another();
            }
            return;
        }
        self.collect();
        if task.is_home() {
            return;
        }
        match self.host.collect_one(ticket) {
            Some((posted, reply)) => self.bring_home(posted, reply),
            // Another thread brings it home, or it is posted again.
            None => self.host.wait_any(deadline, || task.is_home() || task.key() != Some(key)),
        }
    }
}
