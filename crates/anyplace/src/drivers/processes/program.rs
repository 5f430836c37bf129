//! Which program the workers of a place run, and what starts it.

use super::birth::Birth;
use super::options::Start;
use super::process::Leader;
use super::stderr::Stderr;
use super::zygote::Zygote;
use crate::driver::{OnFork, Setup};
use crate::error::{Error, Kind, Retry};
use crate::worker::{Lines, MARKER, is_initialised};
use rustix::pipe::{PipeFlags, pipe_with};
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a worker process runs, and how it comes to run it.
#[derive(Debug)]
pub(super) enum Program {
    /// A program with its arguments, by exec.
    Given(Vec<OsString>),
    /// This program, as its own worker, by exec.
    Own,
    /// What the zygote of this program makes, by fork.
    Zygote(Nest),
    /// What this program is at that moment, by fork.
    Forked(OnFork),
}

/// A process on its way.
pub(super) struct Launched {
    pub(super) control: UnixStream,
    pub(super) stderr: Stderr,
    pub(super) birth: Birth,
}

impl Program {
    /// What the setup has for workers that are started in this way; by exec where it has no other.
    pub(super) fn new(start: Start, preload: Option<String>, setup: &Setup) -> Self {
        if let (Start::Fork, Some(on_fork)) = (start, &setup.on_fork) {
            return Self::Forked(on_fork.clone());
        }
        match (start, &setup.zygote, &setup.worker) {
            (Start::Zygote, Some(zygote), _) => {
                Self::Zygote(Nest::new(zygote.iter().cloned().chain(preload.map(Into::into)).collect()))
            }
            (_, _, Some(worker)) => Self::Given(worker.clone()),
            (_, _, None) => Self::Own,
        }
    }

    /// Says no, before anything is started, if this program would not know that it is a worker.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Given(words) if words.is_empty() => Err(Error::config("the workers' program is empty")
                .with_help("give `Setup::worker` a program and its first arguments")),
            Self::Own if !is_initialised() => Err(not_initialised()),
            _ => Ok(()),
        }
    }

    /// No more workers will be wanted: lets go of the zygote, which ends if nobody else wants it.
    pub(super) fn close(&self) {
        if let Self::Zygote(nest) = self {
            drop(nest.lock().take());
        }
    }

    /// Has a process made, in a group of its own, whose standard input is the other end of its control socket. Does not
    /// wait for a zygote.
    pub(super) fn launch(&self, environment: &[(String, String)]) -> Result<Launched, Error> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let (stderr, birth) = match self {
            Self::Given(words) => exec(given(words), theirs, environment, &words[0].to_string_lossy())?,
            Self::Own => exec(own(), theirs, environment, "this program")?,
            Self::Forked(on_fork) => fork(on_fork, theirs)?,
            Self::Zygote(nest) => {
                let (ours, stderr) = pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from)?;
                (Stderr::new(ours)?, Birth::wanted(nest.zygote()?, theirs.into(), stderr))
            }
        };
        Ok(Launched { control: ours, stderr, birth })
    }
}

/// Where a place's zygote comes from: the place keeps it while it is open.
#[derive(Debug)]
pub(super) struct Nest {
    program: Vec<OsString>,
    zygote: Mutex<Option<Arc<Zygote>>>,
}

impl Nest {
    /// Starts the zygote in the background, so that it is there when the first worker is wanted.
    pub(super) fn new(program: Vec<OsString>) -> Self {
        // What cannot be started now is told when it is needed.
        let zygote = Zygote::of(&program).ok();
        Self { program, zygote: Mutex::new(zygote) }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Zygote>>> {
        self.zygote.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn zygote(&self) -> io::Result<Arc<Zygote>> {
        let mut zygote = self.lock();
        match &*zygote {
            Some(zygote) if zygote.is_useful() => Ok(zygote.clone()),
            _ => Ok(zygote.insert(Zygote::of(&self.program)?).clone()),
        }
    }
}

fn exec(
    mut command: Command,
    control: UnixStream,
    environment: &[(String, String)],
    name: &str,
) -> Result<(Stderr, Birth), Error> {
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::from(OwnedFd::from(control))).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(|error| not_started(name, error))?;
    let stderr = child.stderr.take();
    let leader = Leader::of(child)?;
    let stderr = stderr.ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected))?;
    Ok((Stderr::new(stderr.into())?, Birth::Born(leader)))
}

fn fork(on_fork: &OnFork, control: UnixStream) -> Result<(Stderr, Birth), Error> {
    let (ours, stderr) = pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from)?;
    let pid = (on_fork.0)(Lines { control: control.into(), stderr, folder: None })?;
    Ok((Stderr::new(ours)?, Birth::Born(Leader::of_ours(pid)?)))
}

pub(super) fn not_started(name: &str, error: io::Error) -> Error {
    let message = format!("no worker process can be started from `{name}`: {error}");
    let error = Error::from(error);
    Error::new(error.kind(), message).with_retry(Retry::Safe).with_source(error)
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
