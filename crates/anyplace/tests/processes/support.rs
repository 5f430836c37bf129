//! What the trials share: this program in other roles, tasks that wait to be told, processes to watch.

use anyplace::work::{Arguments, Encoding, Named, Payload, Work};
use anyplace::worker::Replies;
use anyplace::{NamedTask, Result, Value};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, ExitCode};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Timespec = Timespec { tv_sec: 30, tv_nsec: 0 };

/// What this program does when its first argument is not the test harness's.
const ROLES: &[(&str, fn())] = &[
    ("--role-without-init", crate::setups::without_init),
    ("--role-without-room", crate::setups::without_room),
    ("--role-parent", crate::lifetimes::parent),
    ("--role-two-hundred-places", crate::lifetimes::two_hundred_places),
    ("--role-server", crate::peers::server),
    ("--role-client", crate::peers::client),
    ("--role-short-of-descriptors", crate::exhausted::server),
    ("--role-objects", crate::objects::server),
    ("--role-guest", crate::objects::guest),
    ("--role-chatty", crate::calls::chatty),
    ("--role-recorder", crate::setups::recorder),
];

pub(crate) fn run_role() -> Option<ExitCode> {
    let role = std::env::args().nth(1)?;
    let (_, run) = ROLES.iter().find(|(name, _)| *name == role)?;
    run();
    Some(ExitCode::SUCCESS)
}

/// This program in another role.
pub(crate) fn this_program(role: &str) -> [OsString; 2] {
    [std::env::current_exe().unwrap().into(), role.into()]
}

#[allow(clippy::disallowed_methods)] // Tests of processes start processes.
pub(crate) fn command(words: &[OsString]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

/// A call of a task as work, for what only `submit_work` takes: options.
pub(crate) fn work<N: NamedTask>(_: N, input: &N::Input) -> Work {
    let bytes = postcard::to_stdvec(input).unwrap();
    let arguments = Arguments::One(Payload::new(Encoding::Postcard, bytes));
    Work::Named(Named { name: N::NAME.into(), arguments })
}

pub(crate) fn text(text: &str) -> Payload {
    Payload::new(Encoding::Json, text.as_bytes())
}

pub(crate) fn text_of(value: &Value) -> String {
    let Value::Encoded(payload) = value else { panic!("{value:?}") };
    String::from_utf8(payload.bytes.to_vec()).unwrap()
}

/// Where tasks tell that they have begun, and are held.
pub(crate) struct Door {
    listener: UnixListener,
    folder: tempfile::TempDir,
}

impl Door {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { listener: UnixListener::bind(folder.path().join("door")).unwrap(), folder }
    }

    pub(crate) fn path(&self) -> String {
        self.folder.path().join("door").to_str().unwrap().to_owned()
    }

    /// Waits until a task knocks.
    pub(crate) fn knock(&self) -> Held {
        let mut wait = [PollFd::new(&self.listener, PollFlags::IN)];
        assert_eq!(poll(&mut wait, Some(&PATIENCE)), Ok(1), "no task knocked");
        Held(self.listener.accept().unwrap().0)
    }
}

/// A task that is held until this is dropped.
pub(crate) struct Held(UnixStream);

impl Held {
    /// Waits until the task's process, and whatever it gave the line to, is gone.
    pub(crate) fn ends(mut self) {
        let mut wait = [PollFd::new(&self.0, PollFlags::IN)];
        assert_eq!(poll(&mut wait, Some(&PATIENCE)), Ok(1), "the task still runs");
        assert!(!matches!(self.0.read(&mut [0]), Ok(1..)), "the task said something");
    }

    /// The number that the task sent.
    pub(crate) fn number(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.read_exact(&mut bytes).unwrap();
        u32::from_le_bytes(bytes)
    }
}

/// Knocks at the door and waits until it is opened.
#[anyplace::task]
pub(crate) fn wait_at(door: String) -> u32 {
    let mut line = UnixStream::connect(door).unwrap();
    // The end of the line is the sign to go on.
    line.read_to_end(&mut Vec::new()).unwrap();
    std::process::id()
}

/// Waits until a process that need not be our child is gone.
pub(crate) fn is_gone(pid: u32) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    let mut wait = [PollFd::new(&process, PollFlags::IN)];
    assert_eq!(poll(&mut wait, Some(&PATIENCE)), Ok(1), "process {pid:?} is still there");
}

/// What an interpreter returns: a text.
pub(crate) fn returned(said: &str, replies: &mut Replies<'_>) {
    replies.returned(Encoding::Json, said.as_bytes(), &[]);
}

pub(crate) type Nothing = Result<()>;
