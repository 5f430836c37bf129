//! `processes:N` runs tasks in N processes of this machine.
//!
//! | address | means |
//! |---|---|
//! | `processes:8` | eight worker processes |
//! | `processes:` | as many as this process may use cores: its affinity and its cgroup's quota count |
//! | `processes:8?max_tasks=100` | each worker is replaced after 100 tasks, so that what leaks is given back |
//! | `processes:8?strict=true` | the death of a worker ends all tasks and breaks the place, as in `concurrent.futures` |
//! | `processes:8?memory=2GiB` | a worker that wants more memory gets an error, which is its task's own |
//! | `processes:4?cpus=0-3` | the workers run on these cores; as many workers as cores where no number says otherwise |
//! | `processes:8?env=OMP_NUM_THREADS=1` | variables of the workers' environment, `NAME=VALUE` joined by commas |
//! | `processes:8?start=exec` | how workers come into being: see below |
//! | `processes:8?preload=numpy` | modules that workers find imported, joined by commas |
//!
//! # How workers start
//!
//! | `start=` | a worker is | ready after |
//! |---|---|---|
//! | `zygote` | a fork of a small clean process of the workers' language, which is started when the place opens and is shared by all places of the program; this is so unless another is named | a few ms |
//! | `exec` | a program of its own, started from nothing; Rust programs always do this, which takes 2 ms there | as the language takes to start |
//! | `fork` | a fork of the calling Python process as it is when a task needs the worker: it has all its globals, open files and memory. A fork copies only the thread that forks: locks that other threads hold at that moment stay locked, and libraries that have threads (BLAS, gRPC, CUDA) may hang or crash. Python programs only. | 1-20 ms, as the process is large |
//!
//! Workers are started when tasks need them, and are gone when the place is closed, or when this process ends
//! in whichever way. Tasks begin in the order they were submitted. Each function is sent once to each worker.
//!
//! A crash costs the task that crashed and nothing else: its error names the process, the signal or exit code and the
//! worker's last lines; the worker is replaced. A running task can be killed, with all that it has started, and is
//! when its time limit is over.
//!
//! Programs that rely on the opposite ask for it by `strict=true`. There the death of a worker, whoever killed it and
//! whether it ran something or not, breaks the place for ever: the tasks that have not ended are lost, the other workers
//! are ended, and whoever submits is told at once. A Python argument or result that cannot be read breaks it, too.
//!
//! Commands run as children of this process, without a worker between; see [`command`].
//!
//! Rust programs call [`anyplace::init`](crate::init) first in `main`, so that they can be their own workers.

pub mod command;

mod announced;
mod away;
mod backlog;
mod bell;
mod birth;
mod blame;
mod callbacks;
mod desk;
mod functions;
mod home;
mod keeper;
mod memory;
mod not_started;
mod objects;
mod options;
mod outgoing;
mod posted;
mod process;
mod program;
mod starting;
mod station;
mod stderr;
mod workers;
mod zygote;

pub(crate) use callbacks::Callbacks;
pub(crate) use memory::{block_at, position};

use crate::Address;
use crate::driver::{Driver, Entry, Family, Limits, Memory, Serve, Setup, Share, Tasks};
use crate::error::{Error, Kind, Result};
use crate::outcome::Done;
use crate::task::Task;
use crate::work::WorkKind;
use options::Choices;
use rustix::process::{PidfdFlags, getpid, pidfd_open};
use std::sync::Arc;
use std::time::{Duration, Instant};
use workers::Workers;

pub(crate) const ENTRY: Entry = Entry {
    scheme: "processes",
    about: "in processes of this machine",
    forms: &["processes:", "processes:8", "processes:8?max_tasks=100", "processes:4?memory=2GiB&cpus=0-3"],
    options: options::OPTIONS,
    families: &[Family::Tasks, Family::Share, Family::Serve],
    check,
    open,
};

fn open(address: &Address, setup: &Setup) -> Result<Arc<dyn Driver>> {
    let choices = Choices::read(address, setup)?;
    let workers = address.count()?.unwrap_or_else(|| choices.cores());
    let address = address.clone().with_target(workers.to_string());
    let objects = objects::Hosts::new(workers, &choices, setup, &address);
    let tasks = Arc::new(Both {
        workers: Workers::new(workers, choices, setup, &address)?,
        commands: command::Slots::new(workers),
    });
    Ok(Arc::new(Place { address, workers, tasks, objects }))
}

/// The kernel must tell when a process ends, without a signal to the whole program.
fn check(_: &Setup) -> Result<()> {
    let own = pidfd_open(getpid(), PidfdFlags::empty());
    own.map(drop).map_err(|error| {
        Error::new(Kind::Unsupported, format!("this kernel does not let processes be watched: {error}"))
            .with_help(
                "`processes:` needs Linux 5.3, and a sandbox that allows pidfd_open; open `threads:` here",
            )
    })
}

#[derive(Debug)]
struct Place {
    address: Address,
    workers: usize,
    tasks: Arc<Both>,
    objects: Arc<objects::Hosts>,
}

impl Driver for Place {
    fn address(&self) -> &Address {
        &self.address
    }

    fn limits(&self) -> Limits {
        Limits {
            can_kill: true,
            strict: self.tasks.workers.is_strict(),
            ..Limits::local(self.workers, &[WorkKind::Named, WorkKind::Pickled, WorkKind::Command])
        }
    }

    fn tasks(&self) -> Result<Arc<dyn Tasks>> {
        Ok(self.tasks.clone())
    }

    fn share(&self) -> Result<Arc<dyn Share>> {
        Ok(self.tasks.workers.halls().clone())
    }

    fn serve(&self) -> Result<Arc<dyn Serve>> {
        Ok(self.objects.serve())
    }

    fn memory(&self) -> Option<Arc<dyn Memory>> {
        self.tasks.workers.memory()
    }

    fn attend(&self) {
        self.tasks.workers.attend();
    }

    fn broken(&self) -> Option<Error> {
        self.tasks.workers.broken()
    }

    fn reject(&self, unreadable: Error) -> Option<Error> {
        self.tasks.workers.reject(unreadable)
    }

    fn cancel(&self) {
        self.tasks.commands.cancel();
        self.tasks.workers.cancel();
    }

    fn close(&self, grace: Duration) -> Result<()> {
        let closing = Instant::now();
        self.tasks.workers.halls().close();
        self.objects.close(grace);
        self.tasks.commands.close(grace);
        self.tasks.workers.close(grace.saturating_sub(closing.elapsed()));
        Ok(())
    }
}

/// Functions go to workers; a command is a process of its own and needs none between.
#[derive(Debug)]
struct Both {
    workers: Workers,
    commands: command::Slots,
}

impl Tasks for Both {
    fn submit(&self, task: Task, done: Done) {
        match task.work.kind() {
            WorkKind::Command => self.commands.submit(task, done),
            _ => self.workers.submit(task, done),
        }
    }
}
