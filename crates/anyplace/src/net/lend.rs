//! Streams that go to another process of this machine: their descriptor is lent for a ticket.
//!
//! Whoever lends has one datagram socket, whose file is gone before anybody knows it: those who may look into this
//! process reach it through `/proc`, so nothing can be left behind. A borrower makes a pair of sockets and sends one end
//! of it with his ticket; the descriptor comes through the other. So the lender never waits for a borrower, and a
//! borrower who dies in the middle costs nothing. The pair stays, as a line by which the lender says that it would like to
//! end. A ticket is good for as long as its [`Lent`] lives.

mod borrow;
mod descriptors;
mod desk;

pub use borrow::borrow;
pub(crate) use desk::Lent;

use super::Stream;
use crate::error::{Error, Kind, Result};
use serde::{Deserialize, Serialize, de, ser};
use std::cell::RefCell;
use std::time::Duration;

/// What stands for a stream on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Ticket {
    process: u32,
    /// The lender's number for its own socket.
    socket: i32,
    number: u128,
    endpoint: String,
    /// How long the other end of the stream may keep the borrower waiting.
    idle: Option<Duration>,
}

/// What somebody lends now.
struct Sending {
    idle: Option<Duration>,
    lent: Vec<Lent>,
}

thread_local! {
    static SENDING: RefCell<Option<Sending>> = const { RefCell::new(None) };
}

/// Runs `send`, in which streams may be [lent](lend): they are for as long as somebody keeps what is given besides. Whoever
/// borrows one gives it up if its other end keeps him waiting for longer than `idle`.
pub(crate) fn lending<R>(idle: Option<Duration>, send: impl FnOnce() -> R) -> (R, Vec<Lent>) {
    struct Back(Option<Sending>);
    impl Drop for Back {
        fn drop(&mut self) {
            SENDING.set(self.0.take());
        }
    }
    let _back = Back(SENDING.replace(Some(Sending { idle, lent: Vec::new() })));
    let sent = send();
    (sent, SENDING.take().map(|sending| sending.lent).unwrap_or_default())
}

/// A stream as bytes, by which a process of this machine can [`borrow`] it: for the work of a
/// [server's](crate::serve::Serving) handler, as long as that has no outcome.
///
/// # Errors
/// `NotSerializable` elsewhere, and if more than a socket is behind the stream, such as a session with keys.
pub fn lend(stream: &Stream) -> Result<Vec<u8>> {
    postcard::to_stdvec(&ticket(stream)?).map_err(|error| Error::new(Kind::Unexpected, error.to_string()))
}

fn ticket(stream: &Stream) -> Result<Ticket> {
    if stream.socket().is_none() {
        return Err(stays(
            stream,
            "it is more than a socket",
            "serve such streams on `threads:` or `async:`",
        ));
    }
    SENDING.with_borrow_mut(|sending| match sending {
        None => Err(stays(
            stream,
            "only a server sends streams to workers",
            "let `serve` hand connections to the place",
        )),
        Some(sending) => {
            let lent = Lent::new(stream)?;
            let ticket = lent.ticket(stream, sending.idle);
            sending.lent.push(lent);
            Ok(ticket)
        }
    })
}

fn stays(stream: &Stream, why: &str, help: &'static str) -> Error {
    let message = format!("{stream:?} cannot leave this process: {why}");
    Error::new(Kind::NotSerializable, message).at(stream.endpoint()).with_help(help)
}

impl Serialize for Stream {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ticket(self).map_err(crate::share::refuse_to_go)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Stream {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ticket = Ticket::deserialize(deserializer)?;
        borrow::borrowed(&ticket).map_err(crate::share::refuse_to_come)
    }
}
