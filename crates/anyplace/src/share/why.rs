//! [`Why`]: why nothing goes on in a place. Who has what, who waits for it, and which of them wait for each other.

mod cycles;
mod print;

use super::body::{Body, Held};
use super::shape::Kind;
use super::site::{Site, Visitor};
use super::task;
use anyplace_sync::ground::{self, Ground, Seen};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

/// What the shared objects of a place tell of those who use them: [`Place::why`](crate::Place::why) makes it.
///
/// It is a look at things that go on: who is shown as waiting may have got what it waited for a moment later. A deadlock
/// does not go away by itself.
///
/// ```
/// let place = anyplace::open("threads:2")?;
/// let door = place.lock("door")?;
/// let held = door.acquire()?;
/// assert_eq!(place.why().objects[0].holders.len(), 1);
/// drop(held);
/// assert!(place.why().objects.is_empty(), "nobody has anything");
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// The place's address.
    pub place: String,
    /// The objects that somebody has or waits for.
    pub objects: Vec<Involved>,
    /// Rings of those who wait for each other for ever.
    pub deadlocks: Vec<Deadlock>,
}

/// A shared object that somebody has or waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Involved {
    /// What it is.
    pub kind: Kind,
    /// Its name; empty if it has none.
    pub name: String,
    /// Who has it.
    pub holders: Vec<Who>,
    /// Who waits for it, in the order of the line.
    pub waiters: Vec<Who>,
}

/// Somebody who has an object or waits for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The task's number in its place, and its item's index; `None` if it is no task, or did not tell.
    pub task: Option<(u64, u64)>,
    /// From where it uses the place: the other end of its connection; empty for a process of the place.
    pub from: String,
    /// The process, as its machine counts them.
    pub process: u32,
    /// The thread's number, as the system counts them; 0 if it is not known.
    pub thread: u32,
    /// For how long. Of a holder it is known only once somebody waits.
    pub since: Option<Duration>,
    /// Where in the program it waits; empty for a holder.
    pub line: String,
}

/// A ring: each waits for what the next one has, and the last for what the first has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadlock {
    /// Who waits for what; the holder of that is the one of the next link.
    pub links: Vec<Link>,
}

/// One who waits in a ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Who waits.
    pub who: Who,
    /// The kind of what it waits for.
    pub kind: Kind,
    /// Its name; empty if it has none.
    pub name: String,
}

impl Why {
    /// Nobody has or waits for anything there.
    pub(crate) fn nothing(place: impl fmt::Display) -> Self {
        Self { place: place.to_string(), objects: Vec::new(), deadlocks: Vec::new() }
    }
}

/// A look at the objects of a site, one after the other.
pub(super) struct Look<'s> {
    site: &'s Site,
    /// Who waits, by what for.
    lines: HashMap<u64, Vec<Seen>>,
    involved: Vec<Involved>,
}

impl<'s> Look<'s> {
    pub(super) fn new(site: &'s Site) -> Self {
        Self { site, lines: waiting(site), involved: Vec::new() }
    }

    /// Looks at one.
    pub(super) fn at(&mut self, kind: Kind, name: &str, body: &dyn Body) {
        let site = self.site;
        let line = |monitor| self.lines.remove(&site.name_of(monitor)).unwrap_or_default();
        let mut waiters: Vec<Seen> = body.lines().into_iter().flat_map(line).collect();
        waiters.sort_by_key(|waiter| waiter.since);
        let holders: Vec<Who> = body.holders(site).iter().map(|held| holder(site, held)).collect();
        if !(waiters.is_empty() && holders.is_empty()) {
            let waiters = waiters.iter().map(|seen| waiter(site, seen)).collect();
            self.involved.push(Involved { kind, name: name.to_owned(), holders, waiters });
        }
    }

    pub(super) fn finish(self) -> Why {
        let deadlocks = cycles::find(&self.involved);
        Why { place: self.site.place.clone(), objects: self.involved, deadlocks }
    }
}

/// Who waits, by what for.
fn waiting(site: &Site) -> HashMap<u64, Vec<Seen>> {
    let mut lines: HashMap<u64, Vec<Seen>> = HashMap::new();
    for seen in (1..=site.waiters()).filter_map(|number| site.waiter(number).seen()) {
        lines.entry(seen.object).or_default().push(seen);
    }
    lines
}

fn waiter(site: &Site, seen: &Seen) -> Who {
    let Visitor { from, process } = site.user(seen.party);
    Who {
        task: task::read(seen.task),
        from,
        process,
        thread: seen.thread,
        since: ago(seen.since),
        line: seen.label.clone(),
    }
}

fn holder(site: &Site, held: &Held) -> Who {
    let Visitor { from, process } = site.user(held.party);
    Who {
        task: task::read(held.task),
        from,
        process,
        thread: held.thread,
        since: ago(held.since),
        line: String::new(),
    }
}

fn ago(since: u64) -> Option<Duration> {
    (since != 0).then(|| Duration::from_nanos(ground::now().saturating_sub(since)))
}
