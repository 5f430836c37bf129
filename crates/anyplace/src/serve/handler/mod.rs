//! Servers of ordinary protocols: a listener, and a handler for each connection or each request, on any place.
//!
//! See README.md beside this file for who holds a connection when, and how a server stops.

mod accepting;
mod answering;
mod connection;
mod ending;
mod gate;
mod limits;
mod requests;
mod server;
mod serving;
mod shared;
mod typed;
mod watching;

pub use limits::Limits;
pub use server::Server;
pub use serving::Serving;
pub use typed::{Answers, Took};

use crate::driver;
use crate::error::Result;
use crate::net::Stream;
use crate::outcome::Value;
use crate::work::Work;
use std::fmt;
use std::sync::Arc;

/// What is done with each connection. Other faces implement it; functions of Rust go to [`Serving::connections`].
pub trait Connections: Send + Sync + 'static {
    /// The work that serves a connection, of a kind that a place with these limits takes. What leaves the process
    /// [lends](crate::net::lend) the stream. Called on the server's thread: it must be short.
    ///
    /// # Errors
    /// Why the connection cannot be served; it is closed then.
    fn work(&self, stream: &Stream, limits: &driver::Limits) -> Result<Work>;

    /// What the work gave.
    ///
    /// # Errors
    /// Why that is a failure.
    fn took(&self, value: Value) -> Result<()>;
}

/// What is done with each request. Other faces implement it; functions of Rust go to [`Serving::requests`].
pub trait Requests: Send + Sync + 'static {
    /// The work that answers a request, of a kind that a place with these limits takes. It must be short.
    ///
    /// # Errors
    /// Why it cannot be answered; its connection is closed then.
    fn work(&self, request: Vec<u8>, limits: &driver::Limits) -> Result<Work>;

    /// The answer, of what the work gave; nothing if there is none. Called on the thread that brings it.
    ///
    /// # Errors
    /// Why that is no answer; the connection is closed then.
    fn answer(&self, value: Value) -> Result<Option<Vec<u8>>>;
}

/// Who handles what.
#[derive(Clone)]
enum Handler {
    Connections(Arc<dyn Connections>),
    Requests(Arc<dyn Requests>),
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connections(_) => "Connections",
            Self::Requests(_) => "Requests",
        })
    }
}
