//! What `anyplace send` and `anyplace receive` promise: the real command at both ends, real files, real signals.
#![allow(clippy::disallowed_methods, reason = "each test is a real run of the real command")]

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);

const MIB: usize = 1 << 20;

/// A folder with all that a test needs, the keys of two users among it.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file with bytes that are nowhere the same.
    fn file(&self, name: &str, length: usize) -> PathBuf {
        let mut state = 7_u64;
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            bytes.extend(state.to_le_bytes());
        }
        bytes.truncate(length);
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    fn command(&self, user: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anyplace"));
        command.stdin(Stdio::null()).env("XDG_CONFIG_HOME", self.path(user)).current_dir(self.0.path());
        command
    }

    /// Receives in the folder `in`, as another user than the one who sends.
    fn receive(&self, arguments: &[&str]) -> Receiver {
        let mut command = self.command("receiver's keys");
        command.arg("receive").args(arguments).arg(self.path("in"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Receiver { child, address: address.trim().to_owned() }
    }

    fn send_command(&self, files: &[&Path], address: &str) -> Command {
        let mut command = self.command("sender's keys");
        command.arg("send").args(files).arg(address);
        command
    }

    fn send(&self, files: &[&Path], address: &str) -> Output {
        self.send_command(files, address).output().unwrap()
    }

    fn arrived(&self, name: &str) -> Vec<u8> {
        fs::read(self.path("in").join(name)).unwrap()
    }
}

struct Receiver {
    child: Child,
    address: String,
}

impl Receiver {
    /// How it ended, and what it said.
    fn end(mut self) -> (ExitStatus, String) {
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap(), said)
    }

    fn signal(&self, signal: &str) {
        kill(&self.child, signal);
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn kill(child: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Waits for an event that another process brings about, and never longer than a test may hang.
fn until(mut event: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !event() {
        assert!(begun.elapsed() < PATIENCE, "it did not happen");
        std::thread::yield_now();
    }
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |state| state.len())
}

#[test]
fn files_and_folders_arrive_and_both_ends_end() {
    let home = Home::new();
    let large = home.file("large", 5 * MIB + 1);
    fs::create_dir_all(home.path("folder/inner")).unwrap();
    home.file("folder/inner/small", 10);
    let receiver = home.receive(&["tcp://127.0.0.1:0"]);
    let sent = home.send(&[&large, &home.path("folder")], &receiver.address);
    let (status, received) = receiver.end();
    assert_eq!((sent.status.code(), status.code()), (Some(0), Some(0)), "{} {received}", said(&sent));
    assert!(said(&sent).starts_with("sent 2 files in 2 new folders, 5.0 MiB in "), "{}", said(&sent));
    assert!(received.starts_with("received 2 files in 2 new folders, 5.0 MiB in "), "{received}");
    assert!(home.arrived("large") == fs::read(&large).unwrap());
    assert_eq!(home.arrived("folder/inner/small").len(), 10);
    assert!(!received.contains("ap1.") && !said(&sent).contains("ap1."), "a ticket is a secret");
}

#[test]
fn processes_of_one_user_need_no_ticket() {
    let home = Home::new();
    let file = home.file("file", 100);
    let socket = format!("unix:{}", home.path("socket").display());
    let receiver = home.receive(&[&socket]);
    assert_eq!(receiver.address, socket);
    assert!(home.send(&[&file], &socket).status.success());
    assert!(receiver.end().0.success());
    assert_eq!(home.arrived("file").len(), 100);
    assert!(!home.path("socket").exists());
}

#[test]
fn nobody_sends_without_a_ticket_or_by_one_that_is_spent() {
    let home = Home::new();
    let file = home.file("file", 100);
    let receiver = home.receive(&["tcp://127.0.0.1:0"]);
    let (bare, _) = receiver.address.split_once('#').unwrap();
    let refused = home.send(&[&file], bare);
    assert_eq!(refused.status.code(), Some(255));
    assert!(said(&refused).contains("is not known here"), "{}", said(&refused));
    assert!(home.send(&[&file], &receiver.address).status.success());
    assert!(receiver.end().0.success());

    // The first sender may come again, even without; a second may not come by the same ticket.
    let receiver = home.receive(&["--keep", "--no-ticket", "tcp://127.0.0.1:0"]);
    assert!(!receiver.address.contains('#'));
    let mut stranger = home.command("stranger's keys");
    let refused = stranger.arg("send").arg(&file).arg(&receiver.address).output().unwrap();
    assert_eq!(refused.status.code(), Some(255), "{}", said(&refused));
}

#[test]
fn a_ticket_for_files_is_good_for_nothing_else() {
    let home = Home::new();
    let receiver = home.receive(&["tcp://127.0.0.1:0"]);
    let output = home.command("receiver's keys").args(["keys", "list", "--json"]).output().unwrap();
    let list = String::from_utf8(output.stdout).unwrap();
    let ticket = list.lines().find(|line| line.contains(r#""who":"ticket""#)).unwrap();
    assert!(ticket.contains(r#""scope":"files""#) && ticket.contains(r#""once":true"#), "{ticket}");
    drop(receiver);
}

#[test]
fn an_address_can_stand_in_a_file_where_nobody_sees_it() {
    let home = Home::new();
    let file = home.file("file", 100);
    let receiver = home.receive(&["tcp://127.0.0.1:0"]);
    fs::write(home.path("address"), format!("{}\n", receiver.address)).unwrap();
    let sent = home.send(&[&file], "@address");
    assert!(sent.status.success(), "{}", said(&sent));
    assert!(receiver.end().0.success());
    let unread = home.send(&[&file], "@nothing");
    assert_eq!(unread.status.code(), Some(2));
    insta::assert_snapshot!("transfer_no_such_address_file", said(&unread));
}

/// Sends 256 MiB, and calls for the end of one of the two processes in the middle.
fn cut_off_in_the_middle(end: impl FnOnce(&mut Child, &Receiver)) -> (Home, PathBuf, Receiver) {
    let home = Home::new();
    let file = home.file("large", 256 * MIB);
    let receiver = home.receive(&[&format!("unix:{}", home.path("socket").display())]);
    let mut sender = home.send_command(&[&file], &receiver.address).stderr(Stdio::null()).spawn().unwrap();
    let part = home.path("in/.large.anyplace-part");
    until(|| length(&part) > 32 * MIB as u64);
    end(&mut sender, &receiver);
    sender.wait().unwrap();
    assert!(!home.path("in/large").exists() && part.exists());
    (home, file, receiver)
}

/// Sends it again: how many of the 256 MiB went.
fn again(home: &Home, file: &Path, receiver: Receiver) -> u64 {
    let sent = home.send(&[file], &receiver.address);
    let (status, said_there) = receiver.end();
    assert!(sent.status.success() && status.success(), "{} {said_there}", said(&sent));
    assert!(home.arrived("large") == fs::read(file).unwrap());
    let line = said(&sent);
    let size = line.strip_prefix("sent 1 file, ").and_then(|rest| rest.split_once(" MiB")).expect(&line).0;
    size.parse().unwrap()
}

#[test]
fn a_sender_that_was_killed_goes_on_where_it_was() {
    let (home, file, receiver) = cut_off_in_the_middle(|sender, _| kill(sender, "-KILL"));
    let sent = again(&home, &file, receiver);
    assert!(sent <= 256 - 28, "{sent} MiB were sent again");
}

#[test]
fn a_receiver_that_was_killed_goes_on_where_it_was() {
    let (home, file, receiver) = cut_off_in_the_middle(|_, receiver| receiver.signal("-KILL"));
    drop(receiver);
    let receiver = home.receive(&[&format!("unix:{}", home.path("socket").display())]);
    let sent = again(&home, &file, receiver);
    assert!(sent <= 256 - 28, "{sent} MiB were sent again");
}

#[test]
fn who_is_silent_holds_nobody_up() {
    let home = Home::new();
    let file = home.file("file", 100);
    let receiver = home.receive(&["tcp://127.0.0.1:0"]);
    let at = receiver.address.strip_prefix("tcp://").and_then(|rest| rest.split_once('#')).unwrap().0;
    let silent: Vec<_> = (0..20).map(|_| TcpStream::connect(at).unwrap()).collect();
    assert!(home.send(&[&file], &receiver.address).status.success());
    assert!(receiver.end().0.success());
    drop(silent);
}

#[test]
fn several_may_send_and_a_signal_ends_it_with_nothing_left() {
    let home = Home::new();
    let (one, two) = (home.file("one", MIB), home.file("two", MIB));
    let receiver = home.receive(&["--keep", &format!("unix:{}", home.path("socket").display())]);
    let mut senders: Vec<_> =
        [&one, &two].map(|file| home.send_command(&[file], &receiver.address).spawn().unwrap()).into();
    assert!(senders.iter_mut().all(|sender| sender.wait().unwrap().success()));
    until(|| home.path("in/one").exists() && home.path("in/two").exists());
    assert!(home.path("socket").exists());
    receiver.signal("-TERM");
    assert_eq!(receiver.end().0.signal(), Some(15));
    assert!(!home.path("socket").exists());
}

#[test]
fn what_is_not_written_is_said_and_counted() {
    let home = Home::new();
    fs::create_dir(home.path("in")).unwrap();
    fs::write(home.path("in/different"), "theirs").unwrap();
    fs::write(home.path("different"), "mine").unwrap();
    let strange = home.path("").join(OsStr::from_bytes(b"a\x1b[2J\nb"));
    fs::write(&strange, "").unwrap();
    let large = home.file("large", 1001);
    std::os::unix::fs::symlink("/nowhere", home.path("link")).unwrap();
    let receiver = home.receive(&["--limit", "1000", &format!("unix:{}", home.path("socket").display())]);
    let (different, nothing) = (home.path("different"), home.path("nothing"));
    let sent = home.send(&[&different, &strange, &large, &nothing], &receiver.address);
    let (status, received) = receiver.end();
    assert_eq!((sent.status.code(), status.code()), (Some(3), Some(2)));
    let without_times = |text: &str| {
        text.lines().map(|line| line.split(" in ").next().unwrap().to_owned() + "\n").collect::<String>()
    };
    let all = format!("{}--\n{}", without_times(&said(&sent)), without_times(&received));
    insta::assert_snapshot!(
        "transfer_what_is_not_written",
        all.replace(&home.0.path().display().to_string(), "HOME")
    );
    assert_eq!(home.arrived("different"), b"theirs");

    let receiver = home.receive(&["--force", &format!("unix:{}", home.path("socket").display())]);
    assert!(home.send(&[&home.path("different")], &receiver.address).status.success());
    assert!(receiver.end().0.success());
    assert_eq!(home.arrived("different"), b"mine");
}

#[test]
fn what_makes_no_sense_is_said_with_help() {
    let home = Home::new();
    let file = home.file("file", 1);
    let file = file.to_str().unwrap();
    for (name, arguments) in [
        ("transfer_nowhere_to_send_to", &["send", file][..]),
        ("transfer_no_such_address", &["send", file, "ftp://host"]),
        ("transfer_datagrams_take_no_files", &["send", file, "udp://host:1"]),
        ("transfer_nobody_there", &["send", file, "unix:/nowhere/socket"]),
        ("transfer_no_files_are_received_there", &["receive", "stdio:"]),
        ("transfer_a_limit_that_is_none", &["receive", "tcp://127.0.0.1:0", "--limit", "much"]),
    ] {
        let output = home.command("sender's keys").args(arguments).output().unwrap();
        assert!(output.stdout.is_empty());
        let said = said(&output).replace(file, "FILE");
        insta::assert_snapshot!(name, format!("{said}exit {}\n", output.status.code().unwrap()));
    }
}

#[test]
fn the_help_shows_examples() {
    let home = Home::new();
    for command in ["send", "receive"] {
        let output = home.command("sender's keys").args([command, "--help"]).output().unwrap();
        insta::assert_snapshot!(
            format!("transfer__help_{command}"),
            String::from_utf8(output.stdout).unwrap()
        );
    }
}
