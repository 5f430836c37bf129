//! `tcp://host:port` is a place that another process offers, here or on another machine.
//!
//! | address | means |
//! |---|---|
//! | `tcp://host:7777` | the place that is offered there |
//! | `unix:/run/user/1000/any.sock` | one that a process of the same user on this machine offers |
//! | `...?on_disconnect=keep` | our tasks go on there while we are away; otherwise they are ended |
//! | `...?reconnect=2m` | how long the server may be away until what is in doubt is lost |
//!
//! README.md tells what is certain about a task when a conversation is lost, and why.

mod books;
mod desk;
mod given;
mod options;
mod server;
mod window;

use crate::address::Address;
use crate::driver::{Driver, Entry, Family, Limits, Setup, Tasks};
use crate::error::{Error, Kind, Result, Retry};
use crate::net::Endpoint;
use crate::wire::peer::topic::{Offered, travelling};
use crate::work::WorkKind;
use desk::Desk;
use options::Choices;
pub(crate) use options::OPTIONS;
use server::Server;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) const ENTRY: Entry = Entry {
    scheme: "tcp",
    about: "a place that another machine offers",
    forms: &["tcp://host:7777"],
    options: OPTIONS,
    families: &[Family::Tasks],
    check: |_| Ok(()),
    open,
};

/// What was ended has so long to end when the place is closed.
const ENDING: Duration = Duration::from_secs(10);

fn open(address: &Address, _: &Setup) -> Result<Arc<dyn Driver>> {
    Err(Error::new(Kind::Unsupported, "places of other machines are not served yet")
        .at(address)
        .with_retry(Retry::Never)
        .with_help("offer the place at `unix:`"))
}

/// Opens the place that these servers offer together.
pub(crate) fn connect(address: &Address, endpoints: Vec<Endpoint>, setup: &Setup) -> Result<Arc<dyn Driver>> {
    let choices = Choices::read(address)?;
    let servers: Vec<_> = endpoints
        .into_iter()
        .enumerate()
        .map(|(number, endpoint)| Server::new(number, endpoint, &choices, setup))
        .collect();
    let offered: Vec<_> = servers.iter().map(Server::open).collect::<Result<_>>()?;
    let workers: Vec<usize> = offered.iter().map(|offered| offered.workers as usize).collect();
    let desk = Desk::new(address.to_string(), &workers);
    desk.employ(servers.clone());
    for (number, server) in servers.iter().enumerate() {
        server.work_for(&desk);
        server.carry(Vec::new());
        desk.arrive(number);
    }
    Ok(Arc::new(Place { address: address.clone(), limits: limits(&offered), desk }))
}

/// What is true of all of them.
fn limits(offered: &[Offered]) -> Limits {
    Limits {
        workers: offered.iter().map(|offered| (offered.workers as usize).max(1)).sum(),
        max_payload: offered
            .iter()
            .filter_map(|offered| offered.max_payload)
            .min()
            .map(|bytes| bytes as usize),
        durable: false,
        ordered: offered.len() == 1,
        can_kill: offered.iter().all(|offered| offered.can_kill),
        strict: false,
        takes: travelling(|kind: WorkKind| offered.iter().all(|offered| offered.takes.contains(&kind))),
    }
}

#[derive(Debug)]
struct Place {
    address: Address,
    limits: Limits,
    desk: Arc<Desk>,
}

impl Driver for Place {
    fn address(&self) -> &Address {
        &self.address
    }

    fn limits(&self) -> Limits {
        self.limits.clone()
    }

    fn tasks(&self) -> Result<Arc<dyn Tasks>> {
        Ok(self.desk.clone())
    }

    fn cancel(&self) {
        self.desk.cancel();
    }

    fn close(&self, grace: Duration) -> Result<()> {
        let until = Instant::now().checked_add(grace.saturating_add(ENDING));
        self.desk.close(until.unwrap_or_else(|| Instant::now() + ENDING));
        self.desk.servers().iter().for_each(|server| server.close());
        self.desk.leave();
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Nobody is left to hear of it.
        drop(self.close(Duration::ZERO));
    }
}
