//! What others are served: connections of ordinary protocols, by handlers on any place.

mod handler;

pub use handler::{Answers, Connections, Limits, Requests, Server, Serving, Took};
