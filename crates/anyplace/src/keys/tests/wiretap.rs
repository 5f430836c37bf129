//! Somebody who sits on the wire between two peers, hears everything, and may change it.

use super::soon;
use crate::net::{Endpoint, Stream, connect, listen};
use std::thread::{self, JoinHandle};

/// What went by, in each direction.
pub(super) struct Heard {
    pub(super) from_client: Vec<u8>,
    pub(super) from_server: Vec<u8>,
}

/// Where the client has to connect to, and what is heard when both ends are done.
pub(super) struct Wiretap {
    pub(super) endpoint: Endpoint,
    heard: JoinHandle<Heard>,
}

impl Wiretap {
    /// Sits before `server`, and passes what the client says through `change`, which is told how much went before.
    pub(super) fn before(server: Endpoint, change: impl Fn(usize, &mut [u8]) + Send + 'static) -> Self {
        let listener = listen("tcp://127.0.0.1:0").unwrap();
        let endpoint = listener.endpoint().clone();
        let heard = thread::spawn(move || {
            let client = listener.accept(Some(soon())).unwrap();
            let server = connect(server, Some(soon())).unwrap();
            let (back, forth) = (client.clone(), server.clone());
            let from_server = thread::spawn(move || pass(&forth, &back, |_, _| {}));
            let from_client = pass(&client, &server, change);
            Heard { from_client, from_server: from_server.join().unwrap() }
        });
        Self { endpoint, heard }
    }

    pub(super) fn heard(self) -> Heard {
        self.heard.join().unwrap()
    }
}

/// Passes on until an end, which is passed on, too.
fn pass(from: &Stream, to: &Stream, change: impl Fn(usize, &mut [u8])) -> Vec<u8> {
    let (mut heard, mut some) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = from.read(&mut some, Some(soon())) {
        heard.extend(&some[..read]);
        change(heard.len() - read, &mut some[..read]);
        if to.write(&some[..read], Some(soon())).is_err() {
            break;
        }
    }
    to.abort();
    heard
}

/// The records of a TLS conversation in one direction: their type and their length.
pub(super) fn records(mut bytes: &[u8]) -> Vec<(u8, usize)> {
    let mut records = Vec::new();
    while let [kind, _, _, high, low, rest @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        records.push((*kind, length));
        bytes = rest.get(length..).unwrap_or(&[]);
    }
    records
}
