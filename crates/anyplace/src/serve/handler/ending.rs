//! How a server stops: what runs ends by itself, is told to, and is ended.

use super::connection::{Connection, Doing};
use super::shared::{Phase, Shared};
use crate::error::{Error, Kind, Result};
use crate::net::Lent;
use crate::task::Ending as Why;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a handler whose connection was cut off gets to notice it.
const TO_NOTICE: Duration = Duration::from_secs(1);
/// How long what was ended gets to be gone.
const TO_GO: Duration = Duration::from_secs(2);

/// How far the end of a server is.
#[derive(Debug, Default)]
pub(super) struct Ending {
    cut_off: Option<Instant>,
    are_killed: bool,
}

impl Ending {
    /// Does what is to be done now; the next phase if it has come.
    pub(super) fn step(&mut self, shared: &Arc<Shared>, phase: Phase) -> Option<Phase> {
        let now = Instant::now();
        match phase {
            Phase::Draining(until) => {
                shared.all().iter().for_each(|connection| shared.let_go(connection));
                if is_empty(shared) {
                    return Some(Phase::Over(Ok(())));
                }
                until.is_some_and(|until| now >= until).then_some(Phase::Aborting)
            }
            Phase::Aborting => self.abort(shared, now),
            Phase::Open | Phase::Over(_) => None,
        }
    }

    fn abort(&mut self, shared: &Shared, now: Instant) -> Option<Phase> {
        let cut_off = *self.cut_off.get_or_insert(now);
        let connections = shared.all();
        connections.iter().for_each(|connection| shared.cut_off(connection));
        if is_empty(shared) {
            return Some(Phase::Over(Ok(())));
        }
        if now >= cut_off + TO_NOTICE && !std::mem::replace(&mut self.are_killed, true) {
            connections.iter().for_each(|connection| kill(connection));
        }
        (now >= cut_off + TO_NOTICE + TO_GO).then(|| Phase::Over(Err(left(connections.len()))))
    }
}

fn is_empty(shared: &Shared) -> bool {
    shared.state().connections.is_empty()
}

impl Shared {
    /// Lets a connection end that has nothing under way.
    fn let_go(&self, connection: &Connection) {
        let doing = connection.seat().doing;
        match doing {
            Doing::Silent => self.over(connection, Ok(())),
            Doing::Served => {
                connection.stream.release();
                connection.seat().lent.iter().for_each(Lent::release);
            }
            Doing::Arriving | Doing::Answering | Doing::Over => {}
        }
    }

    /// Ends a connection, whatever it is about.
    fn cut_off(&self, connection: &Connection) {
        let mut seat = connection.seat();
        let (is_first, doing) = (!std::mem::replace(&mut seat.is_given_up, true), seat.doing);
        let task = seat.task.clone();
        drop(seat);
        if is_first {
            connection.stream.abort();
        }
        // A task that has not begun need not.
        if doing != Doing::Served {
            self.over(connection, Ok(()));
        } else if let Some(task) = task {
            task.cancel();
        }
    }

    /// Begins to stop, or to stop faster. Gives whether that was new.
    pub(super) fn stop(&self, until: Option<Instant>) {
        let mut state = self.state();
        state.phase = match state.phase {
            Phase::Open => Phase::Draining(until),
            // Asked once more: now.
            Phase::Draining(_) | Phase::Aborting => Phase::Aborting,
            Phase::Over(_) => return,
        };
        drop(state);
        self.poller.ring();
    }

    /// Waits until it is over; nothing if `until` came first.
    pub(super) fn wait(&self, until: Option<Instant>) -> Option<Result<()>> {
        let mut state = self.state();
        loop {
            if let Phase::Over(result) = &state.phase {
                return Some(result.clone());
            }
            let left = until
                .map_or(Duration::from_secs(3600), |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return None;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
    }
}

fn kill(connection: &Connection) {
    let task = connection.seat().task.clone();
    if let Some(task) = task {
        task.kill(Why::Cancelled);
    }
}

fn left(count: usize) -> Error {
    Error::new(Kind::Timeout, format!("handlers of {count} connections still run, and cannot be ended"))
        .during("stop")
        .with_help("give them more time, or serve on `processes:`, where they can be killed")
}
