//! Those who may meet do, and can talk.

use super::{keys, meet, meet_at, soon};
use crate::Kind;
use crate::keys::{Admitted, Joined, Keys, Scope};
use crate::net::{Interest, Stream, listen};
use std::io::{ErrorKind, IoSlice};
use std::thread;
use std::time::Duration;

fn met() -> (Stream, Stream) {
    let server = keys();
    let ticket = server.issue(Scope::default(), None, false).unwrap();
    let (admitted, joined) = meet(&server, &keys(), Some(&ticket));
    (admitted.unwrap().stream, joined.unwrap().stream)
}

fn read_all(stream: &Stream) -> Vec<u8> {
    let (mut all, mut some) = (Vec::new(), [0; 10_000]);
    loop {
        match stream.read(&mut some, Some(soon())).unwrap() {
            0 => return all,
            read => all.extend(&some[..read]),
        }
    }
}

#[test]
fn a_ticket_lets_a_client_in_and_from_then_on_its_key_does() {
    let (server, client) = (keys(), keys());
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let ticket = server.issue(Scope::RUN, Some(Duration::from_secs(60)), true).unwrap();
    for shown in [Some(&ticket), None, Some(&ticket)] {
        let (admitted, joined) = meet_at(&listener, &server, &client, shown);
        let (Admitted { key: theirs, scope, until, .. }, joined) = (admitted.unwrap(), joined.unwrap());
        assert_eq!(theirs, Some(client.identity().unwrap().hash()));
        assert_eq!(joined.key, Some(server.identity().unwrap().hash()));
        assert_eq!((scope, joined.scope), (Scope::RUN, Scope::RUN));
        assert_eq!((until, joined.until), (ticket.until(), ticket.until()));
    }
}

#[test]
fn the_same_user_needs_no_ticket() {
    let same = keys();
    let (admitted, joined) = meet(&same, &same, None);
    assert!(admitted.unwrap().scope.allows(Scope::ADMIN) && joined.unwrap().scope.allows(Scope::ADMIN));
}

#[test]
fn keys_in_a_folder_outlive_their_process() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| Keys::new(Some(folder.path().join(name)));
    let ticket = at("server").issue(Scope::SHARE, None, false).unwrap();
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    for shown in [Some(&ticket), None] {
        let (admitted, joined) = meet_at(&listener, &at("server"), &at("client"), shown);
        assert_eq!((admitted.unwrap().scope, joined.unwrap().scope), (Scope::SHARE, Scope::SHARE));
    }
}

#[test]
fn two_processes_that_make_the_first_key_make_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let hashes = thread::scope(|scope| {
        let made: Vec<_> = (0..8)
            .map(|_| {
                let keys = Keys::new(Some(folder.path().join("keys")));
                scope.spawn(move || keys.identity().unwrap().hash())
            })
            .collect();
        made.into_iter().map(|made| made.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(hashes.iter().all(|hash| *hash == hashes[0]));
}

#[test]
fn a_process_of_the_same_user_comes_in_over_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let listener = listen(crate::net::Endpoint::Unix(folder.path().join("here.sock"))).unwrap();
    let (admitted, joined) = meet_at(&listener, &keys(), &keys(), None);
    let (Admitted { key: None, .. }, Joined { key: None, stream, .. }) = (admitted.unwrap(), joined.unwrap())
    else {
        panic!("no key is asked for")
    };
    assert!(matches!(stream.endpoint(), crate::net::Endpoint::Unix(_)));
}

#[test]
fn much_is_said_in_both_directions_at_once() {
    let (server, client) = met();
    let said = |seed: u8| (0..3_000_000_u32).map(|n| (n as u8).wrapping_mul(seed)).collect::<Vec<_>>();
    let talk = |stream: Stream, seed| {
        let ours = stream.clone();
        thread::spawn(move || {
            ours.write(&said(seed), Some(soon())).unwrap();
            ours.finish(Some(soon())).unwrap();
        });
        thread::spawn(move || read_all(&stream))
    };
    let (from_client, from_server) = (talk(server, 3), talk(client, 5));
    assert!(from_client.join().unwrap() == said(5) && from_server.join().unwrap() == said(3));
}

#[test]
fn whoever_has_finished_can_still_listen() {
    let (server, client) = met();
    client.write(b"a question", Some(soon())).unwrap();
    client.finish(Some(soon())).unwrap();
    assert_eq!(read_all(&server), b"a question");
    server.write(b"the answer", Some(soon())).unwrap();
    server.finish(Some(soon())).unwrap();
    assert_eq!(read_all(&client), b"the answer");
    assert!(client.write(b"more", Some(soon())).is_err());
}

#[test]
fn a_stream_that_is_cut_off_does_not_look_finished() {
    let (server, client) = met();
    client.write(b"half of it", Some(soon())).unwrap();
    client.abort();
    let mut into = [0; 100];
    assert_eq!(server.read(&mut into, Some(soon())).unwrap(), 10);
    assert_eq!(server.read(&mut into, Some(soon())).unwrap_err().kind(), Kind::ConnectionLost);
}

#[test]
fn a_reader_is_not_told_to_wait_while_something_is_kept() {
    let (server, client) = met();
    client.write(&[7; 200_000], Some(soon())).unwrap();
    client.finish(Some(soon())).unwrap();
    let (mut total, mut into) = (0, [0; 1000]);
    loop {
        match server.try_read(&mut into) {
            Ok(0) => break,
            Ok(read) => total += read,
            // Only the descriptor is asked: what TLS keeps must have been given by now.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                assert!(server.ready(Interest::Read, Some(soon())).unwrap());
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(total, 200_000);
}

#[test]
fn a_writer_waits_for_a_reader_who_does_not_read() {
    let (server, client) = met();
    let chunk = [1; 100_000];
    let mut written = 0;
    let full = loop {
        match client.try_write(&[IoSlice::new(&chunk)]) {
            Ok(taken) => written += taken,
            Err(error) => break error,
        }
        assert!(written < 100_000_000, "somebody keeps it all");
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    thread::scope(|scope| {
        scope.spawn(|| client.finish(Some(soon())).unwrap());
        assert_eq!(read_all(&server).len(), written);
    });
}
