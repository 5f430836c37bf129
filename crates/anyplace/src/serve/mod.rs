//! Serving others: what a process offers to those who connect. A place to peers, or an ordinary protocol to anybody, by
//! handlers on any place.

pub mod objects;

mod door;
mod handler;
mod inbox;
mod offer;

pub use handler::{Answers, Connections, Limits, Requests, Server, Serving, Took};
pub use inbox::{Arrival, Inbox};
pub use offer::{ClientLimits, Offer, Terms};
pub(crate) use offer::{MOST_FUNCTIONS, another_language, too_much};
