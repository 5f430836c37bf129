//! Sockets of this machine: real ones, at ports that are free.

#![allow(missing_docs, reason = "tests")]

mod alone;
mod connecting;
mod datagrams;
mod descriptors;
mod futures;
mod listening;
mod many;
mod messages;
mod pipes;
mod reactor;
mod streams;

use anyplace::net::{Listener, Stream, connect, listen};
use std::time::{Duration, Instant};

/// Long enough for whatever has to come.
const LONG: Duration = Duration::from_secs(20);
/// Long enough to see that nothing comes.
const SHORT: Duration = Duration::from_millis(30);

fn soon() -> Option<Instant> {
    Some(Instant::now() + LONG)
}

fn shortly() -> Option<Instant> {
    Some(Instant::now() + SHORT)
}

/// A folder for sockets, and a path in it.
fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("any.sock").display().to_string();
    (folder, path)
}

/// Both ends of a stream through what `listener` listens at.
fn ends_of(listener: &Listener) -> (Stream, Stream) {
    let here = connect(listener.endpoint(), soon()).unwrap();
    (here, listener.accept(soon()).unwrap())
}

/// Both ends of a TCP connection.
fn tcp() -> (Stream, Stream) {
    ends_of(&listen("tcp://127.0.0.1:0").unwrap())
}

/// Both ends of a unix connection.
fn unix() -> (Stream, Stream) {
    let (_folder, path) = folder();
    ends_of(&listen(format!("unix:{path}")).unwrap())
}

/// Both kinds: what holds for one holds for the other.
fn pairs() -> [(Stream, Stream); 2] {
    [tcp(), unix()]
}
