//! Messages that arrive whole or not at all.

use crate::{LONG, folder, shortly, soon};
use anyplace::Kind;
use anyplace::net::{Datagram, Endpoint, Interest, Options, Party, Wait, bind, bind_with, wait_any};
use std::io::ErrorKind;
use std::thread;

#[test]
fn an_answer_goes_to_who_asked() {
    for host in ["127.0.0.1", "[::1]"] {
        let server = bind(format!("udp://{host}:0")).unwrap();
        let client = Datagram::to(server.endpoint(), soon()).unwrap();
        client.send(b"question", soon()).unwrap();
        let mut bytes = [0; 99];
        let (length, from) = server.recv_from(&mut bytes, soon()).unwrap();
        assert_eq!(&bytes[..length], b"question");
        assert_eq!(from.endpoint(), client.local().unwrap());
        server.send_to(b"answer", &from, soon()).unwrap();
        assert_eq!(client.recv(&mut bytes, soon()).unwrap(), 6);
    }
}

#[test]
fn datagrams_go_through_files_of_mode_0600() {
    let (_folder, path) = folder();
    let endpoint = format!("unixgram:{path}");
    let server = bind(&*endpoint).unwrap();
    let mode = rustix::fs::stat(&*path).unwrap().st_mode & 0o777;
    assert_eq!(mode, 0o600);
    let nameless = Datagram::to(&*endpoint, soon()).unwrap();
    nameless.send(b"hello", soon()).unwrap();
    let mut bytes = [0; 9];
    let (length, from) = server.recv_from(&mut bytes, soon()).unwrap();
    assert_eq!((length, from.endpoint()), (5, None));
    let named = bind(format!("unixgram:{path}.client")).unwrap();
    named.send_to(b"hello", &Party::at(server.endpoint(), None).unwrap(), soon()).unwrap();
    let (_, from) = server.recv_from(&mut bytes, soon()).unwrap();
    assert_eq!(from.endpoint().as_ref(), Some(named.endpoint()));
    server.send_to(b"you", &from, soon()).unwrap();
    assert_eq!(named.recv(&mut bytes, soon()).unwrap(), 3);
    drop(server);
    assert!(!std::path::Path::new(&path).exists());
}

#[test]
fn a_datagram_that_does_not_fit_is_an_error_and_the_next_one_comes() {
    let server = bind("udp://127.0.0.1:0").unwrap();
    let client = Datagram::to(server.endpoint(), soon()).unwrap();
    let longest = vec![7; 65_507];
    client.send(&longest, soon()).unwrap();
    client.send(&longest, soon()).unwrap();
    let mut bytes = vec![0; 65_536];
    let error = server.recv(&mut bytes[..65_506], soon()).unwrap_err();
    assert_eq!(error.kind(), Kind::ResourceExhausted);
    assert!(error.message().contains("longer than 65506 bytes"), "{error}");
    assert_eq!(server.recv(&mut bytes, soon()).unwrap(), 65_507);
    let error = client.send(&[7; 65_508], soon()).unwrap_err();
    assert_eq!(error.kind(), Kind::ConfigInvalid);
}

#[test]
fn an_empty_datagram_is_a_datagram() {
    let server = bind("udp://127.0.0.1:0").unwrap();
    let client = Datagram::to(server.endpoint(), soon()).unwrap();
    client.send(b"", soon()).unwrap();
    assert_eq!(server.recv(&mut [0; 9], soon()).unwrap(), 0);
}

#[test]
fn who_sends_to_nobody_learns_so_from_the_next() {
    let gone = bind("udp://127.0.0.1:0").unwrap();
    let client = Datagram::to(gone.endpoint(), soon()).unwrap();
    drop(gone);
    client.send(b"hello?", soon()).unwrap();
    assert_eq!(client.recv(&mut [0; 9], soon()).unwrap_err().kind(), Kind::Unreachable);
}

#[test]
fn who_waits_for_a_datagram_waits_no_longer_than_they_want() {
    let server = bind("udp://127.0.0.1:0").unwrap();
    assert_eq!(server.recv(&mut [0; 9], shortly()).unwrap_err().kind(), Kind::Timeout);
}

/// The kernel says only of a socket's one peer whether there is room; others are looked at again and again.
#[test]
fn a_sender_waits_for_room_at_the_other_end() {
    let (_folder, path) = folder();
    let server = bind(format!("unixgram:{path}")).unwrap();
    let party = Party::at(server.endpoint(), None).unwrap();
    for client in
        [Datagram::to(server.endpoint(), None).unwrap(), bind(format!("unixgram:{path}.2")).unwrap()]
    {
        let mut sent = 0;
        let full = loop {
            match client.try_send(b"one", Some(&party)) {
                Ok(()) => sent += 1,
                Err(error) => break error.kind(),
            }
        };
        assert_eq!(full, ErrorKind::WouldBlock);
        assert_eq!(client.send_to(b"late", &party, shortly()).unwrap_err().kind(), Kind::Timeout);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| client.send_to(b"last", &party, soon()).unwrap());
            }
            let mut bytes = [0; 9];
            let received: usize = (0..sent + 4).map(|_| server.recv(&mut bytes, soon()).unwrap()).sum();
            assert_eq!(received, sent * b"one".len() + 4 * b"last".len());
        });
    }
}

#[test]
fn a_group_hears_what_is_sent_to_it_until_it_is_left() {
    let options = Options::default().with_reuse_port();
    let member = bind_with("udp://0.0.0.0:0", &options).unwrap();
    let Endpoint::Udp { port, .. } = *member.endpoint() else { unreachable!() };
    let group = "239.77.77.77".parse().unwrap();
    member.join(group, Some("lo")).unwrap();
    let sender = bind("udp://0.0.0.0:0").unwrap();
    sender.set_multicast(Some("lo"), 1, true).unwrap();
    let all = Party::at(format!("udp://239.77.77.77:{port}"), None).unwrap();
    sender.send_to(b"to all", &all, soon()).unwrap();
    let mut bytes = [0; 9];
    assert_eq!(member.recv(&mut bytes, soon()).unwrap(), 6);
    member.leave(group, Some("lo")).unwrap();
    sender.send_to(b"to nobody", &all, soon()).unwrap();
    assert_eq!(member.recv(&mut bytes, shortly()).unwrap_err().kind(), Kind::Timeout);
    assert!(member.join(group, Some("no such interface")).is_err());
    assert!(member.join("127.0.0.1".parse().unwrap(), None).is_err());
}

#[test]
fn everybody_is_written_to_only_if_that_was_allowed() {
    let sender = bind("udp://0.0.0.0:0").unwrap();
    let everybody = Party::at("udp://255.255.255.255:9", None).unwrap();
    let refused = sender.try_send(b"x", Some(&everybody)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    sender.set_broadcast(true).unwrap();
    // A machine without a network has nowhere to send it, which is another matter.
    let allowed = sender.try_send(b"x", Some(&everybody)).map_err(|error| error.kind());
    assert_ne!(allowed, Err(ErrorKind::PermissionDenied));
}

#[test]
fn a_datagram_can_be_awaited_and_waited_for_with_others() {
    let sockets: Vec<_> = (0..5).map(|_| bind("udp://127.0.0.1:0").unwrap()).collect();
    let all: Vec<_> =
        sockets.iter().map(|socket| (socket as &dyn anyplace::net::Waitable, Interest::Read)).collect();
    assert!(wait_any(&all, shortly()).unwrap().is_empty());
    let sender = bind("udp://127.0.0.1:0").unwrap();
    for target in [1, 3] {
        sender.send_to(b"you", &Party::at(sockets[target].endpoint(), None).unwrap(), soon()).unwrap();
    }
    assert_eq!(wait_any(&all, soon()).unwrap(), [1, 3]);
    assert_eq!(wait_any(&all, soon()).unwrap(), [1, 3], "what is ready stays ready");
    let mut bytes = [0; 9];
    let (length, from) = sockets[1].receiving_from(&mut bytes).within(LONG).unwrap().unwrap();
    assert_eq!((length, from.endpoint().as_ref()), (3, Some(sender.endpoint())));
    assert_eq!(wait_any(&all, soon()).unwrap(), [3]);
}
