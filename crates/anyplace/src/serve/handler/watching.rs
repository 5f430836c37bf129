//! Limits of time: who keeps the server waiting is given up.

use super::Handler;
use super::connection::{Connection, Doing};
use super::shared::{Phase, Shared};
use crate::error::{Error, Kind};
use std::sync::Arc;
use std::time::{Duration, Instant};

impl Shared {
    /// Looks whether somebody's time is over.
    pub(super) fn look(&self, now: Instant) {
        for connection in self.all() {
            if let Some(why) = self.late(&connection, now) {
                self.give_up(&connection, why);
            }
        }
    }

    pub(super) fn all(&self) -> Vec<Arc<Connection>> {
        self.state().connections.values().cloned().collect()
    }

    /// Why a connection has to be given up, if it has.
    fn late(&self, connection: &Connection, now: Instant) -> Option<Error> {
        let limits = &self.limits;
        if let Some(longest) = limits.longest.filter(|longest| now >= connection.began + *longest) {
            return Some(over(
                "a connection lasted longer than it may",
                longest,
                "raise the limit `longest`",
            ));
        }
        let mut seat = connection.seat();
        match seat.doing {
            Doing::Silent if seat.has_waited(now, limits.idle) => {
                drop(seat);
                self.silent(connection)
            }
            Doing::Arriving if seat.has_waited(now, limits.arrival) => {
                limits.arrival.map(|limit| over("a request did not arrive in time", limit, SLOW))
            }
            Doing::Answering if seat.has_waited(now, limits.idle) => limits.idle.map(not_taken),
            Doing::Served if matches!(self.handler, Handler::Connections(_)) => {
                let beat = connection.stream.pulse().beat();
                if !beat.is_stalled() || std::mem::replace(&mut seat.beat, beat) != beat {
                    seat.since = now;
                }
                let limit = limits.idle.filter(|_| seat.has_waited(now, limits.idle));
                limit.map(|limit| over("a client kept its handler waiting", limit, SLOW))
            }
            _ => None,
        }
    }

    /// A client says nothing. After it has said something that is its way to rest, and no news.
    fn silent(&self, connection: &Connection) -> Option<Error> {
        if matches!(self.handler, Handler::Requests(_)) {
            self.over(connection, Ok(()));
            return None;
        }
        let help = "if it is the server that speaks first, say so when it begins (`greets`)";
        self.limits.idle.map(|limit| over("a client connected and said nothing", limit, help))
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state().phase, Phase::Open)
    }
}

const SLOW: &str = "the client is slow or gone; raise the limit if it may be";

fn not_taken(limit: Duration) -> Error {
    over("a client did not take its answer", limit, SLOW)
}

fn over(what: &str, limit: Duration, help: &'static str) -> Error {
    Error::new(Kind::Timeout, format!("{what}: {limit:?}")).with_help(help)
}
