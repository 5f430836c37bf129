//! The owner's end of a server: where it listens, how to stop it.

use super::gate::{Gate, LISTENER};
use super::serving::Serving;
use super::shared::Shared;
use crate::Place;
use crate::context::{is_within_engine, within_engine};
use crate::error::{Error, Kind, Result};
use crate::net::{Endpoint, Interest, Listener, Poller};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A server: it serves until it is stopped. Dropping it stops it at once.
pub struct Server {
    shared: Arc<Shared>,
    endpoint: Endpoint,
    generation: u32,
}

impl Server {
    pub(super) fn start(serving: Serving, listener: Listener, place: Place) -> Result<Self> {
        let endpoint = listener.endpoint().clone();
        let none = |error: std::io::Error| {
            Error::new(Kind::ResourceExhausted, format!("cannot serve at `{endpoint}`: {error}"))
                .with_help("raise the limits of open files (`ulimit -n`) and threads (`ulimit -u`)")
        };
        let poller = Poller::new().map_err(none)?;
        poller.add(listener.fd(), LISTENER, Interest::Read.into()).map_err(none)?;
        let shared = Arc::new(Shared::new(serving, place, poller));
        let gate = Gate::new(shared.clone(), listener);
        let thread = std::thread::Builder::new().name("anyplace-serve".to_owned());
        thread.spawn(move || within_engine(|| gate.run())).map_err(none)?;
        Ok(Self { shared, endpoint, generation: anyplace_sync::fork_generation() })
    }

    /// Where it listens, with the port that it was given.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.shared.state().connections.len()
    }

    /// Whether it takes no more connections.
    pub fn is_stopping(&self) -> bool {
        !self.shared.is_open()
    }

    /// Stops, and waits until it has: nobody is accepted any more, clients that have nothing under way are let go, and what
    /// runs may end by itself within `grace`; then it is cut off. Called once more, from wherever, it cuts off at once.
    ///
    /// A handler that waits for the next request of its client reads the end instead.
    ///
    /// # Errors
    /// `Timeout` if a handler does not notice that it was cut off, and its place cannot end it.
    pub fn stop(&self, grace: Duration) -> Result<()> {
        self.begin_stop(grace);
        self.wait(None).unwrap_or(Ok(()))
    }

    /// As [`stop`](Self::stop), without waiting.
    pub fn begin_stop(&self, grace: Duration) {
        if !self.is_left_behind() {
            // A time that no clock reaches has no end.
            self.shared.stop(Instant::now().checked_add(grace));
        }
    }

    /// Waits until it has stopped; `None` if `until` came first.
    ///
    /// # Errors
    /// As [`stop`](Self::stop).
    pub fn wait(&self, until: Option<Instant>) -> Option<Result<()>> {
        if self.is_left_behind() {
            return Some(Ok(()));
        }
        self.shared.wait(until)
    }

    /// Whether this is the child of a fork, and the server stayed with the parent.
    fn is_left_behind(&self) -> bool {
        self.generation != anyplace_sync::fork_generation()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.is_left_behind() || self.wait(Some(Instant::now())).is_some() {
            return;
        }
        self.begin_stop(Duration::ZERO);
        // In a handler, waiting would wait for the handler itself.
        if !is_within_engine() {
            drop(self.wait(None));
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.endpoint)
    }
}
