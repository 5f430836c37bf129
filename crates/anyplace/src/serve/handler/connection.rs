//! A connection of a server, and who has it.

use super::requests::Arrived;
use crate::net::{Beat, Lent, Stream};
use crate::task::Control;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A connection of a server.
pub(super) struct Connection {
    pub(super) number: u64,
    pub(super) stream: Stream,
    pub(super) began: Instant,
    seat: Mutex<Seat>,
}

/// What a connection is about, and what that needs.
pub(super) struct Seat {
    pub(super) doing: Doing,
    /// Since when it waits for the client, if it does.
    pub(super) since: Instant,
    /// What moved when its handler was looked at last.
    pub(super) beat: Beat,
    /// The task that serves it.
    pub(super) task: Option<Control>,
    /// The stream, for another process, while it is served.
    pub(super) lent: Vec<Lent>,
    pub(super) arrived: Arrived,
    /// An answer that is under way, and how much of it has gone.
    pub(super) answer: Vec<u8>,
    pub(super) sent: usize,
    /// The server has ended it: what its handler says of that is no news.
    pub(super) is_given_up: bool,
}

/// What a connection is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// Nobody has it: it waits for the client to say something.
    Silent,
    /// A request is coming.
    Arriving,
    /// A handler has it, or its request.
    Served,
    /// An answer waits for the client to take it.
    Answering,
    /// It is closed.
    Over,
}

impl Connection {
    pub(super) fn new(number: u64, stream: Stream) -> Self {
        let now = Instant::now();
        let seat = Seat {
            doing: Doing::Silent,
            since: now,
            beat: Beat::default(),
            task: None,
            lent: Vec::new(),
            arrived: Arrived::default(),
            answer: Vec::new(),
            sent: 0,
            is_given_up: false,
        };
        Self { number, stream, began: now, seat: Mutex::new(seat) }
    }

    pub(super) fn seat(&self) -> MutexGuard<'_, Seat> {
        self.seat.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Goes over to something else.
    pub(super) fn go(&mut self, doing: Doing) {
        self.doing = doing;
        self.since = Instant::now();
    }

    pub(super) fn has_waited(&self, now: Instant, limit: Option<Duration>) -> bool {
        limit.is_some_and(|limit| now.saturating_duration_since(self.since) >= limit)
    }
}
