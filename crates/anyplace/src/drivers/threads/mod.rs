//! `threads:N` runs closures on N threads of this process.
//!
//! | address | means |
//! |---|---|
//! | `threads:8` | eight threads |
//! | `threads:` | as many as this process may use cores: its affinity and its cgroup's quota count |
//!
//! Threads start when tasks need them and are gone when the place is closed. Tasks begin in the order they were
//! submitted. A task that has not begun can be cancelled; a running one cannot be ended, as no thread can be without
//! harm to the others. A task may wait for tasks that it submits to its own place: its thread runs them itself.

mod tasks;

use crate::address::Address;
use crate::driver::{Driver, Entry, Family, Limits, Serve, Setup, Share, Tasks};
use crate::error::{Error, Kind, Result};
use crate::serve::objects::Names;
use crate::share::Here;
use crate::work::WorkKind;
use std::sync::Arc;
use std::time::Duration;
use tasks::Threads;

pub(crate) const ENTRY: Entry = Entry {
    scheme: "threads",
    about: "on threads of this process",
    forms: &["threads:", "threads:8"],
    options: &[],
    families: &[Family::Tasks, Family::Share, Family::Serve],
    check: |_| Ok(()),
    open,
};

fn open(address: &Address, _: &Setup) -> Result<Arc<dyn Driver>> {
    let workers = address.count()?.unwrap_or_else(crate::context::share_of_cores);
    let address = address.clone().with_target(workers.to_string());
    Ok(Arc::new(Place {
        threads: Arc::new(Threads::new(workers)),
        shared: Here::new(&address),
        names: Names::new(&address),
        workers,
        address,
    }))
}

#[derive(Debug)]
struct Place {
    address: Address,
    workers: usize,
    threads: Arc<Threads>,
    shared: Arc<Here>,
    names: Arc<Names>,
}

impl Driver for Place {
    fn address(&self) -> &Address {
        &self.address
    }

    fn limits(&self) -> Limits {
        Limits::local(self.workers, &[WorkKind::Closure])
    }

    fn tasks(&self) -> Result<Arc<dyn Tasks>> {
        Ok(self.threads.clone())
    }

    fn share(&self) -> Result<Arc<dyn Share>> {
        Ok(self.shared.clone())
    }

    fn serve(&self) -> Result<Arc<dyn Serve>> {
        Ok(self.names.clone())
    }

    fn cancel(&self) {
        self.threads.cancel();
    }

    fn close(&self, grace: Duration) -> Result<()> {
        self.shared.close();
        self.names.close();
        if self.threads.close(grace) {
            return Ok(());
        }
        Err(Error::new(
            Kind::Timeout,
            format!("a task of `{}` still runs, and threads cannot be ended", self.address),
        )
        .at(&self.address)
        .during("close")
        .with_help("give it more time, or run such tasks in `processes:`, where they can be killed"))
    }
}
