//! The server's own thread: it accepts, sees who says something, and looks at the clock.

use super::Handler;
use super::connection::{Connection, Doing};
use super::ending::Ending;
use super::shared::{Phase, Shared};
use crate::net::{Listener, Ready};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a server that stops looks at its connections.
const WHILE_ENDING: Duration = Duration::from_millis(20);

/// The number of the listener, which is no connection's.
pub(super) const LISTENER: u64 = 0;

pub(super) struct Gate {
    pub(super) shared: Arc<Shared>,
    /// Nothing once the server stops.
    pub(super) listener: Option<Listener>,
    /// There is room for more connections.
    pub(super) is_accepting: bool,
    /// The system lacks something to accept anybody by.
    pub(super) is_short: bool,
    /// When somebody was looked at last.
    looked: Instant,
    ending: Ending,
}

impl Gate {
    pub(super) fn new(shared: Arc<Shared>, listener: Listener) -> Self {
        Self {
            shared,
            listener: Some(listener),
            is_accepting: true,
            is_short: false,
            looked: Instant::now(),
            ending: Ending::default(),
        }
    }

    pub(super) fn run(mut self) {
        let mut ready = Ready::new();
        loop {
            for event in self.shared.poller.wait(&mut ready, self.until()) {
                match event.number {
                    LISTENER => self.accept(),
                    number => self.shared.woken(number),
                }
            }
            self.resume();
            self.see_to_ready();
            let phase = self.shared.state().phase.clone();
            if let Phase::Over(_) = phase {
                return;
            }
            if self.is_time() {
                self.looked = Instant::now();
                self.shared.look(self.looked);
            }
            if !matches!(phase, Phase::Open) {
                self.end(phase);
            }
        }
    }

    /// When to look next.
    fn until(&self) -> Option<Instant> {
        let state = self.shared.state();
        let (is_empty, is_open) = (state.connections.is_empty(), matches!(state.phase, Phase::Open));
        drop(state);
        let look = if is_empty { None } else { self.shared.limits.every().map(|every| self.looked + every) };
        let end = (!is_open).then(|| Instant::now() + WHILE_ENDING);
        [look, end].into_iter().flatten().min()
    }

    fn is_time(&self) -> bool {
        self.shared.limits.every().is_some_and(|every| self.looked.elapsed() >= every)
    }

    /// Serves requests that were whole when their connection's last answer was given.
    fn see_to_ready(&self) {
        let ready = std::mem::take(&mut self.shared.state().ready);
        for connection in ready {
            self.shared.next_request(&connection);
        }
    }

    fn end(&mut self, phase: Phase) {
        // Nobody is accepted any more, and the port is free for whoever comes next.
        self.is_accepting = false;
        let listener = self.listener.take();
        listener.iter().for_each(|listener| self.shared.poller.forget(listener.fd()));
        drop(listener);
        if let Some(next) = self.ending.step(&self.shared, phase) {
            self.shared.state().phase = next;
            self.shared.changed.notify_all();
            self.shared.poller.ring();
        }
    }
}

impl Shared {
    /// A connection has something to read, or room for what it is to be sent.
    fn woken(self: &Arc<Self>, number: u64) {
        let connection = self.state().connections.get(&number).cloned();
        let Some(connection) = connection else { return };
        match &self.handler {
            Handler::Connections(_) => self.hand_over(&connection),
            Handler::Requests(_) => self.go_on(&connection),
        }
    }

    /// Gives a connection to its handler.
    pub(super) fn hand_over(self: &Arc<Self>, connection: &Arc<Connection>) {
        let Handler::Connections(handler) = &self.handler else { return };
        self.forget(connection);
        connection.seat().go(Doing::Served);
        let make = || handler.work(&connection.stream, self.place.limits());
        let (work, lent) = crate::net::lending(self.limits.idle, make);
        connection.seat().lent = lent;
        let handler = handler.clone();
        self.submit(connection, work, move |shared, connection, value| {
            shared.over(connection, value.and_then(|value| handler.took(value)));
        });
    }
}
