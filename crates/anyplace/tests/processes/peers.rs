//! Places that other processes offer, when a process dies, stops, or the way between two is cut.

use crate::support::{Door, Nothing, command, this_program, wait_at, work};
use crate::trials;
use anyplace::serve::Offer;
use anyplace::work::{Arguments, Encoding, Function, Payload, Pickled, Work};
use anyplace::{Error, Kind, Place, Registry, Result, Retry, Setup, TaskOptions};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

trials!("peers":
    a_killed_server_costs_what_ran_and_the_rest_waits_for_the_next,
    a_stopped_server_is_found_within_ten_seconds,
    a_cut_costs_nothing_where_the_server_keeps_the_work,
    a_cut_ends_what_ran_and_sends_again_what_had_not_begun,
    a_server_that_stays_away_is_given_up_in_time,
    a_killed_client_takes_its_tasks_along,
    a_killed_client_may_leave_its_tasks,
    an_offer_drains_before_it_ends,
    an_offer_that_is_closed_at_once_ends_what_runs,
    an_offer_ends_with_its_place,
    several_servers_are_one_place,
    another_python_is_refused_before_anything_runs,
    a_ticket_opens_no_more_than_it_says,
    commands_run_where_the_place_is,
    large_values_arrive_whole,
    a_place_of_another_version_is_refused_before_anything_runs,
    a_client_of_another_version_is_let_go_before_anything_runs,
);

/// So long does anything here wait.
const PATIENCE: Duration = Duration::from_secs(30);

#[anyplace::task]
fn double(n: u64) -> u64 {
    n * 2
}

#[anyplace::task]
fn reversed(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().rev().collect()
}

pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn socket(&self, name: &str) -> String {
        format!("unix:{}", self.path(name))
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }
}

fn offer(folder: &Folder, workers: usize) -> Result<Offer> {
    anyplace::open(format!("processes:{workers}"))?.offer(&folder.socket("s"))
}

/// This program in a role, which says on its first line that it is ready, or where.
pub(crate) struct Other(Child);

impl Other {
    pub(crate) fn start(role: &str, arguments: &[&str]) -> Self {
        let (other, said) = Self::starts(role, arguments);
        assert_eq!(said, "ready");
        other
    }

    /// Gives what it says on its first line.
    pub(crate) fn starts(role: &str, arguments: &[&str]) -> (Self, String) {
        let mut command = command(&this_program(role));
        command.args(arguments.iter().map(OsString::from)).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        (Self(child), line.trim_end().to_owned())
    }

    /// The number of its process.
    pub(crate) fn number(&self) -> u32 {
        self.0.id()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

pub(crate) fn ready() {
    say("ready");
}

pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).unwrap();
}

/// Serves a place of two processes at a path, until it is killed or its input ends.
pub(crate) fn server() {
    anyplace::init();
    let path = std::env::args().nth(2).unwrap();
    drop(std::fs::remove_file(&path));
    let offer = anyplace::open("processes:2").unwrap().offer(&format!("unix:{path}")).unwrap();
    ready();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    drop(offer);
}

/// Submits a task that waits at a door, and waits to be killed.
pub(crate) fn client() {
    let [address, door] = [2, 3].map(|at| std::env::args().nth(at).unwrap());
    let place = anyplace::open(address).unwrap();
    let task = place.submit(wait_at, door).unwrap();
    ready();
    drop(task.wait());
}

fn lost<T: std::fmt::Debug>(ended: Result<T>) -> Error {
    let error = ended.unwrap_err();
    assert_eq!(error.kind(), Kind::ConnectionLost, "{error:?}");
    error
}

fn a_killed_server_costs_what_ran_and_the_rest_waits_for_the_next() -> Nothing {
    let (folder, door) = (Folder::new(), Door::new());
    let mut server = Other::start("--role-server", &[&folder.path("s")]);
    let place = anyplace::open(folder.socket("s"))?;
    let ran = [place.submit(wait_at, door.path())?, place.submit(wait_at, door.path())?];
    let held = [door.knock(), door.knock()];
    let waited: Vec<_> = (0..50).map(|n| place.submit(double, n)).collect::<Result<_>>()?;
    server.kill();
    held.into_iter().for_each(crate::support::Held::ends);
    let _next = Other::start("--role-server", &[&folder.path("s")]);
    for task in ran {
        assert_eq!(lost(task.wait()).retry(), Retry::MayRepeat);
    }
    for (n, task) in waited.into_iter().enumerate() {
        assert_eq!(task.wait()?, 2 * n as u64);
    }
    place.close()
}

fn a_stopped_server_is_found_within_ten_seconds() -> Nothing {
    let (folder, door) = (Folder::new(), Door::new());
    let server = Other::start("--role-server", &[&folder.path("s")]);
    let place = anyplace::open(format!("{}?reconnect=0s", folder.socket("s")))?;
    let ran = place.submit(wait_at, door.path())?;
    let _held = door.knock();
    let began = Instant::now();
    server.signal(Signal::STOP);
    let error = lost(ran.wait());
    // Who hears of it first has waited for nine seconds, and looks every second.
    assert!(began.elapsed() < Duration::from_millis(10_500), "{:?}", began.elapsed());
    assert_eq!(error.retry(), Retry::MayRepeat);
    assert_eq!(lost(place.submit(double, 1)?.wait()).retry(), Retry::Safe);
    server.signal(Signal::CONT);
    place.close()
}

/// A way to a server that can be cut.
struct Way {
    ends: Arc<Mutex<Vec<UnixStream>>>,
    is_open: Arc<Mutex<bool>>,
}

impl Way {
    fn new(folder: &Folder) -> Self {
        let way = Self { ends: Arc::default(), is_open: Arc::new(Mutex::new(true)) };
        let (ends, is_open) = (way.ends.clone(), way.is_open.clone());
        let (from, to) = (UnixListener::bind(folder.path("way")).unwrap(), folder.path("s"));
        std::thread::spawn(move || {
            for near in from.incoming().map_while(std::result::Result::ok) {
                let is_open = is_open.lock().unwrap();
                if !*is_open {
                    continue;
                }
                let far = UnixStream::connect(&to).unwrap();
                let copies = [&near, &far, &near, &far].map(|end| end.try_clone().unwrap());
                ends.lock().unwrap().extend([near, far]);
                let [a, b, c, d] = copies;
                for (mut from, mut to) in [(a, b), (d, c)] {
                    std::thread::spawn(move || {
                        drop(std::io::copy(&mut from, &mut to));
                        drop(to.shutdown(Shutdown::Both));
                    });
                }
            }
        });
        way
    }

    fn cut(&self) {
        for end in self.ends.lock().unwrap().drain(..) {
            drop(end.shutdown(Shutdown::Both));
        }
    }

    fn close(&self) {
        *self.is_open.lock().unwrap() = false;
        self.cut();
    }
}

fn a_cut_costs_nothing_where_the_server_keeps_the_work() -> Nothing {
    let (folder, door) = (Folder::new(), Door::new());
    let _offer = offer(&folder, 2)?;
    let way = Way::new(&folder);
    let place = anyplace::open(format!("{}?on_disconnect=keep", folder.socket("way")))?;
    let ran = place.submit(wait_at, door.path())?;
    let ends_meanwhile = place.submit(wait_at, door.path())?;
    let (held, other) = (door.knock(), door.knock());
    way.cut();
    drop(other);
    drop(held);
    assert!(ran.wait_for(PATIENCE).unwrap()? != ends_meanwhile.wait_for(PATIENCE).unwrap()?);
    place.close()
}

fn a_cut_ends_what_ran_and_sends_again_what_had_not_begun() -> Nothing {
    let (folder, door) = (Folder::new(), Door::new());
    let _offer = offer(&folder, 1)?;
    let way = Way::new(&folder);
    let [first, second] = [anyplace::open(folder.socket("s"))?, anyplace::open(folder.socket("way"))?];
    // The other client's task has the only worker, so this one waits there.
    let blocker = first.submit(wait_at, door.path())?;
    let held = door.knock();
    let waits = second.submit(double, 4)?;
    way.cut();
    // The server has heard of that when it hears the next conversation.
    let until = Instant::now() + PATIENCE;
    while second.lock("back").is_err() {
        assert!(Instant::now() < until, "it does not come back");
        std::thread::yield_now();
    }
    drop(held);
    blocker.wait()?;
    assert_eq!(waits.wait_for(PATIENCE).unwrap()?, 8);
    let ran = second.submit(wait_at, door.path())?;
    let held = door.knock();
    way.cut();
    held.ends();
    let error = ran.wait_for(PATIENCE).unwrap().unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::ConnectionLost, Retry::MayRepeat), "{error:?}");
    first.close()?;
    second.close()
}

fn a_server_that_stays_away_is_given_up_in_time() -> Nothing {
    let (folder, door) = (Folder::new(), Door::new());
    let _offer = offer(&folder, 1)?;
    let way = Way::new(&folder);
    let place = anyplace::open(format!("{}?reconnect=300ms", folder.socket("way")))?;
    let ran = place.submit(wait_at, door.path())?;
    let _held = door.knock();
    let waits = place.submit(double, 4)?;
    way.close();
    assert_eq!(lost(ran.wait_for(PATIENCE).unwrap()).retry(), Retry::MayRepeat);
    assert_eq!(lost(waits.wait_for(PATIENCE).unwrap()).retry(), Retry::Safe);
    place.close()
}

fn a_killed_client_takes_its_tasks_along() -> Nothing {
    let (folder, door) = (Folder::new(), Door::new());
    let offer = offer(&folder, 1)?;
    let mut client = Other::start("--role-client", &[&folder.socket("s"), &door.path()]);
    let held = door.knock();
    client.kill();
    held.ends();
    offer.close(PATIENCE)
}

fn a_killed_client_may_leave_its_tasks() -> Nothing {
    let (folder, door) = (Folder::new(), Door::new());
    let offer = offer(&folder, 1)?;
    let address = format!("{}?on_disconnect=keep", folder.socket("s"));
    let mut client = Other::start("--role-client", &[&address, &door.path()]);
    let held = door.knock();
    client.kill();
    // The only worker is still at the door: another client's task waits until it is let go.
    let place = anyplace::open(folder.socket("s"))?;
    let waits = place.submit(double, 1)?;
    let waits = waits.wait_for(Duration::from_millis(200)).unwrap_err();
    drop(held);
    assert_eq!(waits.wait()?, 2);
    place.close()?;
    offer.close(PATIENCE)
}

fn an_offer_drains_before_it_ends() -> Nothing {
    let (folder, door) = (Folder::new(), Door::new());
    let first = offer(&folder, 1)?;
    let place = anyplace::open(folder.socket("s"))?;
    let ran = place.submit(wait_at, door.path())?;
    let held = door.knock();
    let waits: Vec<_> = (0..20).map(|n| place.submit(double, n)).collect::<Result<_>>()?;
    std::thread::scope(|scope| {
        let closes = scope.spawn(|| first.close(Duration::MAX));
        drop(held);
        closes.join().unwrap()
    })?;
    assert!(ran.wait()? > 0);
    let _next = offer(&folder, 1)?;
    for (n, task) in waits.into_iter().enumerate() {
        assert_eq!(task.wait_for(PATIENCE).unwrap()?, 2 * n as u64);
    }
    place.close()
}

fn an_offer_that_is_closed_at_once_ends_what_runs() -> Nothing {
    let (folder, door) = (Folder::new(), Door::new());
    let offer = offer(&folder, 1)?;
    let place = anyplace::open(format!("{}?reconnect=0s", folder.socket("s")))?;
    let ran = place.submit(wait_at, door.path())?;
    let held = door.knock();
    offer.close(Duration::ZERO)?;
    held.ends();
    assert_eq!(ran.wait().unwrap_err().kind(), Kind::Cancelled);
    place.close()
}

fn an_offer_ends_with_its_place() -> Nothing {
    let folder = Folder::new();
    let offer = offer(&folder, 1)?;
    let place = anyplace::open(format!("{}?reconnect=0s", folder.socket("s")))?;
    assert_eq!(place.submit(double, 1)?.wait()?, 2);
    offer.place().close()?;
    assert!(offer.wait(Some(Instant::now() + PATIENCE)));
    assert_eq!(place.submit(double, 1)?.wait().unwrap_err().retry(), Retry::Safe);
    place.close()
}

fn several_servers_are_one_place() -> Nothing {
    let place = || anyplace::open("processes:1");
    let (first, second) = (place()?.offer("tcp://127.0.0.1:0")?, place()?.offer("tcp://127.0.0.1:0")?);
    let second_at = second.address().reveal();
    let both = format!("{},{}", first.address().reveal(), second_at.trim_start_matches("tcp://"));
    let place = anyplace::open(both)?;
    assert_eq!(place.limits().workers, 2);
    // Both hold one at the same time, so both have one.
    let door = Door::new();
    let held: Vec<_> = (0..2).map(|_| place.submit(wait_at, door.path())).collect::<Result<_>>()?;
    drop((door.knock(), door.knock()));
    let [one, other]: [u32; 2] =
        held.into_iter().map(|task| task.wait().unwrap()).collect::<Vec<_>>().try_into().unwrap();
    assert_ne!(one, other);
    first.close(PATIENCE)?;
    let sum: u64 = place.map(double, 0..100_u64)?.map(|n| n.unwrap()).sum();
    assert_eq!(sum, 9900);
    place.close()
}

/// A place of a face whose language is another.
fn speaking(language: &str, address: &str) -> Result<Place> {
    let setup = Setup { language: Some(language.to_owned()), ..Setup::default() };
    Registry::standard().with_setup(setup).open(address)
}

fn another_python_is_refused_before_anything_runs() -> Nothing {
    let folder = Folder::new();
    let _offer = offer(&folder, 1)?;
    let place = speaking("python 3.10", &folder.socket("s"))?;
    let function = Function { id: 1, name: "f".into(), bytes: b"a pickle".as_slice().into() };
    let arguments = Arguments::One(Payload::new(Encoding::Pickle, b"another".as_slice()));
    let call = Work::Pickled(Pickled { function: Arc::new(function), arguments });
    let error = place.submit_work(call, TaskOptions::default())?.wait().unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::VersionMismatch, Retry::Safe));
    assert!(error.message().contains("python 3.10"), "{error:?}");
    // What both understand runs.
    assert!(place.submit_work(work(double, &2), TaskOptions::default())?.wait().is_ok());
    place.close()
}

fn a_ticket_opens_no_more_than_it_says() -> Nothing {
    use anyplace::keys::Scope;
    use anyplace::serve::Terms;
    // The server's own user is let in for everything, so the client is another.
    let folder = Folder::new();
    let terms = Terms { scope: Scope::STATUS, ..Terms::default() };
    let offer = anyplace::open("processes:1")?.offer_on("tcp://127.0.0.1:0", &terms)?;
    let setup = Setup { keys: Some(folder.path("keys").into()), ..Setup::default() };
    let place = Registry::standard().with_setup(setup).open(offer.address().reveal())?;
    let error = place.submit(double, 1).unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported, "{error:?}");
    assert!(!format!("{error:?}").contains(&offer.address().reveal()));
    place.close()
}

fn commands_run_where_the_place_is() -> Nothing {
    use anyplace::work::Command;
    let folder = Folder::new();
    let _offer = offer(&folder, 1)?;
    let place = anyplace::open(folder.socket("s"))?;
    let run = |script: &str| {
        let command = Command { stdin: Some(b"in".to_vec()), ..Command::new(["sh", "-c", script]) };
        place.submit_work(Work::Command(command), TaskOptions::default())?.wait()
    };
    let anyplace::Value::Command(finished) = run("cat; head -c 300000 /dev/zero; echo err >&2")? else {
        panic!("a command");
    };
    assert_eq!((finished.stdout.len(), finished.stderr.to_vec()?), (300_002, b"err\n".to_vec()));
    let error = run("echo so; exit 3").unwrap_err();
    let finished = anyplace::Finished::of(&error).unwrap();
    assert_eq!((finished.exit, finished.stdout.to_vec()?), (anyplace::Exit::Code(3), b"so\n".to_vec()));
    place.close()
}

fn large_values_arrive_whole() -> Nothing {
    let folder = Folder::new();
    let _offer = offer(&folder, 2)?;
    let place = anyplace::open(folder.socket("s"))?;
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 251) as u8).collect();
    let tasks: Vec<_> = (0..3).map(|_| place.submit(reversed, bytes.clone())).collect::<Result<_>>()?;
    let expected: Vec<u8> = bytes.iter().rev().copied().collect();
    for task in tasks {
        assert!(task.wait()? == expected);
    }
    place.close()
}

/// Where the number of the protocol stands in a greeting: after the frame's head and the word by which peers know each other.
const PROTOCOL: usize = 9 + 8 + "anyplace peer".len();

/// A way to the server of `folder` on which one side says that it speaks another protocol, for one conversation.
fn way_of_another_version(folder: &Folder, is_servers: bool) -> std::thread::JoinHandle<()> {
    let listener = UnixListener::bind(folder.path("way")).unwrap();
    let to = folder.path("s");
    std::thread::spawn(move || {
        let (near, far) = (listener.accept().unwrap().0, UnixStream::connect(to).unwrap());
        let copy = |mut from: &UnixStream, mut to: &UnixStream, is_changed: bool| {
            if is_changed {
                let mut begin = [0; PROTOCOL + 4];
                from.read_exact(&mut begin).unwrap();
                begin[PROTOCOL] += 1;
                to.write_all(&begin).unwrap();
            }
            // One side may be gone already.
            drop(std::io::copy(&mut from, &mut to));
            drop(to.shutdown(Shutdown::Both));
        };
        std::thread::scope(|scope| {
            scope.spawn(|| copy(&near, &far, !is_servers));
            copy(&far, &near, is_servers);
        });
    })
}

fn a_place_of_another_version_is_refused_before_anything_runs() -> Nothing {
    let folder = Folder::new();
    let offer = offer(&folder, 1)?;
    let way = way_of_another_version(&folder, true);
    let error = anyplace::open(folder.socket("way")).unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::VersionMismatch, Retry::Safe), "{error:?}");
    assert!(error.help().is_some_and(|help| help.contains("same version")), "{error:?}");
    way.join().unwrap();
    offer.close(PATIENCE)
}

fn a_client_of_another_version_is_let_go_before_anything_runs() -> Nothing {
    let folder = Folder::new();
    let offer = offer(&folder, 1)?;
    let way = way_of_another_version(&folder, false);
    // It greets as it should, and then hears no more: what it may say next is never read.
    let place = anyplace::open(format!("{}?reconnect=0s", folder.socket("way")));
    way.join().unwrap();
    assert_eq!(offer.clients(), 0);
    if let Ok(place) = place {
        lost(place.submit(double, 1)?.wait());
        assert_eq!(offer.clients(), 0, "it stays out");
    }
    offer.close(PATIENCE)
}
