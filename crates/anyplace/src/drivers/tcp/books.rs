//! Who has which task: the bookkeeping of a client, without any I/O, so that a model can be run against it.
//!
//! README.md tells the states of a task and why each of its ways ends.

use super::window::Window;
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// The tasks of a client, of type `T`, and the servers that do them.
#[derive(Debug)]
pub(super) struct Books<T> {
    waiting: VecDeque<T>,
    servers: Vec<Sheet<T>>,
    given: u64,
}

/// What one server has.
#[derive(Debug)]
struct Sheet<T> {
    window: Window,
    is_here: bool,
    /// By their numbers, so in the order in which they were sent.
    sent: BTreeMap<u64, (T, Instant)>,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<T> {
    /// This server is to get this task, under this number.
    Send(usize, u64, T),
    /// It was cancelled meanwhile.
    Refused(T),
}

impl<T: Clone> Books<T> {
    /// For servers with so many workers each, none of which is here yet.
    pub(super) fn new(workers: impl IntoIterator<Item = usize>) -> Self {
        let sheet = |workers| Sheet { window: Window::new(workers), is_here: false, sent: BTreeMap::new() };
        Self { waiting: VecDeque::new(), servers: workers.into_iter().map(sheet).collect(), given: 0 }
    }

    /// One more task waits.
    pub(super) fn add(&mut self, task: T) {
        self.waiting.push_back(task);
    }

    /// The task that is to be sent next, and to whom: to the server with the most room. `leave` is asked whether it may
    /// still go, and told its number.
    pub(super) fn next(&mut self, now: Instant, leave: impl FnOnce(&T, u64) -> bool) -> Option<Next<T>> {
        let waiting = self.waiting.len();
        let room = |sheet: &Sheet<T>| sheet.window.room(sheet.sent.len(), waiting);
        let here = self.servers.iter().enumerate().filter(|(_, sheet)| sheet.is_here);
        let (server, room) =
            here.map(|(server, sheet)| (server, room(sheet))).max_by_key(|(_, room)| *room)?;
        if room == 0 {
            return None;
        }
        let task = self.waiting.pop_front()?;
        let number = self.given + 1;
        if !leave(&task, number) {
            return Some(Next::Refused(task));
        }
        self.given = number;
        self.servers[server].sent.insert(number, (task.clone(), now));
        Some(Next::Send(server, number, task))
    }

    /// A server says how a task ended: gives the task, if it was still expected.
    pub(super) fn ended(&mut self, server: usize, number: u64, now: Instant) -> Option<T> {
        let sheet = &mut self.servers[server];
        let (task, sent) = sheet.sent.remove(&number)?;
        sheet.window.answered(now.saturating_duration_since(sent));
        Some(task)
    }

    /// Who has the task of this number.
    pub(super) fn holder(&self, number: u64) -> Option<usize> {
        self.servers.iter().position(|sheet| sheet.sent.contains_key(&number))
    }

    /// A server is here: it gets tasks.
    pub(super) fn arrive(&mut self, server: usize) {
        self.servers[server].is_here = true;
    }

    /// A server is away: it gets no tasks, and what it has is in doubt.
    pub(super) fn lose(&mut self, server: usize) {
        let sheet = &mut self.servers[server];
        sheet.is_here = false;
        sheet.window.narrow();
    }

    /// The numbers of the tasks that a server has.
    pub(super) fn numbers(&self, server: usize) -> Vec<u64> {
        self.servers[server].sent.keys().copied().collect()
    }

    /// A server that is back has never begun this task: it waits again, before those that have waited less.
    pub(super) fn take_back(&mut self, server: usize, number: u64) -> Option<&T> {
        let (task, _) = self.servers[server].sent.remove(&number)?;
        self.waiting.push_front(task);
        self.waiting.front()
    }

    /// Takes the one that waits first.
    pub(super) fn take_first(&mut self) -> Option<T> {
        self.waiting.pop_front()
    }

    /// Nobody will say any more what became of this task.
    pub(super) fn give_up(&mut self, server: usize, number: u64) -> Option<T> {
        self.servers[server].sent.remove(&number).map(|(task, _)| task)
    }

    /// Nobody will say any more what became of what this server has.
    pub(super) fn give_up_all(&mut self, server: usize) -> Vec<T> {
        std::mem::take(&mut self.servers[server].sent).into_values().map(|(task, _)| task).collect()
    }

    /// Takes all that wait.
    pub(super) fn take_waiting(&mut self) -> Vec<T> {
        std::mem::take(&mut self.waiting).into()
    }

    /// Whether a server is here.
    pub(super) fn has_server(&self) -> bool {
        self.servers.iter().any(|sheet| sheet.is_here)
    }

    /// Whether nothing waits, and no server has anything.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.servers.iter().all(|sheet| sheet.sent.is_empty())
    }
}

#[cfg(test)]
mod tests;
