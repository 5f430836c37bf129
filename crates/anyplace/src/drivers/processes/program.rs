//! Which program the workers of a place run, and what starts it.

use crate::error::{Error, Kind, Retry};
use crate::worker::{MARKER, is_initialised};
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// What a worker process runs.
#[derive(Clone, Debug)]
pub(super) enum Program {
    /// A program with its arguments.
    Given(Vec<OsString>),
    /// This program, as its own worker.
    Own,
}

impl Program {
    /// Says no, before anything is started, if this program would not know that it is a worker.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Given(words) if words.is_empty() => Err(Error::config("the workers' program is empty")
                .with_help("give `Setup::worker` a program and its first arguments")),
            Self::Own if !is_initialised() => Err(not_initialised()),
            _ => Ok(()),
        }
    }

    /// Starts it with `socket` as its standard input, in a process group of its own.
    pub(super) fn start(&self, socket: OwnedFd) -> Result<Child, Error> {
        let mut command = match self {
            Self::Given(words) => given(words),
            Self::Own => own(),
        };
        command.stdin(Stdio::from(socket)).stderr(Stdio::piped()).process_group(0);
        command.spawn().map_err(|error| self.not_started(error))
    }

    fn not_started(&self, error: io::Error) -> Error {
        let name = match self {
            Self::Given(words) => words[0].to_string_lossy().into_owned(),
            Self::Own => "this program".to_owned(),
        };
        let message = format!("no worker process can be started from `{name}`: {error}");
        let error = Error::from(error);
        Error::new(error.kind(), message).with_retry(Retry::Safe).with_source(error)
    }
}

#[allow(clippy::disallowed_methods)] // This driver is one of the few that start processes.
fn given(words: &[OsString]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

/// The file that runs, also if another has taken its name since, under the name that it was started by.
#[allow(clippy::disallowed_methods)] // As above.
fn own() -> Command {
    let mut command = Command::new("/proc/self/exe");
    if let Some(name) = std::env::args_os().next() {
        command.arg0(name);
    }
    command.arg(MARKER);
    command
}

fn not_initialised() -> Error {
    Error::new(
        Kind::ConfigInvalid,
        "this program cannot start itself as a worker: `anyplace::init()` was not called",
    )
    .during("submit")
    .with_retry(Retry::Safe)
    .with_help("call `anyplace::init()` in the first line of `main`, or open `threads:`")
}
