//! From nothing to a worker that is ready: launched, greeted, prepared. Nothing here waits: whoever starts workers
//! polls what they [wait for](Starting::waits) and lets them [go on](Starting::advance), so one thread can start many.
//!
//! ```text
//!  begin --> Greeting --Welcome--> Preparing --Reply--> Ready
//!                |                     |                        a place without anything to prepare
//!                '---------------------+--> NotStarted          leaves Preparing out
//! ```

use super::not_started::{ENGINE, NotStarted, check_versions};
use super::outgoing::Outgoing;
use super::process::{Leader, Process};
use super::program::Program;
use super::stderr::Stderr;
use crate::context::Context;
use crate::driver::Setup;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::wire::{self, Callee, FromWorker, Hello, Inbox, PROTOCOL};
use crate::work::{Payload, Pickled};
use rustix::event::{PollFd, PollFlags};
use std::io::{self, ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A worker that is not ready by then never will be. Interpreters import much on slow disks.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a process that has closed its socket may take to be gone.
pub(super) const LEAVING: Duration = Duration::from_secs(2);

/// What is wanted of a new worker.
pub(super) struct Wanted<'a> {
    pub(super) program: &'a Program,
    pub(super) setup: &'a Setup,
    /// Which worker it is, of how many.
    pub(super) worker: usize,
    pub(super) workers: usize,
    /// It leaves after so many tasks.
    pub(super) max_tasks: u64,
    /// What place and workers share, in the order in which the worker's greeting gives it.
    pub(super) shared: Vec<Arc<OwnedFd>>,
    /// The context of what it does before its first task.
    pub(super) context: Context,
}

/// A worker on its way. When it is dropped before it is ready, it is gone.
#[derive(Debug)]
pub(super) struct Starting {
    process: Process,
    inbox: Inbox,
    outgoing: Outgoing,
    stage: Stage,
    /// It has closed its socket.
    closed: bool,
    deadline: Instant,
    language: Option<String>,
    first: Option<(Arc<Pickled>, Context)>,
    max_tasks: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Greeting,
    Preparing,
    Ready,
}

/// What came of going on.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing more for now: poll, then go on.
    Wait,
    /// A record for the caller's log; go on.
    Log(Payload),
    /// Take it by [`Starting::finish`].
    Ready,
    NotStarted(NotStarted),
}

/// A worker that waits for its first task.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) process: Process,
    /// What it has said beyond its last answer.
    pub(super) inbox: Inbox,
}

impl Starting {
    /// Launches a process and sends it the greeting.
    ///
    /// # Errors
    /// Why no process can be made.
    pub(super) fn begin(wanted: &Wanted<'_>) -> Result<Self, NotStarted> {
        let process = launch(wanted.program).map_err(NotStarted::spawn)?;
        let hello = Hello {
            protocol: PROTOCOL,
            engine: ENGINE.to_owned(),
            worker: wanted.worker as u64,
            workers: wanted.workers as u64,
        };
        let mut starting = Self {
            process,
            inbox: Inbox::default(),
            outgoing: Outgoing::new(hello.frame(), wanted.shared.clone()),
            stage: Stage::Greeting,
            closed: false,
            deadline: Instant::now() + PATIENCE,
            language: wanted.setup.language.clone(),
            first: wanted.setup.first.clone().map(|first| (first, wanted.context)),
            max_tasks: wanted.max_tasks,
        };
        starting.outgoing.send(&starting.process.control);
        Ok(starting)
    }

    /// Adds what has to be polled before it can go on.
    pub(super) fn waits<'a>(&'a self, waits: &mut Vec<PollFd<'a>>) {
        if !self.closed {
            let room = if self.outgoing.is_sent() { PollFlags::empty() } else { PollFlags::OUT };
            waits.push(PollFd::new(&self.process.control, PollFlags::IN | room));
        }
        waits.push(PollFd::from_borrowed_fd(self.process.pidfd(), PollFlags::IN));
        let stderr = self.process.stderr.pipe();
        waits.extend(stderr.map(|pipe| PollFd::from_borrowed_fd(pipe, PollFlags::IN)));
    }

    /// When it has to be ready: go on then too.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Does what can be done without waiting, up to the next step.
    pub(super) fn advance(&mut self) -> Step {
        // Its end is looked at before its words are read: what it said before it died counts.
        let ended = self.process.has_ended();
        self.receive();
        match self
            .inbox
            .next()
            .and_then(|said| said.map(|(kind, body)| FromWorker::read(kind, body)).transpose())
        {
            Ok(Some(said)) => return self.hear(said),
            Ok(None) => {}
            Err(malformed) => {
                return Step::NotStarted(NotStarted::talks_nonsense(&self.process.reap(), Some(malformed)));
            }
        }
        if ended {
            return self.died();
        }
        if Instant::now() >= self.deadline {
            return if self.closed { self.died() } else { self.late() };
        }
        self.outgoing.send(&self.process.control);
        if self.stage == Stage::Ready && self.outgoing.is_sent() { Step::Ready } else { Step::Wait }
    }

    /// The worker, when it is [ready](Step::Ready).
    pub(super) fn finish(self) -> Ready {
        Ready { process: self.process, inbox: self.inbox }
    }

    fn receive(&mut self) {
        let mut buffer = [0; 16 * 1024];
        while self.process.stderr.pass_on(&mut buffer) {}
        loop {
            match self.process.control.read(&mut buffer) {
                Ok(length @ 1..) => self.inbox.feed(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                _ => return self.close(),
            }
        }
    }

    /// It says nothing more. Its end comes by the descriptor of the process, and soon.
    fn close(&mut self) {
        if !self.closed {
            self.closed = true;
            self.deadline = self.deadline.min(Instant::now() + LEAVING);
        }
    }

    fn hear(&mut self, said: FromWorker) -> Step {
        match (said, self.stage) {
            (FromWorker::Log(record), _) => Step::Log(record),
            (FromWorker::Welcome(welcome), Stage::Greeting) => {
                match check_versions(&welcome, self.language.as_deref()) {
                    Ok(()) => self.prepare(),
                    Err(not) => Step::NotStarted(not),
                }
            }
            (FromWorker::Reply(Outcome::Returned(_)), Stage::Preparing) => self.become_ready(),
            (FromWorker::Reply(outcome), Stage::Preparing) => {
                let name = self.first.as_ref().map_or("", |(first, _)| &first.function.name);
                Step::NotStarted(NotStarted::unprepared(name, &outcome))
            }
            _ => Step::NotStarted(NotStarted::talks_nonsense(&self.process.reap(), None)),
        }
    }

    /// Has it do what the place wants done before the first task.
    fn prepare(&mut self) -> Step {
        let Some((first, context)) = &self.first else { return self.become_ready() };
        self.outgoing.push(wire::define(&first.function));
        let callee = Callee::Defined(first.function.id);
        self.outgoing.push(wire::first(callee, &first.arguments, context));
        self.stage = Stage::Preparing;
        self.advance()
    }

    /// Lets it take tasks from the board.
    fn become_ready(&mut self) -> Step {
        self.outgoing.push(wire::begin(self.max_tasks));
        self.outgoing.send(&self.process.control);
        self.stage = Stage::Ready;
        if self.outgoing.is_sent() { Step::Ready } else { Step::Wait }
    }

    /// A worker that dies while it is prepared is like one whose preparation fails.
    fn died(&mut self) -> Step {
        let not = NotStarted::died(&self.process.reap());
        Step::NotStarted(if self.stage == Stage::Preparing { not.for_ever() } else { not })
    }

    fn late(&mut self) -> Step {
        Step::NotStarted(NotStarted::late(&self.process.reap(), PATIENCE))
    }
}

fn launch(program: &Program) -> Result<Process, Error> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let mut child = program.start(theirs.into())?;
    let stderr = child.stderr.take();
    let leader = Leader::of(child)?;
    let stderr = stderr.ok_or_else(|| io::Error::from(ErrorKind::NotConnected))?;
    Ok(Process::new(leader, ours, Stderr::new(stderr.into())?))
}
