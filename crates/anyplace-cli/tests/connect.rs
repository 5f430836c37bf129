//! `anyplace connect`: the real command, at sockets of ours and of foreign programs.
#![allow(clippy::disallowed_methods, reason = "each test is a real run of the real command")]

use anyplace::net::{Endpoint, Listener, Stream, bind, connect, listen};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

fn soon() -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs(20))
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anyplace"));
    command
        .arg("connect")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn start(arguments: &[&str]) -> Child {
    command(arguments).spawn().unwrap()
}

/// Writes all of the standard input, ends it, and waits for the end.
fn talk(mut child: Child, input: &[u8]) -> Output {
    let mut stdin = child.stdin.take().unwrap();
    thread::scope(|scope| {
        // The other end may not want all of it.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    })
}

fn error(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A server that reads to the end, then answers with the reverse and ends.
fn reverse(listener: Listener) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let stream = listener.accept(soon()).unwrap();
        let mut heard = stream.read_to_end(usize::MAX, soon()).unwrap();
        heard.reverse();
        stream.write(&heard, soon()).unwrap();
        stream.close(soon()).unwrap();
    })
}

#[test]
fn the_answer_comes_after_the_end_of_the_question() {
    let folder = tempfile::tempdir().unwrap();
    let question: Vec<u8> = (0..=255).cycle().take(3 << 20).collect();
    for endpoint in ["tcp://127.0.0.1:0", &format!("unix:{}/socket", folder.path().display())] {
        let listener = listen(endpoint).unwrap();
        let child = start(&[&listener.endpoint().to_string()]);
        let server = reverse(listener);
        let output = talk(child, &question);
        server.join().unwrap();
        assert_eq!((output.status.code(), error(&output).as_str()), (Some(0), ""));
        assert!(output.stdout.iter().rev().eq(&question));
    }
}

#[test]
fn a_file_is_sent_from_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, b"skipped, sent").unwrap();
    let mut file = File::open(path).unwrap();
    file.read_exact(&mut [0; 9]).unwrap();
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let mut command = command(&[&listener.endpoint().to_string()]);
    let child = command.stdin(file).spawn().unwrap();
    reverse(listener).join().unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"tnes");
}

/// Somebody may still hold our standard input open, such as a terminal.
#[test]
fn it_ends_when_the_other_end_has_although_more_could_be_said() {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let mut child = start(&[&listener.endpoint().to_string()]);
    let held = child.stdin.take();
    let stream = listener.accept(soon()).unwrap();
    stream.write(b"goodbye", soon()).unwrap();
    stream.finish(soon()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), &b"goodbye"[..]));
    drop(held);
}

#[test]
fn a_lost_connection_is_an_error() {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let child = start(&[&listener.endpoint().to_string()]);
    listener.accept(soon()).unwrap().abort();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(255));
    assert!(error(&output).contains("help:"), "{}", error(&output));
}

#[test]
fn where_nobody_listens_an_error_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let output = talk(start(&[&format!("unix:{}/nobody", folder.path().display())]), b"");
    assert_eq!(output.status.code(), Some(255));
    assert!(error(&output).contains("No such file"), "{}", error(&output));
    let output = talk(start(&["ftp://host:21"]), b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(error(&output).contains("tcp://host:port"), "{}", error(&output));
}

#[test]
fn an_end_that_stays_silent_may_be_left() {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let mut child = start(&["--idle", "50ms", &listener.endpoint().to_string()]);
    let held = child.stdin.take();
    let _stream = listener.accept(soon()).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    drop(held);
}

#[test]
fn a_reader_that_has_seen_enough_ends_it() {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let mut child = start(&[&listener.endpoint().to_string()]);
    let stream = listener.accept(soon()).unwrap();
    drop(child.stdout.take());
    while stream.write(b"more", soon()).is_ok() {}
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn ctrl_c_ends_it_by_the_signal() {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let mut child = start(&[&listener.endpoint().to_string()]);
    let stream = listener.accept(soon()).unwrap();
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().signal(), Some(2));
    assert_eq!(stream.read(&mut [0], soon()).unwrap(), 0);
}

#[test]
fn what_is_read_at_once_is_a_datagram() {
    let server = bind("udp://127.0.0.1:0").unwrap();
    let child = start(&["--idle", "200ms", &server.endpoint().to_string()]);
    let answering = thread::spawn(move || {
        let mut bytes = [0; 99];
        let (length, from) = server.recv_from(&mut bytes, soon()).unwrap();
        bytes[..length].reverse();
        server.send_to(&bytes[..length], &from, soon()).unwrap();
    });
    let output = talk(child, b"abc");
    answering.join().unwrap();
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), &b"cba"[..]));
}

/// Waits until somebody listens: a foreign program does not say when.
fn reached(endpoint: &str) -> Stream {
    let until = soon();
    loop {
        match connect(endpoint, until) {
            Ok(stream) => return stream,
            Err(error) => assert!(Instant::now() < until.unwrap(), "{error}"),
        }
    }
}

#[test]
fn netcat_hears_it_and_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = format!("unix:{}/nc", folder.path().display());
    // It takes one connection after another, so that we see when it listens.
    let mut netcat = Command::new("nc");
    netcat.args(["-lkU", &endpoint["unix:".len()..]]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut netcat = netcat.spawn().unwrap();
    drop(reached(&endpoint));
    let mut child = start(&[&endpoint]);
    child.stdin.as_mut().unwrap().write_all(b"from anyplace\n").unwrap();
    let mut heard = [0; 14];
    netcat.stdout.as_mut().unwrap().read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"from anyplace\n");
    netcat.stdin.as_mut().unwrap().write_all(b"from netcat\n").unwrap();
    let mut heard = [0; 12];
    child.stdout.as_mut().unwrap().read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"from netcat\n");
    netcat.kill().unwrap();
    netcat.wait().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn netcat_is_heard_by_our_listener_and_hears_it() {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let Endpoint::Tcp { port, .. } = *listener.endpoint() else { unreachable!() };
    let mut netcat = Command::new("nc");
    netcat.args(["-N", "127.0.0.1", &port.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let netcat = netcat.spawn().unwrap();
    let server = reverse(listener);
    assert_eq!(talk(netcat, b"half-close").stdout, b"esolc-flah");
    server.join().unwrap();
}

/// As a server of the web would, to a foreign client: a request is read up to its empty line, and answered.
#[test]
fn curl_gets_an_answer_from_our_listener() {
    let listener = listen("tcp://127.0.0.1:0").unwrap();
    let Endpoint::Tcp { port, .. } = *listener.endpoint() else { unreachable!() };
    let server = thread::spawn(move || {
        let stream = listener.accept(soon()).unwrap();
        let request = stream.read_until(b"\r\n\r\n", 8192, soon()).unwrap();
        assert!(request.starts_with(b"GET /greeting HTTP/1.1\r\n"));
        stream
            .write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", soon())
            .unwrap();
        stream.close(soon()).unwrap();
    });
    let url = format!("http://127.0.0.1:{port}/greeting");
    let output =
        Command::new("curl").args(["-sS", "--noproxy", "*", "--max-time", "20", &url]).output().unwrap();
    server.join().unwrap();
    assert_eq!((&output.stdout[..], error(&output).as_str()), (&b"hello"[..], ""));
}
