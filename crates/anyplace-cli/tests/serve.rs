//! `anyplace serve`: the real command offers a place, and the real command uses it from another process.
#![allow(clippy::disallowed_methods, reason = "each test is a real run of the real command")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use anyplace::serve::objects::{Answer, Object, Request};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

/// A user with keys of their own.
struct User(TempDir);

/// A place that is served; it is killed if the test fails before its end.
struct Served {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: String,
}

impl User {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anyplace"));
        command.args(words).env("XDG_CONFIG_HOME", self.0.path()).env_remove("ANYPLACE").stdin(Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// Serves a place without Python, and waits until it says where.
    fn serve(&self, endpoint: &str, words: &[&str]) -> Served {
        let mut command = self.command(&["serve", endpoint, "--python", "/nonexistent/python"]);
        command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut address = String::new();
        stdout.read_line(&mut address).unwrap();
        Served { child, stdout, address: address.trim_end().to_owned() }
    }
}

impl Served {
    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end; gives what it said on both its outputs, but for the address.
    fn ends(&mut self) -> (ExitStatus, String, String) {
        let (mut out, mut err) = (String::new(), String::new());
        self.stdout.read_to_string(&mut out).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (self.child.wait().unwrap(), out, err)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It has ended already, unless the test has failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Waits for an event that another process brings about.
fn until(mut event: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !event() {
        assert!(begun.elapsed() < PATIENCE, "it did not happen");
        std::thread::yield_now();
    }
}

#[test]
fn commands_run_in_the_place_whose_address_was_printed() {
    let (server, client) = (User::new(), User::new());
    for endpoint in [format!("unix:{}", server.path("place.sock")), "tcp://127.0.0.1:0".to_owned()] {
        let mut served = server.serve(&endpoint, &["--on", "processes:2"]);
        assert!(!served.address.contains("***"), "the ticket is there to be used");
        let map = ["map", "--on", &served.address, "-k", "echo got {}", ":::", "one", "two", "three"];
        let output = client.run(&map);
        assert_eq!(text(&output.stdout), "got one\ngot two\ngot three\n", "{}", text(&output.stderr));
        assert!(output.status.success());
        served.signal("-TERM");
        let (status, out, err) = served.ends();
        assert_eq!((status.code(), out.as_str(), err.as_str()), (Some(0), "", ""));
    }
    assert!(!Path::new(&server.path("place.sock")).exists(), "nothing is left");
}

#[test]
fn a_client_has_as_much_as_it_is_given() {
    let (server, client) = (User::new(), User::new());
    let words = ["--on", "processes:1", "--limits", "message=32KiB"];
    let mut served = server.serve("tcp://127.0.0.1:0", &words);
    let map = |input: &str| client.run(&["map", "--on", &served.address, "echo {}", ":::", input]);
    let short = map("short");
    assert_eq!(text(&short.stdout), "short\n", "{}", text(&short.stderr));
    let refused = map(&"x".repeat(1 << 16));
    assert!(!refused.status.success());
    assert!(text(&refused.stderr).contains("32768 bytes"), "{}", text(&refused.stderr));
    served.signal("-TERM");
    assert_eq!(served.ends().0.code(), Some(0));

    let wrong = server.run(&["serve", "tcp://127.0.0.1:0", "--limits", "array=1"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("did you mean `arrays`?"), "{}", text(&wrong.stderr));
}

#[test]
fn the_first_signal_lets_what_runs_end() {
    let user = User::new();
    let mut served = user.serve(&format!("unix:{}", user.path("place.sock")), &["--on", "processes:1"]);
    let (begun, gate) = (user.path("begun"), user.path("gate"));
    let script = format!(": {{}}; touch {begun}; while [ ! -e {gate} ]; do sleep 0.01; done; echo done");
    let mut map = user.command(&["map", "--on", &served.address, &script, ":::", "once"]);
    let map = map.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until(|| Path::new(&begun).exists());
    served.signal("-TERM");
    // It lets nobody in any more, and is still there for whom it has let in.
    until(|| UnixStream::connect(user.path("place.sock")).is_err());
    assert!(served.child.try_wait().unwrap().is_none());
    std::fs::write(&gate, "").unwrap();
    let output = map.wait_with_output().unwrap();
    assert_eq!(text(&output.stdout), "done\n", "{}", text(&output.stderr));
    assert_eq!(served.ends().0.code(), Some(0));
}

#[test]
fn the_second_signal_ends_what_runs() {
    use std::os::unix::process::ExitStatusExt;
    let user = User::new();
    let mut served = user.serve(&format!("unix:{}", user.path("place.sock")), &["--on", "processes:1"]);
    let begun = user.path("begun");
    let script = format!(": {{}}; touch {begun}; sleep 1000");
    let map = user.command(&["map", "--on", &served.address, &script, ":::", "once"]);
    let map = { map }.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    until(|| Path::new(&begun).exists());
    served.signal("-TERM");
    until(|| UnixStream::connect(user.path("place.sock")).is_err());
    served.signal("-TERM");
    assert_eq!(served.ends().0.signal(), Some(15));
    let output = map.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "a job that was cancelled there was not done");
    assert!(text(&output.stderr).contains("ended on request"), "{}", text(&output.stderr));
}

/// What a client of ours publishes there.
struct Greeter;

impl Object for Greeter {
    fn ask(&self, request: &Request<'_>) -> anyplace::Result<Answer> {
        Answer::of(&format!("hello {}", request.arguments::<String>()?))
    }
}

#[test]
fn names_are_printed_a_line_each() {
    let user = User::new();
    let mut served = user.serve(&format!("unix:{}", user.path("place.sock")), &["--on", "threads:1"]);
    assert_eq!(text(&user.run(&["names", &served.address]).stdout), "");
    let place = anyplace::open(served.address.as_str()).unwrap();
    place.publish("greeter", Greeter).unwrap();
    place.publish("a clerk", Greeter).unwrap();
    assert_eq!(text(&user.run(&["names", &served.address]).stdout), "a clerk\ngreeter\n");
    let json = user.run(&["names", "--json", &served.address]);
    assert_eq!(text(&json.stdout).lines().next(), Some(r#"{"name":"a clerk","v":1}"#));
    place.close().unwrap();
    until(|| user.run(&["names", &served.address]).stdout.is_empty());
    served.signal("-TERM");
    assert_eq!(served.ends().0.code(), Some(0));
}

/// Whoever speaks another language than ours at the port is let go, and others are still served.
#[test]
fn strangers_at_the_port_change_nothing() {
    let user = User::new();
    let mut served = user.serve("tcp://127.0.0.1:0", &["--on", "processes:1"]);
    let port = served.address.split(['#', '?']).next().unwrap().trim_start_matches("tcp://").to_owned();
    let mut stranger = TcpStream::connect(&port).unwrap();
    stranger.set_read_timeout(Some(PATIENCE)).unwrap();
    stranger.write_all(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // It may end the connection with what it has not read still in it.
    drop(stranger.read_to_end(&mut answer));
    assert!(!answer.starts_with(b"HTTP"));
    let output = user.run(&["map", "--on", &served.address, "echo {}", ":::", "still"]);
    assert_eq!(text(&output.stdout), "still\n", "{}", text(&output.stderr));
    served.signal("-TERM");
    assert_eq!(served.ends().0.code(), Some(0));
}
