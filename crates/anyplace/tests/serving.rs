//! Servers of ordinary protocols, with plain clients: sockets of the standard library.

use anyplace::net::Stream;
use anyplace::serve::{Limits, Server, Serving};
use anyplace::{Error, Kind, Place, Result, open};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

const ANY: &str = "tcp://127.0.0.1:0";
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(100);

/// A handler that gives back what it gets, as programs with blocking sockets are written.
fn echo(stream: Stream) -> Result<()> {
    let mut bytes = [0; 4096];
    loop {
        let read = stream.read(&mut bytes, None)?;
        if read == 0 {
            return Ok(());
        }
        stream.write(&bytes[..read], None)?;
    }
}

fn client(server: &Server) -> TcpStream {
    let address = server.endpoint().to_string();
    let client = TcpStream::connect(address.strip_prefix("tcp://").unwrap()).unwrap();
    client.set_read_timeout(Some(LONG)).unwrap();
    client
}

fn said(mut client: &TcpStream, message: &[u8]) -> Vec<u8> {
    client.write_all(message).unwrap();
    let mut answer = vec![0; message.len()];
    client.read_exact(&mut answer).unwrap();
    answer
}

/// Reads until the server ends the connection, however it does.
fn until_end(mut client: &TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    match client.read_to_end(&mut all) {
        Ok(_) => all,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => all,
        Err(error) => panic!("the server did not end the connection: {error}"),
    }
}

fn errors() -> (Receiver<Error>, impl Fn(Error) + Send + Sync + 'static) {
    let (tell, told): (Sender<Error>, _) = channel();
    let tell = std::sync::Mutex::new(tell);
    (told, move |error| drop(tell.lock().unwrap().send(error)))
}

fn threads(count: usize) -> Place {
    open(format!("threads:{count}")).unwrap()
}

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

#[test]
fn a_handler_has_its_connection_until_it_returns() {
    let server = Serving::connections(echo).at(ANY, &threads(2)).unwrap();
    let client = client(&server);
    assert_eq!(said(&client, b"hello"), b"hello");
    assert_eq!(said(&client, b"again"), b"again");
    client.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(until_end(&client), b"");
    server.stop(LONG).unwrap();
}

#[test]
fn a_unix_socket_is_served_as_well_and_its_file_is_gone_when_the_server_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("echo.sock");
    let server = Serving::connections(echo).at(format!("unix:{}", path.display()), &threads(1)).unwrap();
    let mut client = UnixStream::connect(&path).unwrap();
    client.write_all(b"hello").unwrap();
    let mut answer = [0; 5];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"hello");
    server.stop(LONG).unwrap();
    assert!(!path.exists());
}

#[test]
fn connections_that_say_nothing_take_no_thread() {
    let server = Serving::connections(echo).at(ANY, &threads(1)).unwrap();
    let silent: Vec<TcpStream> = (0..50).map(|_| client(&server)).collect();
    assert_eq!(said(&client(&server), b"hello"), b"hello");
    drop(silent);
    server.stop(LONG).unwrap();
}

#[test]
fn a_server_that_greets_speaks_first() {
    let greet = |stream: Stream| stream.write(b"the time", None);
    let server = Serving::connections(greet).greeting().at(ANY, &threads(1)).unwrap();
    assert_eq!(until_end(&client(&server)), b"the time");
}

#[test]
fn inline_serves_one_after_the_other() {
    let server = Serving::connections(echo).at(ANY, &open("inline:").unwrap()).unwrap();
    for message in [b"first", b"other"] {
        assert_eq!(said(&client(&server), message), message);
    }
}

#[test]
fn an_event_loop_serves_by_futures() {
    async fn shout(stream: Stream) -> Result<()> {
        let mut bytes = [0; 100];
        loop {
            let read = stream.reading(&mut bytes).await?;
            if read == 0 {
                return Ok(());
            }
            bytes.make_ascii_uppercase();
            stream.writing(&bytes[..read]).await?;
        }
    }
    let place = open("async:100").unwrap();
    let server = Serving::connections_async(shout).at(ANY, &place).unwrap();
    let clients: Vec<TcpStream> = (0..20).map(|_| client(&server)).collect();
    for message in [b"first", b"other"] {
        let shouted = message.to_ascii_uppercase();
        clients.iter().for_each(|client| assert_eq!(said(client, message), shouted));
    }
    server.stop(LONG).unwrap();

    let twice = |request: Vec<u8>| async move { request.repeat(2) };
    let serving = Serving::requests_async(twice).ending_with(b"\n").unwrap();
    let server = serving.at(ANY, &place).unwrap();
    let mut client = client(&server);
    client.write_all(b"ab\n").unwrap();
    let mut answer = [0; 5];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"abab\n");
}

#[test]
fn requests_are_answered_one_after_the_other() {
    for place in ["threads:2", "inline:"] {
        let shout = |mut request: Vec<u8>| {
            request.make_ascii_uppercase();
            request
        };
        let serving = Serving::requests(shout).ending_with(b"\r\n").unwrap();
        let server = serving.at(ANY, &open(place).unwrap()).unwrap();
        let mut client = client(&server);
        // In one go, and with one of them in pieces.
        client.write_all(b"one\r\ntwo\r\nthr").unwrap();
        let mut answer = [0; 10];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"ONE\r\nTWO\r\n");
        client.write_all(b"ee\r").unwrap();
        assert_eq!(said(&client, b"\nfour\r"), b"THREE\r");
        client.write_all(b"\n").unwrap();
        let mut answer = [0; 7];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"\nFOUR\r\n");
        server.stop(LONG).unwrap();
    }
}

#[test]
fn messages_have_their_length_in_front() {
    let server = Serving::requests(|request: Vec<u8>| request.repeat(2)).at(ANY, &threads(1)).unwrap();
    let mut client = client(&server);
    client.write_all(b"\0\0\0\x02ab\0\0\0\0").unwrap();
    let mut answer = [0; 12];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"\0\0\0\x04abab\0\0\0\0");
}

#[test]
fn a_thousand_requests_at_once_are_answered_in_order() {
    for place in ["threads:2", "inline:"] {
        let serving = Serving::requests(|request: Vec<u8>| request).ending_with(b"\n").unwrap();
        let server = serving.at(ANY, &open(place).unwrap()).unwrap();
        let client = client(&server);
        let all: Vec<u8> = (0..1000).flat_map(|n| format!("{n}\n").into_bytes()).collect();
        assert_eq!(said(&client, &all), all, "{place}");
    }
}

#[test]
fn a_handler_that_fails_costs_its_connection_and_is_reported() {
    let (told, tell) = errors();
    let fail = |stream: Stream| -> Result<(), String> {
        let mut bytes = [0; 1];
        match stream.read(&mut bytes, None) {
            Ok(1) if bytes == *b"p" => panic!("out of paper"),
            _ => Err("no more ink".to_owned()),
        }
    };
    let server = Serving::connections(fail).on_error(tell).at(ANY, &threads(1)).unwrap();
    for (message, reason) in [(b"p", "out of paper"), (b"i", "no more ink")] {
        let mut client = client(&server);
        client.write_all(message).unwrap();
        assert_eq!(until_end(&client), b"");
        let error = told.recv_timeout(LONG).unwrap();
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(error.kind(), Kind::TaskFailed);
    }
}

#[test]
fn who_connects_and_says_nothing_is_let_go_and_the_report_says_how_to_greet() {
    let (told, tell) = errors();
    let serving = Serving::connections(echo).limits(limits(|limits| limits.idle = Some(SHORT)));
    let server = serving.on_error(tell).at(ANY, &threads(1)).unwrap();
    assert_eq!(until_end(&client(&server)), b"");
    let error = told.recv_timeout(LONG).unwrap();
    assert_eq!(error.kind(), Kind::Timeout);
    assert!(error.help().unwrap().contains("greets"));
}

#[test]
fn who_keeps_a_handler_waiting_is_cut_off() {
    let (told, tell) = errors();
    let serving = Serving::connections(echo).limits(limits(|limits| limits.idle = Some(SHORT)));
    let server = serving.on_error(tell).at(ANY, &threads(1)).unwrap();
    let slow = client(&server);
    assert_eq!(said(&slow, b"a"), b"a");
    assert_eq!(until_end(&slow), b"");
    assert_eq!(told.recv_timeout(LONG).unwrap().kind(), Kind::Timeout);
    assert_eq!(said(&client(&server), b"next"), b"next");
}

#[test]
fn who_does_not_take_what_it_is_sent_is_cut_off() {
    let (told, tell) = errors();
    let flood = |stream: Stream| while stream.write(&[0; 1 << 16], None).is_ok() {};
    let serving = Serving::connections(flood).greeting();
    let server = serving
        .limits(limits(|limits| limits.idle = Some(SHORT)))
        .on_error(tell)
        .at(ANY, &threads(1))
        .unwrap();
    let _deaf = client(&server);
    assert_eq!(told.recv_timeout(LONG).unwrap().kind(), Kind::Timeout);
    server.stop(LONG).unwrap();
}

/// A byte now and then, for ever: each one comes in time, all of them do not.
#[test]
fn a_request_that_trickles_is_given_up() {
    let (told, tell) = errors();
    let serving = Serving::requests(|request: Vec<u8>| request).ending_with(b"\n").unwrap();
    let serving = serving.limits(limits(|limits| limits.arrival = Some(3 * SHORT))).on_error(tell);
    let server = serving.at(ANY, &threads(1)).unwrap();
    let mut slow = client(&server);
    slow.set_read_timeout(Some(SHORT / 5)).unwrap();
    let began = Instant::now();
    let ended = loop {
        let sent = slow.write_all(b"a");
        let mut nothing = [0; 1];
        match slow.read(&mut nothing) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            _ => break Instant::now(),
        }
        if sent.is_err() {
            break Instant::now();
        }
    };
    assert!(ended - began >= 3 * SHORT);
    assert!(told.recv_timeout(LONG).unwrap().to_string().contains("did not arrive in time"));
    assert_eq!(said(&client(&server), b"quick\n"), b"quick\n");
}

#[test]
fn a_connection_that_lasts_too_long_is_ended() {
    let serving = Serving::connections(echo).limits(limits(|limits| limits.longest = Some(3 * SHORT)));
    let server = serving.at(ANY, &threads(1)).unwrap();
    let client = client(&server);
    let began = Instant::now();
    assert_eq!(said(&client, b"a"), b"a");
    assert_eq!(until_end(&client), b"");
    assert!(began.elapsed() >= 3 * SHORT);
}

#[test]
fn a_request_that_is_too_large_is_refused_before_it_is_there() {
    for (ends, start) in [(&b"\n"[..], &[b'a'; 101][..]), (b"", b"\x7f\xff\xff\xff")] {
        let (told, tell) = errors();
        let mut serving =
            Serving::requests(|request: Vec<u8>| request).limits(limits(|limits| limits.request = 100));
        if !ends.is_empty() {
            serving = serving.ending_with(ends).unwrap();
        }
        let server = serving.on_error(tell).at(ANY, &threads(1)).unwrap();
        let mut greedy = client(&server);
        greedy.write_all(start).unwrap();
        assert_eq!(until_end(&greedy), b"");
        let error = told.recv_timeout(LONG).unwrap();
        assert_eq!(error.kind(), Kind::ResourceExhausted);
        assert!(error.to_string().contains("more than 100 bytes"), "{error}");
    }
}

#[test]
fn one_connection_more_than_may_be_waits_its_turn() {
    let serving = Serving::connections(echo).limits(limits(|limits| limits.connections = 2));
    let server = serving.at(ANY, &threads(4)).unwrap();
    let (first, second) = (client(&server), client(&server));
    assert_eq!(said(&first, b"first"), b"first");
    assert_eq!(said(&second, b"other"), b"other");
    let mut third = client(&server);
    third.write_all(b"third").unwrap();
    third.set_read_timeout(Some(SHORT)).unwrap();
    let mut answer = [0; 5];
    assert!(third.read_exact(&mut answer).is_err(), "there was no room for it");
    assert_eq!(server.connections(), 2);
    drop(first);
    third.set_read_timeout(Some(LONG)).unwrap();
    third.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"third");
}

#[test]
fn stopping_lets_clients_go_that_have_nothing_under_way() {
    let server = Serving::connections(echo).at(ANY, &threads(4)).unwrap();
    let (silent, resting) = (client(&server), client(&server));
    assert_eq!(said(&resting, b"done"), b"done");
    let began = Instant::now();
    server.stop(LONG).unwrap();
    assert!(began.elapsed() < LONG);
    assert_eq!((until_end(&silent), until_end(&resting)), (vec![], vec![]));
    let address = server.endpoint().to_string();
    let error = TcpStream::connect(address.strip_prefix("tcp://").unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn stopping_lets_what_runs_end() {
    let (go_on, told) = channel::<()>();
    let told = std::sync::Mutex::new(told);
    let work = move |request: Vec<u8>| {
        told.lock().unwrap().recv().unwrap();
        request
    };
    let serving = Serving::requests(work).ending_with(b"\n").unwrap();
    let server = serving.at(ANY, &threads(1)).unwrap();
    let mut client = client(&server);
    client.write_all(b"long\n").unwrap();
    while server.connections() == 0 {
        std::thread::yield_now();
    }
    server.begin_stop(LONG);
    assert!(server.is_stopping());
    assert!(server.wait(Some(Instant::now() + SHORT)).is_none(), "it runs");
    go_on.send(()).unwrap();
    assert_eq!(until_end(&client), b"long\n");
    server.wait(None).unwrap().unwrap();
}

#[test]
fn stopping_cuts_off_what_does_not_end_in_time_and_at_once_when_asked_again() {
    let (tell, told) = channel();
    let tell = std::sync::Mutex::new(tell);
    // Half of something has come: the handler waits for the rest.
    let half = move |stream: Stream| -> Result<()> {
        let mut byte = [0; 1];
        stream.read(&mut byte, None)?;
        tell.lock().unwrap().send(()).unwrap();
        stream.read(&mut byte, None).map(drop)
    };
    let serving = Serving::connections(half);
    let begun = || {
        let server = serving.clone().at(ANY, &threads(1)).unwrap();
        let mut client = client(&server);
        client.write_all(b"a").unwrap();
        told.recv_timeout(LONG).unwrap();
        (server, client, Instant::now())
    };
    let (server, _client, began) = begun();
    server.stop(3 * SHORT).unwrap();
    assert!(began.elapsed() >= 3 * SHORT && began.elapsed() < LONG / 2);

    let (server, _client, began) = begun();
    server.begin_stop(LONG);
    server.stop(LONG).unwrap();
    assert!(began.elapsed() < LONG / 2);
}

#[test]
fn a_server_that_is_dropped_is_gone() {
    let place = threads(1);
    let server = Serving::connections(echo).at(ANY, &place).unwrap();
    let client = client(&server);
    assert_eq!(said(&client, b"a"), b"a");
    drop(server);
    assert_eq!(until_end(&client), b"");
    place.close().unwrap();
}

#[test]
fn many_clients_are_served_by_few_threads() {
    let serving = Serving::requests(|request: Vec<u8>| request).ending_with(b"\n").unwrap();
    let server = serving.at(ANY, &threads(2)).unwrap();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let clients: Vec<TcpStream> = (0..10).map(|_| client(&server)).collect();
            scope.spawn(move || {
                for round in 0..20 {
                    let message = format!("{number} {round}\n").into_bytes();
                    clients.iter().for_each(|client| assert_eq!(said(client, &message), message));
                }
            });
        }
    });
    server.stop(LONG).unwrap();
}
