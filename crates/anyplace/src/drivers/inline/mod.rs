//! `inline:` runs each task in the caller, before `submit` returns: for debuggers, for teaching, for one core.
//!
//! | address | means |
//! |---|---|
//! | `inline:` | run here, now |
//!
//! Tasks begin and end in the order they are submitted. A map runs an item when its result is asked for. Nothing can
//! be cancelled, since nothing waits; nothing can be ended, since the caller itself runs it.

use crate::address::Address;
use crate::driver::{Driver, Entry, Family, Limits, Serve, Setup, Share, Tasks};
use crate::error::{Error, Result};
use crate::outcome::Done;
use crate::serve::objects::Names;
use crate::share::Here;
use crate::task::Task;
use crate::work::WorkKind;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const ENTRY: Entry = Entry {
    scheme: "inline",
    about: "in the caller, one task after the other",
    forms: &["inline:"],
    options: &[],
    families: &[Family::Tasks, Family::Share, Family::Serve],
    check: |_| Ok(()),
    open,
};

fn open(address: &Address, _: &Setup) -> Result<Arc<dyn Driver>> {
    if !address.target().is_empty() {
        let message = format!("`{address}` gives a number, but `inline:` has one worker: the caller");
        return Err(Error::config(message)
            .during("open")
            .with_help("write `inline:`, or `threads:8` for eight workers"));
    }
    Ok(Arc::new(Inline { shared: Here::new(address), names: Names::new(address), address: address.clone() }))
}

#[derive(Debug)]
struct Inline {
    address: Address,
    shared: Arc<Here>,
    names: Arc<Names>,
}

impl Driver for Inline {
    fn address(&self) -> &Address {
        &self.address
    }

    fn limits(&self) -> Limits {
        Limits::local(0, &[WorkKind::Closure])
    }

    fn tasks(&self) -> Result<Arc<dyn Tasks>> {
        Ok(Arc::new(Caller))
    }

    fn share(&self) -> Result<Arc<dyn Share>> {
        Ok(self.shared.clone())
    }

    fn serve(&self) -> Result<Arc<dyn Serve>> {
        Ok(self.names.clone())
    }

    fn close(&self, _: Duration) -> Result<()> {
        self.shared.close();
        self.names.close();
        Ok(())
    }
}

#[derive(Debug)]
struct Caller;

impl Tasks for Caller {
    fn submit(&self, task: Task, done: Done) {
        // A task inside a task shares this thread with it, so it counts on the same share of the cores.
        let workers = crate::current().map_or(1, |outer| outer.workers);
        crate::worker::run(task, done, 0, workers);
    }
}
