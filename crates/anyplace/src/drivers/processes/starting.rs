//! From nothing to a worker that is ready: launched, greeted, prepared. Nothing here waits: whoever starts workers
//! polls what they [wait for](Starting::waits) and lets them [go on](Starting::advance), so one thread can start many.
//!
//! ```text
//!  begin --> Birth --Born--> Greeting --Welcome--> Preparing --Reply--> Ready
//!              |                |                     |
//!              '----------------+---------------------'--> NotStarted
//! ```
//!
//! A worker that is started by exec is born at once; a place without anything to prepare leaves Preparing out.

use super::birth::Birth;
use super::not_started::{ENGINE, NotStarted, check_versions};
use super::outgoing::Outgoing;
use super::process::{Death, Leader, Process};
use super::program::{Launched, Program};
use super::stderr::Stderr;
use crate::context::Context;
use crate::driver::Setup;
use crate::handover;
use crate::outcome::Outcome;
use crate::wire::{self, Callee, FromWorker, Hello, Inbox, Malformed, PROTOCOL, Terms};
use crate::work::{Payload, Pickled};
use rustix::event::{PollFd, PollFlags};
use std::io::ErrorKind;
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
    pub(super) terms: &'a Terms,
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
    birth: Birth,
    control: UnixStream,
    stderr: Stderr,
    /// Descriptors that came with words.
    came: Vec<OwnedFd>,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Birth,
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
        let launched = wanted.program.launch(&wanted.terms.environment).map_err(NotStarted::spawn)?;
        let Launched { control, stderr, birth } = launched;
        let hello = Hello {
            protocol: PROTOCOL,
            engine: ENGINE.to_owned(),
            worker: wanted.worker as u64,
            workers: wanted.workers as u64,
            terms: wanted.terms.clone(),
        };
        let mut starting = Self {
            stage: if birth.leader().is_some() { Stage::Greeting } else { Stage::Birth },
            birth,
            control,
            stderr,
            came: Vec::new(),
            inbox: Inbox::default(),
            outgoing: Outgoing::new(hello.frame(), wanted.shared.clone()),
            closed: false,
            deadline: Instant::now() + PATIENCE,
            language: wanted.setup.language.clone(),
            first: wanted.setup.first.clone().map(|first| (first, wanted.context)),
            max_tasks: wanted.max_tasks,
        };
        starting.send();
        Ok(starting)
    }

    /// Adds what has to be polled before it can go on.
    pub(super) fn waits<'a>(&'a self, waits: &mut Vec<PollFd<'a>>) {
        if !self.closed {
            let sends = self.stage > Stage::Birth && !self.outgoing.is_sent();
            let room = if sends { PollFlags::OUT } else { PollFlags::empty() };
            waits.push(PollFd::new(&self.control, PollFlags::IN | room));
        }
        self.birth.waits(waits);
        waits.extend(self.stderr.pipe().map(|pipe| PollFd::from_borrowed_fd(pipe, PollFlags::IN)));
    }

    /// When it has to be ready: go on then too.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Does what can be done without waiting, up to the next step.
    pub(super) fn advance(&mut self) -> Step {
        // Its end is looked at before its words are read: what it said before it died counts.
        let ended = self.birth.leader().is_some_and(Leader::has_ended);
        self.receive();
        match self.said() {
            Ok(Some(said)) => return self.hear(said),
            Ok(None) => {}
            Err(malformed) => return self.talks_nonsense(Some(malformed)),
        }
        self.send();
        match self.birth.leader() {
            None if self.closed || matches!(self.birth, Birth::Never(_)) => self.not_born(),
            Some(_) if ended => self.died(),
            _ if Instant::now() >= self.deadline => self.late(),
            _ if self.stage == Stage::Ready && self.outgoing.is_sent() => Step::Ready,
            _ => Step::Wait,
        }
    }

    fn send(&mut self) {
        self.birth.ask();
        if self.stage > Stage::Birth {
            self.outgoing.send(&self.control);
        }
    }

    fn said(&mut self) -> Result<Option<FromWorker>, Malformed> {
        self.inbox.next()?.map(|(kind, body)| FromWorker::read(kind, body)).transpose()
    }

    /// The worker, when it is [ready](Step::Ready).
    ///
    /// # Panics
    /// If it is not.
    pub(super) fn finish(self) -> Ready {
        let Birth::Born(leader) = self.birth else { panic!("a worker that is ready is born") };
        let process = Process::new(leader, self.control, self.stderr);
        Ready { process, inbox: self.inbox }
    }

    fn receive(&mut self) {
        let mut buffer = [0; 16 * 1024];
        while self.stderr.pass_on(&mut buffer) {}
        loop {
            match handover::receive(&self.control, &mut buffer, &mut self.came) {
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
            (FromWorker::Born(pid), Stage::Birth) => self.born(pid),
            (FromWorker::Unborn(error, text), Stage::Birth) => {
                Step::NotStarted(NotStarted::unborn(error.cast_signed(), &text))
            }
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
            _ => self.talks_nonsense(None),
        }
    }

    fn born(&mut self, pid: u32) -> Step {
        let pidfd = self.came.pop();
        if !self.birth.tell(pid, pidfd) {
            return self.talks_nonsense(None);
        }
        self.stage = Stage::Greeting;
        self.advance()
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
        self.stage = Stage::Ready;
        self.send();
        if self.outgoing.is_sent() { Step::Ready } else { Step::Wait }
    }

    fn not_born(&self) -> Step {
        Step::NotStarted(NotStarted::spawn(self.birth.failure()))
    }

    /// A worker that dies while it is prepared is like one whose preparation fails.
    fn died(&mut self) -> Step {
        let not = NotStarted::died(&self.death());
        Step::NotStarted(if self.stage == Stage::Preparing { not.for_ever() } else { not })
    }

    fn late(&mut self) -> Step {
        // One that has closed its socket is not late but on its way out.
        if self.closed {
            return self.died();
        }
        Step::NotStarted(match self.birth.leader() {
            Some(_) => NotStarted::late(&self.death(), PATIENCE),
            None => NotStarted::spawn(self.birth.failure()),
        })
    }

    fn talks_nonsense(&mut self, malformed: Option<Malformed>) -> Step {
        Step::NotStarted(NotStarted::talks_nonsense(&self.death(), malformed))
    }

    /// Its end, by now at the latest.
    fn death(&mut self) -> Death {
        Death::of(self.birth.leader_mut(), &mut self.stderr)
    }
}
