//! What a server's thread, its workers and its owner have in common.

use super::connection::{Connection, Doing};
use super::requests::Framing;
use super::serving::{Serving, Told};
use super::{Handler, Limits};
use crate::Place;
use crate::context::caught;
use crate::error::{Error, Result};
use crate::net::{Interest, Poller, Wish};
use crate::outcome::Value;
use crate::task::TaskOptions;
use crate::work::Work;
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub(super) struct Shared {
    pub(super) handler: Handler,
    pub(super) framing: Framing,
    pub(super) limits: Limits,
    pub(super) greets: bool,
    pub(super) place: Place,
    told: Option<Told>,
    pub(super) poller: Poller,
    state: Mutex<State>,
    /// The phase has changed.
    pub(super) changed: Condvar,
}

pub(super) struct State {
    pub(super) connections: HashMap<u64, Arc<Connection>>,
    pub(super) phase: Phase,
    /// Whole requests that the server's own thread has to see to.
    pub(super) ready: Vec<Arc<Connection>>,
    /// The server's thread accepts nobody before a connection ends.
    pub(super) is_full: bool,
    given: u64,
}

/// How far a server is. It only goes on.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    Open,
    /// Nobody is accepted, and what runs may end by itself until then.
    Draining(Option<Instant>),
    /// What still runs is ended.
    Aborting,
    /// Nothing is left, or something that cannot be ended.
    Over(Result<()>),
}

impl Shared {
    pub(super) fn new(serving: Serving, place: Place, poller: Poller) -> Self {
        let Serving { handler, framing, limits, greets, told } = serving;
        let state = State {
            connections: HashMap::new(),
            phase: Phase::Open,
            ready: Vec::new(),
            is_full: false,
            given: 0,
        };
        let (state, changed) = (Mutex::new(state), Condvar::new());
        Self { handler, framing, limits, greets, place, told, poller, state, changed }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn report(&self, error: Error) {
        if let Some(told) = &self.told {
            caught(|| told(error));
        }
    }

    /// Hands work to the place; `then` is called with what it gave.
    pub(super) fn submit(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        work: Result<Work>,
        then: impl FnOnce(&Arc<Self>, &Arc<Connection>, Result<Value>) + Send + 'static,
    ) {
        let handle = match work.and_then(|work| self.place.submit_work(work, TaskOptions::default())) {
            Ok(handle) => handle,
            Err(error) => return then(self, connection, Err(error)),
        };
        connection.seat().task = Some(handle.control());
        let (shared, connection) = (self.clone(), connection.clone());
        handle.then(move |value| {
            connection.seat().task = None;
            then(&shared, &connection, value);
        });
    }

    /// Waits for a connection once more, once.
    pub(super) fn want(&self, connection: &Connection, interest: Interest) {
        self.poller.want(connection.stream.fd(interest), connection.number, Wish::from(interest).once());
    }

    /// Waits for a connection no more.
    pub(super) fn forget(&self, connection: &Connection) {
        self.poller.forget(connection.stream.fd(Interest::Read));
    }

    /// A connection is over: its handler has ended, or its client.
    pub(super) fn over(&self, connection: &Connection, ended: Result<()>) {
        let mut seat = connection.seat();
        if seat.doing == Doing::Over {
            return;
        }
        seat.go(Doing::Over);
        let (lent, is_given_up) = (std::mem::take(&mut seat.lent), seat.is_given_up);
        drop(seat);
        drop(lent);
        if let Err(error) = ended
            && !is_given_up
        {
            self.report(error);
        }
        self.forget(connection);
        connection.stream.close_now();
        let mut state = self.state();
        let removed = state.connections.remove(&connection.number);
        let is_awaited = std::mem::take(&mut state.is_full) || !matches!(state.phase, Phase::Open);
        drop(state);
        drop(removed);
        if is_awaited {
            self.poller.ring();
        }
    }

    /// Ends a connection that its client holds.
    pub(super) fn give_up(&self, connection: &Connection, why: Error) {
        let mut seat = connection.seat();
        if std::mem::replace(&mut seat.is_given_up, true) {
            return;
        }
        let is_served = seat.doing == Doing::Served;
        drop(seat);
        self.report(why.at(connection.stream.endpoint()).during("serve"));
        connection.stream.abort();
        if !is_served {
            self.over(connection, Ok(()));
        }
    }
}

impl State {
    pub(super) fn next_number(&mut self) -> u64 {
        self.given += 1;
        self.given
    }
}
