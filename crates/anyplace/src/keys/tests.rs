//! Meetings over real sockets: of those who may, and of those who may not.

mod attacks;
mod meetings;
mod wiretap;

use super::{Admitted, Joined, Keys, Ticket, admit, join};
use crate::error::Result;
use crate::net::{Listener, Stream, connect, listen};
use std::thread;
use std::time::{Duration, Instant};

/// No meeting of a test takes so long.
fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn keys() -> Keys {
    Keys::in_memory()
}

/// Both ends of a connection over loopback.
fn pair() -> (Stream, Stream) {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let client = connect(listener.endpoint().clone(), Some(soon())).unwrap();
    (client, listener.accept(Some(soon())).unwrap())
}

/// What both ends say of a meeting.
fn meet(server: &Keys, client: &Keys, ticket: Option<&Ticket>) -> (Result<Admitted>, Result<Joined>) {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    meet_at(&listener, server, client, ticket)
}

fn meet_at(
    listener: &Listener,
    server: &Keys,
    client: &Keys,
    ticket: Option<&Ticket>,
) -> (Result<Admitted>, Result<Joined>) {
    thread::scope(|scope| {
        let admitted = scope.spawn(|| admit(listener.accept(Some(soon()))?, server, soon()));
        let joined = connect(listener.endpoint().clone(), Some(soon()))
            .and_then(|stream| join(stream, client, ticket, soon()));
        (admitted.join().unwrap(), joined)
    })
}
