//! `tcp://host:port` is a place that another process offers, here or on another machine.
//!
//! | address | means |
//! |---|---|
//! | `tcp://host:7777#ap1...` | the place that is offered there, for who has a ticket |
//! | `tcp://host:7777` | the same, for who is known there: who was there before, or its own user |
//! | `tcp://a:7777#ap1...,b:7777#ap1...` | several together: a task goes to the one with the most room |
//! | `unix:/run/user/1000/any.sock` | one that a process of the same user on this machine offers |
//! | `...?on_disconnect=keep` | our tasks go on there while we are away; otherwise they are ended |
//! | `...?reconnect=2m` | how long the server may be away until what is in doubt is lost |
//!
//! README.md tells what is certain about a task when a conversation is lost, and why.

mod books;
mod desk;
mod given;
mod options;
mod records;
mod server;
mod target;
mod window;

#[cfg(test)]
mod tests;

use crate::address::Address;
use crate::driver::{Driver, Entry, Family, Limits, Serve, Setup, Share, Tasks};
use crate::error::{Error, Result};
use crate::peer::Traffic;
use crate::serve::objects::Objects;
use crate::share::Far;
use crate::wire::peer::topic::{Offered, travelling};
use crate::work::WorkKind;
use desk::Desk;
use options::Choices;
pub(crate) use options::OPTIONS;
use server::Server;
use std::sync::Arc;
use std::time::{Duration, Instant};
pub(crate) use target::Target;

/// What an offered place may have.
pub(crate) const FAMILIES: &[Family] = &[Family::Tasks, Family::Share, Family::Serve];

pub(crate) const ENTRY: Entry = Entry {
    scheme: "tcp",
    about: "a place that another machine offers",
    forms: &["tcp://host:7777", "tcp://host:7777#ap1...", "tcp://a:7777,b:7777"],
    options: OPTIONS,
    families: FAMILIES,
    check: |_| Ok(()),
    open,
};

/// What was ended has so long to end when the place is closed.
const ENDING: Duration = Duration::from_secs(10);

fn open(address: &Address, setup: &Setup) -> Result<Arc<dyn Driver>> {
    connect(address, Target::all(address)?, setup)
}

/// Opens the place that these servers offer together.
pub(crate) fn connect(address: &Address, targets: Vec<Target>, setup: &Setup) -> Result<Arc<dyn Driver>> {
    let choices = Choices::read(address)?;
    if setup.first.is_some() {
        return Err(begins_without_us(address));
    }
    let servers: Vec<_> = targets
        .into_iter()
        .enumerate()
        .map(|(number, target)| Server::new(number, target, &choices, setup))
        .collect::<Result<_>>()?;
    let objects: Vec<_> = servers.iter().map(|_| Objects::of_server()).collect();
    let share = Far::new(address, setup.on_wait.clone());
    for (number, (server, objects)) in servers.iter().zip(&objects).enumerate() {
        let mut traffics: Vec<Arc<dyn Traffic>> = vec![objects.clone()];
        if number == 0 {
            traffics.push(share.clone());
        }
        server.carry(traffics);
    }
    // Without one of them nobody would hear of the others any more.
    let close = |_: &Error| servers.iter().for_each(|server| server.close());
    let offered: Vec<_> = servers.iter().map(Server::open).collect::<Result<_>>().inspect_err(close)?;
    let workers: Vec<usize> = offered.iter().map(|offered| offered.workers as usize).collect();
    let desk = Desk::new(address.to_string(), &workers);
    desk.employ(servers.clone());
    for (number, server) in servers.iter().enumerate() {
        server.work_for(&desk);
        desk.arrive(number);
    }
    let has = |family| offered.iter().all(|offered| offered.families.contains(&family));
    // Of several servers, the first has the names.
    let objects = objects.into_iter().next().filter(|_| has(Family::Serve));
    let (runs, shares) = (has(Family::Tasks), has(Family::Share));
    let limits = limits(&offered);
    Ok(Arc::new(Place { address: address.clone(), limits, desk, runs, shares, share, objects }))
}

/// Workers of others begin as those wish.
fn begins_without_us(address: &Address) -> Error {
    Error::unsupported(
        address,
        "run an initializer",
        "give it to the place that is offered there, or do in each task what it needs",
    )
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
    /// Whether it runs tasks for us.
    runs: bool,
    /// Whether we may use its shared objects.
    shares: bool,
    share: Arc<Far>,
    objects: Option<Arc<Objects>>,
}

impl Driver for Place {
    fn address(&self) -> &Address {
        &self.address
    }

    fn limits(&self) -> Limits {
        self.limits.clone()
    }

    fn tasks(&self) -> Result<Arc<dyn Tasks>> {
        if self.runs {
            return Ok(self.desk.clone());
        }
        Err(Error::unsupported(
            &self.address,
            "run tasks",
            "the place that is offered there runs none, or the ticket does not allow it: its scope needs `run`",
        ))
    }

    fn serve(&self) -> Result<Arc<dyn Serve>> {
        let objects = self.objects.clone().ok_or_else(|| {
            Error::unsupported(
                &self.address,
                "keep objects",
                "the place that is offered there has none, or the ticket does not allow it: its scope needs `share`",
            )
        })?;
        Ok(objects)
    }

    /// What processes of several servers shared would lie with one of them, and be out of reach for the others' tasks.
    fn share(&self) -> Result<Arc<dyn Share>> {
        match self.desk.servers() {
            // It would end the conversation with who asks all the same.
            [_] if !self.shares => Err(Error::unsupported(
                &self.address,
                "share objects",
                "the place that is offered there shares none, or the ticket does not allow it: its scope needs `share`",
            )),
            [_] => Ok(self.share.clone()),
            _ => Err(Error::unsupported(
                &self.address,
                "share objects between several servers",
                "open a place at one of them for what is shared",
            )),
        }
    }

    fn cancel(&self) {
        self.desk.cancel();
    }

    fn close(&self, grace: Duration) -> Result<()> {
        self.share.close();
        self.objects.iter().for_each(|objects| objects.close(&self.address));
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
