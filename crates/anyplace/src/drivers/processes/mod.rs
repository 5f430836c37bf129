//! `processes:N` runs tasks in N processes of this machine.

pub mod command;

pub use command::{Captured, Finished};

use crate::address::Address;
use crate::driver::{Driver, Entry, Family, Limits, Setup, Tasks};
use crate::error::Result;
use crate::outcome::Done;
use crate::task::Task;
use crate::work::WorkKind;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const ENTRY: Entry = Entry {
    scheme: "processes",
    about: "in processes of this machine",
    forms: &["processes:", "processes:8"],
    options: &[],
    families: &[Family::Tasks],
    check: |_| Ok(()),
    open,
};

fn open(address: &Address, _: &Setup) -> Result<Arc<dyn Driver>> {
    let workers = address.count()?.unwrap_or_else(crate::context::share_of_cores);
    let address = address.clone().with_target(workers.to_string());
    Ok(Arc::new(Place { commands: Arc::new(Commands(command::Slots::new(workers))), workers, address }))
}

#[derive(Debug)]
struct Place {
    address: Address,
    workers: usize,
    commands: Arc<Commands>,
}

#[derive(Debug)]
struct Commands(command::Slots);

impl Driver for Place {
    fn address(&self) -> &Address {
        &self.address
    }

    fn limits(&self) -> Limits {
        Limits {
            workers: self.workers,
            max_payload: None,
            durable: false,
            ordered: true,
            can_kill: true,
            takes: &[WorkKind::Command],
        }
    }

    fn tasks(&self) -> Result<Arc<dyn Tasks>> {
        Ok(self.commands.clone())
    }

    fn close(&self, grace: Duration) -> Result<()> {
        self.commands.0.close(grace);
        Ok(())
    }
}

impl Tasks for Commands {
    fn submit(&self, task: Task, done: Done) {
        self.0.submit(task, done);
    }
}
