//! Tasks whose beginning is told: they have a time limit, or observers. Their workers ring when they begin.

use super::posted::Posted;
use crate::task::{Ending, Shared, Started};
use anyplace_sync::shm::board::{Host, Stage, Ticket};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Default)]
pub(super) struct Announced(Mutex<HashMap<usize, Entry>>);

struct Entry {
    shared: Arc<Shared>,
    started: Started,
    timeout: Option<Duration>,
    /// Where the attempt that has begun is on the board; nothing before it has.
    begun: Option<u64>,
    /// When its time is over; nothing before it has begun, or if it has no limit.
    deadline: Option<Instant>,
}

impl Announced {
    fn entries(&self) -> MutexGuard<'_, HashMap<usize, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The task is about to be posted.
    pub(super) fn add(&self, posted: &Posted) {
        let entry = Entry {
            shared: posted.task.shared.clone(),
            started: posted.started(0),
            timeout: posted.task.options.timeout,
            begun: None,
            deadline: None,
        };
        self.entries().insert(key(posted), entry);
    }

    /// The task is home.
    pub(super) fn remove(&self, posted: &Posted) {
        if posted.task.options.timeout.is_some() || posted.task.shared.is_measured() {
            self.entries().remove(&key(posted));
        }
    }

    /// Tells who has begun, and ends those whose time is over. Gives when the next one's is.
    pub(super) fn look(&self, host: &Host<Box<Posted>>) -> Option<Instant> {
        let (begun, late, next) = self.find(host, Instant::now());
        begun.into_iter().for_each(|(shared, started)| shared.observe(started));
        // It may be over meanwhile, and the next attempt be under way, whose time is not.
        late.into_iter().for_each(|(shared, key)| shared.end_at(key, Ending::Timeout));
        next
    }

    #[allow(clippy::type_complexity, reason = "three lists of one walk")]
    fn find(
        &self,
        host: &Host<Box<Posted>>,
        now: Instant,
    ) -> (Vec<(Arc<Shared>, Started)>, Vec<(Arc<Shared>, u64)>, Option<Instant>) {
        let (mut begun, mut late, mut next) = (Vec::new(), Vec::new(), None);
        for entry in self.entries().values_mut() {
            if let Some((key, worker)) = entry.begins(host) {
                entry.begun = Some(key);
                entry.deadline = entry.timeout.and_then(|timeout| now.checked_add(timeout));
                begun.push((entry.shared.clone(), Started { worker, ..entry.started }));
            }
            if entry.deadline.is_some_and(|deadline| deadline <= now) {
                entry.deadline = None;
                late.extend(entry.begun.map(|key| (entry.shared.clone(), key)));
            }
            next = next.into_iter().chain(entry.deadline).min();
        }
        (begun, late, next)
    }
}

impl Entry {
    fn begins(&self, host: &Host<Box<Posted>>) -> Option<(u64, usize)> {
        let key = self.shared.key().filter(|_| self.begun.is_none())?;
        match host.stage(Ticket::from(key)) {
            Stage::Running(worker) => Some((key, worker)),
            Stage::Waiting | Stage::Over => None,
        }
    }
}

fn key(posted: &Posted) -> usize {
    Arc::as_ptr(&posted.task.shared).addr()
}
