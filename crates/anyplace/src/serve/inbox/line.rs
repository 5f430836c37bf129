//! Those who were let in, in a line until somebody receives from them.

use super::Arrival;
use crate::keys::{Keys, Scope, admit};
use crate::net::Stream;
use crate::serve::door::{Door, Keeper};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Keeps the door of an inbox.
pub(super) struct Line {
    keys: Keys,
    standing: Mutex<Standing>,
    changed: Condvar,
}

#[derive(Default)]
struct Standing {
    arrivals: VecDeque<Arrival>,
    is_closed: bool,
}

impl Line {
    pub(super) fn new(keys: Keys) -> Arc<Self> {
        Arc::new(Self { keys, standing: Mutex::default(), changed: Condvar::new() })
    }

    /// Whoever is next in the line, or nobody if it is closed; nothing if `until` came first.
    pub(super) fn next(&self, until: Option<Instant>) -> Option<Option<Arrival>> {
        let mut standing = self.standing();
        loop {
            if let Some(arrival) = standing.arrivals.pop_front() {
                return Some(Some(arrival));
            }
            if standing.is_closed {
                return Some(None);
            }
            standing = match until {
                None => self.changed.wait(standing).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.checked_duration_since(Instant::now())?;
                    self.changed.wait_timeout(standing, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Nobody lines up any more. Whoever stands there is told by the end of the stream.
    pub(super) fn close(&self) {
        let mut standing = self.standing();
        standing.is_closed = true;
        let left = std::mem::take(&mut standing.arrivals);
        drop(standing);
        drop(left);
        self.changed.notify_all();
    }

    fn admit(&self, stream: Stream, until: Instant) -> Option<Arrival> {
        let admitted = admit(stream, &self.keys, until).ok()?;
        if !admitted.scope.allows(Scope::FILES) {
            admitted.stream.abort();
            return None;
        }
        Some(Arrival { stream: admitted.stream, key: admitted.key })
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        // No code of others runs under this lock, so a poisoned one is still whole.
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper for Line {
    fn let_in(&self, stream: Stream, until: Instant) {
        let Some(arrival) = self.admit(stream, until) else { return };
        let mut standing = self.standing();
        if !standing.is_closed {
            standing.arrivals.push_back(arrival);
            self.changed.notify_one();
        }
    }

    fn tick(self: Arc<Self>, _: Instant, _: &Arc<Door>) {}
}
