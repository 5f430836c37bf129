//! Why there is no worker, told to whoever wanted one.

use super::process::Death;
use crate::error::{Error, Kind, Retry};
use crate::outcome::Outcome;
use crate::wire::{Malformed, PROTOCOL, Welcome};
use std::time::Duration;

/// What both sides must be of the same version of.
pub(super) const ENGINE: &str = env!("CARGO_PKG_VERSION");

/// Why there is no worker.
#[derive(Debug)]
pub(super) enum NotStarted {
    /// It died early: another might not.
    Died(Error),
    /// The machine has no room for another process now: this task is told, the next may have more luck.
    NoRoom(Error),
    /// Every other would fail in the same way.
    Never(Error),
}

impl NotStarted {
    /// What the system said when the process was to be made.
    pub(super) fn spawn(error: Error) -> Self {
        match error.kind() {
            Kind::NotFound | Kind::PermissionDenied => Self::Never(error),
            Kind::ResourceExhausted => Self::NoRoom(no_room(&error)),
            _ => Self::Died(error.with_retry(Retry::Safe)),
        }
    }

    /// What the zygote said when it was to make the process: the system's error, or why it never can.
    pub(super) fn unborn(error: i32, text: &str) -> Self {
        if error != 0 {
            return Self::spawn(std::io::Error::from_raw_os_error(error).into());
        }
        Self::Never(
            Error::new(Kind::WorkerLost, format!("no worker process can be made: {text}"))
                .with_retry(Retry::Safe)
                .with_help("correct what `preload` names, or leave it out"),
        )
    }

    pub(super) fn died(death: &Death) -> Self {
        let message = format!("worker process {} died before it was ready: {}", death.pid, death.exit);
        Self::Died(
            Error::new(Kind::WorkerLost, message)
                .with_exit(death.exit)
                .with_log_tail(death.tail.clone())
                .with_retry(Retry::Safe)
                .with_help("run the workers' program by hand to see why it ends"),
        )
    }

    pub(super) fn late(death: &Death, patience: Duration) -> Self {
        let seconds = patience.as_secs();
        let message = format!("worker process {} was not ready after {seconds} s and was ended", death.pid);
        Self::Never(
            Error::new(Kind::Timeout, message)
                .with_log_tail(death.tail.clone())
                .with_retry(Retry::Safe)
                .with_help(
                "run the workers' program by hand to see what it waits for, and prepare workers in less time",
            ),
        )
    }

    pub(super) fn talks_nonsense(death: &Death, malformed: Option<Malformed>) -> Self {
        let error = Error::new(Kind::Unexpected, "the worker's program does not speak as a worker does")
            .with_log_tail(death.tail.clone())
            .with_retry(Retry::Safe)
            .with_help(
                "its standard input is the place's socket: it must hand it to `worker::serve` untouched",
            );
        Self::Never(match malformed {
            Some(malformed) => error.with_source(malformed),
            None => error,
        })
    }

    /// What was to be done before the first task failed.
    pub(super) fn unprepared(name: &str, outcome: &Outcome) -> Self {
        let error = Error::new(Kind::WorkerLost, format!("`{name}`, which prepares each worker, failed"))
            .with_retry(Retry::Safe)
            .with_help("the place cannot run tasks without it; correct it and open the place again");
        let Some(cause) = outcome.error() else { return Self::Never(error) };
        let error = match cause.remote() {
            Some(remote) => error.with_remote(remote.clone()),
            None => error,
        };
        Self::Never(error.with_source(cause.clone()))
    }

    /// One that died is one after which no other is tried.
    pub(super) fn for_ever(self) -> Self {
        match self {
            Self::Died(error) => Self::Never(error),
            not => not,
        }
    }
}

/// Refuses a worker of another version.
pub(super) fn check_versions(welcome: &Welcome, language: Option<&str>) -> Result<(), NotStarted> {
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

fn no_room(error: &Error) -> Error {
    Error::new(Kind::ResourceExhausted, format!("no worker process can be started now: {error}"))
        .with_retry(Retry::Safe)
        .with_help(
            "use fewer workers, end what is not needed, or raise the limits (`ulimit -u`, `ulimit -n`)",
        )
}
