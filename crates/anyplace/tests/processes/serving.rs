//! Connections that are handed to worker processes.

use anyplace::net::Stream;
use anyplace::serve::{Limits, Server, Serving};
use anyplace::{Kind, Result, open};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

crate::trials! { "serving":
    connections_go_to_worker_processes,
    requests_are_answered_by_worker_processes,
    a_killed_worker_costs_its_connections_and_no_others,
    nothing_of_a_connection_stays_open_in_its_worker,
    stopping_ends_what_workers_serve,
    stopping_lets_clients_of_workers_go_that_have_nothing_under_way,
    who_keeps_a_worker_waiting_is_cut_off,
}

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(100);

/// Tells which process serves, then gives back what it gets.
#[anyplace::task]
fn echo(stream: Stream) -> std::result::Result<(), String> {
    serve(&stream).map_err(|error| error.to_string())
}

fn serve(stream: &Stream) -> Result<()> {
    stream.write(&std::process::id().to_be_bytes(), None)?;
    let mut bytes = [0; 4096];
    loop {
        let read = stream.read(&mut bytes, None)?;
        if read == 0 {
            return Ok(());
        }
        stream.write(&bytes[..read], None)?;
    }
}

#[anyplace::task]
fn whose(request: Vec<u8>) -> Vec<u8> {
    [&request, &b" "[..], std::process::id().to_string().as_bytes()].concat()
}

fn client(server: &Server) -> TcpStream {
    let address = server.endpoint().to_string();
    let client = TcpStream::connect(address.strip_prefix("tcp://").unwrap()).unwrap();
    client.set_read_timeout(Some(LONG)).unwrap();
    client
}

fn said<const N: usize>(client: &mut TcpStream, message: &[u8]) -> [u8; N] {
    client.write_all(message).unwrap();
    let mut answer = [0; N];
    client.read_exact(&mut answer).unwrap();
    answer
}

/// A client that is served, and by which process.
fn served(server: &Server) -> (TcpStream, u32) {
    let mut client = client(server);
    let worker = said::<4>(&mut client, b"a");
    assert_eq!(&said::<1>(&mut client, b""), b"a");
    (client, u32::from_be_bytes(worker))
}

fn until_end(client: &mut TcpStream) {
    match client.read_to_end(&mut Vec::new()) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the connection did not end: {error}"),
    }
}

fn connections_go_to_worker_processes() -> Result<()> {
    let place = open("processes:2")?;
    let server = Serving::connections(echo).at("tcp://127.0.0.1:0", &place)?;
    let ((mut one, first), (mut two, second)) = (served(&server), served(&server));
    assert!(first != std::process::id() && first != second, "each has a worker to itself");
    assert_eq!(&said::<5>(&mut one, b"hello"), b"hello");
    assert_eq!(&said::<5>(&mut two, b"there"), b"there");
    one.shutdown(std::net::Shutdown::Write).unwrap();
    until_end(&mut one);
    let (_three, third) = served(&server);
    assert_eq!(third, first, "the idle worker serves the next");
    server.stop(SHORT)
}

fn requests_are_answered_by_worker_processes() -> Result<()> {
    let place = open("processes:2")?;
    let server = Serving::requests(whose).ending_with(b"\n")?.at("tcp://127.0.0.1:0", &place)?;
    let mut client = client(&server);
    client.write_all(b"one\ntwo\n").unwrap();
    let mut answers = String::new();
    while answers.lines().count() < 2 || !answers.ends_with('\n') {
        let mut byte = [0; 1];
        client.read_exact(&mut byte).unwrap();
        answers.push(byte[0].into());
    }
    let mut lines = answers.lines();
    assert!(lines.next().unwrap().starts_with("one ") && lines.next().unwrap().starts_with("two "));
    assert!(!answers.contains(&std::process::id().to_string()));
    server.stop(LONG)
}

fn a_killed_worker_costs_its_connections_and_no_others() -> Result<()> {
    let place = open("processes:2")?;
    let (tell, told) = channel();
    let tell = std::sync::Mutex::new(tell);
    let serving = Serving::connections(echo).on_error(move |error| drop(tell.lock().unwrap().send(error)));
    let server = serving.at("tcp://127.0.0.1:0", &place)?;
    let ((mut one, worker), (mut two, _)) = (served(&server), served(&server));
    let pid = rustix::process::Pid::from_raw(worker.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    until_end(&mut one);
    assert_eq!(told.recv_timeout(LONG).unwrap().kind(), Kind::WorkerLost);
    assert_eq!(&said::<5>(&mut two, b"still"), b"still");
    let (_three, next) = served(&server);
    assert_ne!(next, worker, "it was replaced");
    server.stop(SHORT)
}

/// How many sockets this process has open.
#[anyplace::task]
fn sockets() -> usize {
    let fds = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = fds.filter_map(|fd| std::fs::read_link(fd.unwrap().path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

fn nothing_of_a_connection_stays_open_in_its_worker() -> Result<()> {
    let place = open("processes:1")?;
    let server = Serving::connections(echo).at("tcp://127.0.0.1:0", &place)?;
    let before = place.submit(sockets, ())?.wait()?;
    for _ in 0..20 {
        served(&server);
    }
    assert_eq!(place.submit(sockets, ())?.wait()?, before);
    server.stop(LONG)
}

fn stopping_lets_clients_of_workers_go_that_have_nothing_under_way() -> Result<()> {
    let place = open("processes:1")?;
    let server = Serving::connections(echo).at("tcp://127.0.0.1:0", &place)?;
    let (mut client, _) = served(&server);
    let began = Instant::now();
    server.stop(LONG)?;
    assert!(began.elapsed() < LONG / 2);
    until_end(&mut client);
    Ok(())
}

fn who_keeps_a_worker_waiting_is_cut_off() -> Result<()> {
    let place = open("processes:1")?;
    let mut limits = Limits::default();
    limits.idle = Some(SHORT);
    let server = Serving::connections(echo).limits(limits).at("tcp://127.0.0.1:0", &place)?;
    let (mut slow, _) = served(&server);
    until_end(&mut slow);
    served(&server);
    server.stop(LONG)
}

fn stopping_ends_what_workers_serve() -> Result<()> {
    let place = open("processes:1")?;
    let server = Serving::connections(echo).at("tcp://127.0.0.1:0", &place)?;
    let (mut client, _) = served(&server);
    server.stop(SHORT)?;
    until_end(&mut client);
    place.close()
}
