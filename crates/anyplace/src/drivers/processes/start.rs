//! From nothing to a worker that is ready: started, greeted, prepared.

use super::bell::Wish;
use super::slot::Slot;
use super::worker::{Death, Event, Outbox, Worker};
use crate::context::Context;
use crate::error::{Error, Kind, Retry};
use crate::outcome::Outcome;
use crate::wire::{self, FromWorker, Hello, Kind as FrameKind, Malformed, PROTOCOL, Welcome};
use crate::work::Pickled;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// A worker that is not ready by then never will be. Interpreters import much on slow disks.
const PATIENCE: Duration = Duration::from_secs(60);

const ENGINE: &str = env!("CARGO_PKG_VERSION");

/// Why there is no worker.
pub(super) enum NotStarted {
    /// It died early: another might not.
    Died(Error),
    /// The machine has no room for another process now: this task is told, the next may have more luck.
    NoRoom(Error),
    /// Every other would fail in the same way.
    Never(Error),
    /// The place is closed, or the task that it is for must end.
    Interrupted,
}

pub(super) fn start(slot: &Slot, wish: &Wish, context: &Context) -> Result<Worker, NotStarted> {
    let mut starting = Starting { slot, wish, worker: spawn(slot)?, deadline: Instant::now() + PATIENCE };
    let hello = Hello {
        protocol: PROTOCOL,
        engine: ENGINE.to_owned(),
        worker: slot.number as u64,
        workers: slot.shared.workers as u64,
    };
    let mut outbox = Outbox::default();
    outbox.push(hello.frame());
    match starting.answer(&mut outbox)? {
        FromWorker::Welcome(welcome) => check_versions(&welcome, slot.shared.setup.language.as_deref())?,
        _ => return Err(starting.talks_nonsense(None)),
    }
    if let Some(first) = &slot.shared.setup.first {
        starting.prepare(first, context)?;
    }
    Ok(starting.worker)
}

fn spawn(slot: &Slot) -> Result<Worker, NotStarted> {
    let started = || {
        let (ours, theirs) = UnixStream::pair()?;
        let child = slot.shared.program.start(theirs.into())?;
        Ok(Worker::new(child, ours)?)
    };
    started().map_err(|error: Error| match error.kind() {
        Kind::NotFound | Kind::PermissionDenied => NotStarted::Never(error),
        Kind::ResourceExhausted => NotStarted::NoRoom(no_room(&error)),
        _ => NotStarted::Died(error.with_retry(Retry::Safe)),
    })
}

fn no_room(error: &Error) -> Error {
    Error::new(Kind::ResourceExhausted, format!("no worker process can be started now: {error}"))
        .with_retry(Retry::Safe)
        .with_help(
            "use fewer workers, end what is not needed, or raise the limits (`ulimit -u`, `ulimit -n`)",
        )
}

struct Starting<'a> {
    slot: &'a Slot,
    wish: &'a Wish,
    worker: Worker,
    deadline: Instant,
}

impl Starting<'_> {
    /// What the worker answers; records for the log go where they belong on the way.
    fn answer(&mut self, outbox: &mut Outbox<'_>) -> Result<FromWorker, NotStarted> {
        loop {
            match self.worker.next(outbox, &self.slot.bell, Some(self.deadline)) {
                Event::Said(FromWorker::Log(record)) => self.slot.log(record),
                Event::Said(answer) => return Ok(answer),
                Event::Malformed(malformed) => return Err(self.talks_nonsense(Some(malformed))),
                Event::Ended => return Err(NotStarted::Died(died(&self.worker.reap()))),
                Event::Late => return Err(NotStarted::Never(late(&self.worker.reap()))),
                Event::Rung if self.wish.made().is_some() || self.slot.shared.is_killing() => {
                    return Err(NotStarted::Interrupted);
                }
                Event::Rung => {}
            }
        }
    }

    /// Does what the place wants done before the first task. A worker that dies over it is like one that fails.
    fn prepare(&mut self, first: &Pickled, context: &Context) -> Result<(), NotStarted> {
        let function = &first.function;
        self.worker.known.call(function);
        let mut outbox = Outbox::default();
        outbox.push(wire::define(function));
        let callee = wire::Callee::Defined(function.id);
        outbox.push(wire::order(FrameKind::First, callee, &first.arguments, context));
        let answer = self.answer(&mut outbox).map_err(|not| match not {
            NotStarted::Died(error) => NotStarted::Never(error),
            not => not,
        })?;
        match answer {
            FromWorker::Reply(Outcome::Returned(_)) => Ok(()),
            FromWorker::Reply(outcome) => Err(NotStarted::Never(unprepared(&function.name, &outcome))),
            _ => Err(self.talks_nonsense(None)),
        }
    }

    fn talks_nonsense(&mut self, malformed: Option<Malformed>) -> NotStarted {
        self.worker.kill();
        let error = Error::new(Kind::Unexpected, "the worker's program does not speak as a worker does")
            .with_log_tail(self.worker.reap().tail)
            .with_retry(Retry::Safe)
            .with_help(
                "its standard input is the place's socket: it must hand it to `worker::serve` untouched",
            );
        NotStarted::Never(match malformed {
            Some(malformed) => error.with_source(malformed),
            None => error,
        })
    }
}

fn check_versions(welcome: &Welcome, language: Option<&str>) -> Result<(), NotStarted> {
    if (welcome.protocol, welcome.engine.as_str()) != (PROTOCOL, ENGINE) {
        let theirs = format!("{} (protocol {})", welcome.engine, welcome.protocol);
        return Err(mismatch(
            &format!("anyplace {ENGINE} (protocol {PROTOCOL})"),
            &format!("anyplace {theirs}"),
        ));
    }
    match language {
        Some(ours) if ours != welcome.language => Err(mismatch(ours, &welcome.language)),
        _ => Ok(()),
    }
}

fn mismatch(ours: &str, theirs: &str) -> NotStarted {
    let message = format!("this side speaks {ours}, the worker's program speaks {theirs}");
    NotStarted::Never(
        Error::new(Kind::VersionMismatch, message)
            .with_retry(Retry::Safe)
            .with_help("let the workers run the same program, interpreter and anyplace as this side"),
    )
}

fn died(death: &Death) -> Error {
    let message = format!("worker process {} died before it was ready: {}", death.pid, death.exit);
    Error::new(Kind::WorkerLost, message)
        .with_exit(death.exit)
        .with_log_tail(death.tail.clone())
        .with_retry(Retry::Safe)
        .with_help("run the workers' program by hand to see why it ends")
}

fn late(death: &Death) -> Error {
    let seconds = PATIENCE.as_secs();
    let message = format!("worker process {} was not ready after {seconds} s and was ended", death.pid);
    Error::new(Kind::Timeout, message).with_log_tail(death.tail.clone()).with_retry(Retry::Safe).with_help(
        "run the workers' program by hand to see what it waits for, and prepare workers in less time",
    )
}

fn unprepared(name: &str, outcome: &Outcome) -> Error {
    let error = Error::new(Kind::WorkerLost, format!("`{name}`, which prepares each worker, failed"))
        .with_retry(Retry::Safe)
        .with_help("the place cannot run tasks without it; correct it and open the place again");
    let Some(cause) = outcome.error() else { return error };
    let error = match cause.remote() {
        Some(remote) => error.with_remote(remote.clone()),
        None => error,
    };
    error.with_source(cause.clone())
}
