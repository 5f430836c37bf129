//! `processes:N` runs tasks in N processes of this machine.
//!
//! | address | means |
//! |---|---|
//! | `processes:8` | eight worker processes |
//! | `processes:` | as many as this process may use cores: its affinity and its cgroup's quota count |
//! | `processes:8?max_tasks=100` | each worker is replaced after 100 tasks, so that what leaks is given back |
//! | `processes:8?strict=true` | the death of a worker ends all tasks and breaks the place, as in `concurrent.futures` |
//!
//! Workers are started by exec, when tasks need them, and are gone when the place is closed, or when this process ends
//! in whichever way. Tasks begin in the order they were submitted. Each function is sent once to each worker.
//!
//! A crash costs the task that crashed and nothing else: its error names the process, the signal or exit code and the
//! worker's last lines; the worker is replaced. A running task can be killed, with all that it has started, and is
//! when its time limit is over.
//!
//! Commands run as children of this process, without a worker between; see [`command`].
//!
//! Rust programs call [`anyplace::init`](crate::init) first in `main`, so that they can be their own workers.

pub mod command;

mod announced;
mod away;
mod bell;
mod blame;
mod callbacks;
mod desk;
mod functions;
mod keeper;
mod memory;
mod not_started;
mod outgoing;
mod posted;
mod process;
mod program;
mod starting;
mod station;
mod stderr;
mod workers;

pub(crate) use memory::{block_at, position};

use crate::Address;
use crate::driver::{Driver, Entry, Family, Limits, Memory, Setup, Tasks};
use crate::error::{Error, Kind, Result};
use crate::outcome::Done;
use crate::task::Task;
use crate::work::WorkKind;
use desk::Options;
use rustix::process::{PidfdFlags, getpid, pidfd_open};
use std::sync::Arc;
use std::time::{Duration, Instant};
use workers::Workers;

pub(crate) const ENTRY: Entry = Entry {
    scheme: "processes",
    about: "in processes of this machine",
    forms: &["processes:", "processes:8", "processes:8?max_tasks=100"],
    options: &[
        ("max_tasks", "replace each worker after this many tasks"),
        ("strict", "the death of a worker breaks the place, as in concurrent.futures"),
    ],
    families: &[Family::Tasks],
    check,
    open,
};

fn open(address: &Address, setup: &Setup) -> Result<Arc<dyn Driver>> {
    let workers = address.count()?.unwrap_or_else(crate::context::share_of_cores);
    let options = Options { workers, max_tasks: max_tasks(address)?, strict: is_strict(address)? };
    let address = address.clone().with_target(workers.to_string());
    let tasks = Arc::new(Both {
        workers: Workers::new(options, setup, &address)?,
        commands: command::Slots::new(workers),
    });
    Ok(Arc::new(Place { address, workers, tasks }))
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

fn max_tasks(address: &Address) -> Result<u64> {
    let wanted = "a whole number from 1 on, such as `max_tasks=100`";
    match address.options().parse("max_tasks", wanted)? {
        Some(0) => Err(Error::config("a worker cannot be replaced after 0 tasks")
            .at(address)
            .during("open")
            .with_help(format!("write {wanted}"))),
        number => Ok(number.unwrap_or(u64::MAX)),
    }
}

fn is_strict(address: &Address) -> Result<bool> {
    Ok(address.options().parse("strict", "`strict=true` or `strict=false`")?.unwrap_or(false))
}

#[derive(Debug)]
struct Place {
    address: Address,
    workers: usize,
    tasks: Arc<Both>,
}

impl Driver for Place {
    fn address(&self) -> &Address {
        &self.address
    }

    fn limits(&self) -> Limits {
        Limits {
            can_kill: true,
            ..Limits::local(self.workers, &[WorkKind::Named, WorkKind::Pickled, WorkKind::Command])
        }
    }

    fn tasks(&self) -> Result<Arc<dyn Tasks>> {
        Ok(self.tasks.clone())
    }

    fn memory(&self) -> Option<Arc<dyn Memory>> {
        self.tasks.workers.memory()
    }

    fn attend(&self) {
        self.tasks.workers.attend();
    }

    fn cancel(&self) {
        self.tasks.commands.cancel();
        self.tasks.workers.cancel();
    }

    fn close(&self, grace: Duration) -> Result<()> {
        let closing = Instant::now();
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
