//! One command at a time, from its task to its outcome.

use super::capture::Capture;
use super::ending::{Bell, Ender};
use super::program::{Prepared, input, not_started};
use super::watch::Watch;
use crate::error::{Error, Exit, Kind, Retry};
use crate::outcome::Finished;
use crate::outcome::{Done, Outcome};
use crate::task::Task;
use crate::work::{Command, Work};
use anyplace_sync::spawn::{Guard, Spawner, Started};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a slot's thread keeps from one command to the next.
#[derive(Debug)]
pub(super) struct Slot {
    number: usize,
    spawner: Spawner,
    bell: Bell,
    nothing: OwnedFd,
    buffer: Box<[u8]>,
    guard: Option<Arc<Guard>>,
}

impl Slot {
    pub(super) fn new(number: usize, guard: Option<Arc<Guard>>) -> io::Result<Self> {
        let nothing = File::open("/dev/null")?.into();
        let buffer = vec![0; 64 * 1024].into_boxed_slice();
        Ok(Self { number, spawner: Spawner::new(), bell: Bell::new()?, nothing, buffer, guard })
    }

    /// Runs the task's command to its end.
    pub(super) fn run(&mut self, task: &Task, done: Done) {
        let control = task.control();
        // Before it begins, so that nobody is told in between that the place cannot end it.
        control.on_kill(self.bell.next_command());
        if !task.start(self.number) {
            control.clear_kill();
            return done.call(Outcome::cancelled());
        }
        let outcome = match &task.work {
            Work::Command(command) => {
                self.command(command, task.options.timeout).unwrap_or_else(Outcome::from)
            }
            work => Outcome::from(Error::new(
                Kind::Unsupported,
                format!("a slot does not run {}", work.kind().name()),
            )),
        };
        control.clear_kill();
        done.call(outcome);
    }

    fn command(&mut self, command: &Command, timeout: Option<Duration>) -> Result<Outcome, Error> {
        let prepared = Prepared::new(command)?;
        let given = command.stdin.as_deref().map(input).transpose()?;
        let (mut out, out_theirs) = Capture::new()?;
        let (mut err, err_theirs) = Capture::new()?;
        let streams =
            [given.as_ref().unwrap_or(&self.nothing).as_fd(), out_theirs.as_fd(), err_theirs.as_fd()];
        let begun = Instant::now();
        let started =
            self.spawner.start(&prepared.program(streams)).map_err(|error| not_started(command, error))?;
        drop((out_theirs, err_theirs));
        // Erased before the process is reaped, so while the number is still its own.
        let watched = self.guard.as_deref().map(|guard| guard.watch(started.pid));
        let mut ender = Ender::new(group(&started));
        let ended = Watch {
            pidfd: &started.pidfd,
            bell: &self.bell,
            out: &mut out,
            err: &mut err,
            ender: &mut ender,
            deadline: timeout.and_then(|timeout| begun.checked_add(timeout)),
            buffer: &mut self.buffer,
        }
        .until_ended();
        drop(watched);
        if let Err(error) = ended {
            return Err(given_up(&started, &mut ender, error));
        }
        let exit = reap(&started)?;
        let finished = Finished { exit, stdout: out.finish(), stderr: err.finish(), took: begun.elapsed() };
        Ok(finished.into_outcome(&command.argv[0].to_string_lossy(), ender.why))
    }
}

fn group(started: &Started) -> Pid {
    Pid::from_raw(started.pid).expect("a process has a number")
}

/// What it printed cannot be kept, so it must not go on.
fn given_up(started: &Started, ender: &mut Ender, error: io::Error) -> Error {
    ender.kill();
    drop(reap(started));
    Error::new(Kind::ResourceExhausted, format!("the output of a command could not be kept: {error}"))
        .with_retry(Retry::MayRepeat)
        .with_help("long output goes to the folder for temporary files (TMPDIR); make room there")
        .with_source(error)
}

/// Takes the process out of the process table.
fn reap(started: &Started) -> Result<Exit, Error> {
    let waited = waitid(WaitId::PidFd(started.pidfd.as_fd()), WaitIdOptions::EXITED);
    let status = waited.ok().flatten().ok_or_else(|| {
        Error::new(
            Kind::WorkerLost,
            "a command's exit status is lost: something else in this process took it",
        )
        .with_retry(Retry::MayRepeat)
        .with_help("do not wait for all children (wait(2), SIGCHLD ignored) in a process that runs commands")
    })?;
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Ok(Exit::Code(code)),
        (None, signal) => Ok(Exit::Signal(signal.unwrap_or(0))),
    }
}
