//! Where a connection goes, and what is said when it goes nowhere.

use crate::{folder, shortly, soon};
use anyplace::net::{Endpoint, Keepalive, Options, connect, connect_with, listen};
use anyplace::{Kind, Retry};
use rustix::net::{AddressFamily, SocketType, sockopt};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// A port where nobody listens, and nobody will.
fn closed_port() -> (rustix::fd::OwnedFd, u16) {
    let held = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&held, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = SocketAddr::try_from(rustix::net::getsockname(&held).unwrap()).unwrap();
    (held, address.port())
}

#[test]
fn a_name_is_tried_at_each_of_its_addresses() {
    // `localhost` has two, and only one of them is listened at.
    for host in ["127.0.0.1", "[::1]"] {
        let listener = listen(format!("tcp://{host}:0")).unwrap();
        let Endpoint::Tcp { port, .. } = *listener.endpoint() else { unreachable!() };
        let stream = connect(format!("tcp://localhost:{port}"), soon());
        match stream {
            Ok(stream) => assert_eq!(stream.peer().unwrap().as_ref(), Some(listener.endpoint())),
            // A machine whose `localhost` has no IPv6.
            Err(error) => assert!(host == "[::1]" && !error.message().contains("::1"), "{error}"),
        }
    }
}

#[test]
fn a_refusal_says_where_and_what_to_do() {
    let (_held, port) = closed_port();
    let error = connect(format!("tcp://127.0.0.1:{port}"), soon()).unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Unreachable, Retry::Safe));
    assert!(error.message().contains(&format!("`tcp://127.0.0.1:{port}`")), "{error}");
    assert!(error.help().is_some());
}

#[test]
fn a_name_that_nobody_has_is_unreachable() {
    let error = connect("tcp://nobody.invalid:80", soon()).unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
}

#[test]
fn a_file_that_is_not_there_is_unreachable() {
    let (_folder, path) = folder();
    let error = connect(format!("unix:{path}"), soon()).unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Unreachable, Retry::Safe));
}

#[test]
fn an_address_that_never_answers_costs_no_more_than_the_deadline() {
    // Listened at, with room for one, which is taken: the kernel drops who knocks.
    let options = Options::default().with_backlog(0);
    let full = anyplace::net::listen_with("tcp://127.0.0.1:0", &options).unwrap();
    let mut taken = vec![];
    let error = loop {
        let deadline = Some(Instant::now() + Duration::from_millis(200));
        match connect(full.endpoint(), deadline) {
            Ok(stream) => taken.push(stream),
            Err(error) => break error,
        }
        assert!(taken.len() < 10);
    };
    assert_eq!((error.kind(), error.retry()), (Kind::Timeout, Retry::Safe));
    assert!(error.message().contains("no answer"), "{error}");
}

#[test]
fn who_knocks_at_a_full_unix_socket_waits_for_room() {
    let (_folder, path) = folder();
    let options = Options::default().with_backlog(0);
    let full = anyplace::net::listen_with(format!("unix:{path}"), &options).unwrap();
    let first = connect(full.endpoint(), soon()).unwrap();
    let error = connect(full.endpoint(), shortly()).unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
    let second = std::thread::spawn({
        let endpoint = full.endpoint().clone();
        move || connect(endpoint, soon()).unwrap()
    });
    let accepted = [full.accept(soon()).unwrap(), full.accept(soon()).unwrap()];
    drop((first, second.join().unwrap(), accepted));
}

/// Where nobody listens, the system may give a connection that very port.
#[test]
fn nobody_connects_to_themselves() {
    let (held, port) = closed_port();
    drop(held);
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let options = Options::default().from(here);
    let error = connect_with(format!("tcp://{here}"), &options, soon()).unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
}

#[test]
fn options_are_what_the_socket_has() {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let keepalive = Keepalive { idle: Duration::from_secs(7), ..Keepalive::default() };
    let options = Options::default().with_keepalive(keepalive).with_user_timeout(Duration::from_secs(9));
    let here = connect_with(listener.endpoint(), &options, soon()).unwrap();
    assert_eq!(sockopt::tcp_keepidle(&here).unwrap(), Duration::from_secs(7));
    assert_eq!(sockopt::tcp_keepintvl(&here).unwrap(), Duration::from_secs(5));
    assert_eq!(sockopt::tcp_user_timeout(&here).unwrap(), 9000);
    assert!(sockopt::tcp_nodelay(&here).unwrap());
    // Whoever is accepted has what was said of the listener.
    let there = listener.accept(soon()).unwrap();
    assert!(sockopt::socket_keepalive(&there).unwrap() && sockopt::tcp_nodelay(&there).unwrap());
    assert_eq!(sockopt::tcp_keepcnt(&there).unwrap(), 3);
    let none = Options::default().with_keepalive(None).with_user_timeout(None);
    let here = connect_with(listener.endpoint(), &none, soon()).unwrap();
    assert!(!sockopt::socket_keepalive(&here).unwrap());
}

#[test]
fn a_stream_comes_from_where_it_was_asked_to() {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let options = Options::default().from("127.0.0.77:0".parse().unwrap());
    let here = connect_with(listener.endpoint(), &options, soon()).unwrap();
    assert!(here.local().unwrap().unwrap().to_string().starts_with("tcp://127.0.0.77:"));
}

#[test]
fn what_is_no_stream_is_no_stream() {
    let error = connect("udp://127.0.0.1:9", soon()).unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
}
