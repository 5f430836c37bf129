//! `async:N` keeps up to N futures or coroutines going at once.
//!
//! | address | means |
//! |---|---|
//! | `async:1000` | at most a thousand at once; the others wait their turn |
//! | `async:` | at most 1000 at once |
//!
//! Rust futures run on a tokio runtime of the place's own; Python coroutines run on an event loop in a thread of its
//! own. A running one can be ended: it stops at its next await. A plain function is refused, since it would stop all
//! others while it runs.

mod runtime;
mod tasks;

use crate::address::Address;
use crate::driver::{Driver, Entry, Family, Limits, Serve, Setup, Share, Tasks};
use crate::error::{Error, Kind, Result};
use crate::serve::objects::Names;
use crate::share::Here;
use crate::work::WorkKind;
use std::sync::Arc;
use std::time::Duration;
use tasks::Slots;

/// How many run at once unless the address says.
const AT_ONCE: usize = 1000;

pub(crate) const ENTRY: Entry = Entry {
    scheme: "async",
    about: "on an event loop, many waits at once",
    forms: &["async:", "async:1000"],
    options: &[],
    families: &[Family::Tasks, Family::Share, Family::Serve],
    check: |_| Ok(()),
    open,
};

fn open(address: &Address, _: &Setup) -> Result<Arc<dyn Driver>> {
    let at_once = address.count()?.unwrap_or(AT_ONCE);
    let address = address.clone().with_target(at_once.to_string());
    let (shared, names, slots) = (Here::new(&address), Names::new(&address), Slots::new(at_once));
    Ok(Arc::new(Place { address, at_once, slots, shared, names }))
}

#[derive(Debug)]
struct Place {
    address: Address,
    at_once: usize,
    slots: Arc<Slots>,
    shared: Arc<Here>,
    names: Arc<Names>,
}

impl Driver for Place {
    fn address(&self) -> &Address {
        &self.address
    }

    fn limits(&self) -> Limits {
        Limits { can_kill: true, ..Limits::local(self.at_once, &[WorkKind::Future]) }
    }

    fn tasks(&self) -> Result<Arc<dyn Tasks>> {
        Ok(self.slots.clone())
    }

    fn share(&self) -> Result<Arc<dyn Share>> {
        Ok(self.shared.clone())
    }

    fn serve(&self) -> Result<Arc<dyn Serve>> {
        Ok(self.names.clone())
    }

    fn cancel(&self) {
        self.slots.cancel();
    }

    fn close(&self, _: Duration) -> Result<()> {
        self.shared.close();
        self.names.close();
        if self.slots.close() {
            return Ok(());
        }
        let message = format!(
            "a task of `{}` still runs: it has not come to an await since it was ended",
            self.address
        );
        Err(Error::new(Kind::Timeout, message).at(&self.address).during("close").with_help(
            "run work that does not await in `threads:`, or in `processes:`, where it can be killed",
        ))
    }
}
