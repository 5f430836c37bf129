//! Which of a place's threads have not ended, and which of them close the place, from a callback.
//!
//! Who closes a place waits for its threads to end. A callback runs on one of them, which cannot end meanwhile: so
//! nobody who is such a thread waits for itself, nor for another that is in the same position.

use std::collections::HashSet;
use std::thread::{self, JoinHandle, ThreadId};

#[derive(Debug, Default)]
pub(super) struct Crew {
    alive: usize,
    members: HashSet<ThreadId>,
    closing: HashSet<ThreadId>,
}

/// Whom a closer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closer {
    Member,
    Stranger,
}

impl Crew {
    /// A thread is about to be started.
    pub(super) fn add(&mut self) {
        self.alive += 1;
    }

    /// The calling thread has begun.
    pub(super) fn begin(&mut self) {
        self.members.insert(thread::current().id());
    }

    /// The calling thread ends, or one could not begin.
    pub(super) fn leave(&mut self) {
        self.alive -= 1;
        self.members.remove(&thread::current().id());
        self.closing.remove(&thread::current().id());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.alive == 0
    }

    /// The calling thread waits from now on until [`has_gone`](Self::has_gone).
    pub(super) fn closes(&mut self) -> Closer {
        let own = thread::current().id();
        if !self.members.contains(&own) {
            return Closer::Stranger;
        }
        // It stays until its thread ends: others may still wait for it when its own wait is over.
        self.closing.insert(own);
        Closer::Member
    }

    /// Whether all are gone for whom this closer waits.
    pub(super) fn has_gone(&self, closer: Closer) -> bool {
        match closer {
            Closer::Member => self.alive <= self.closing.len(),
            Closer::Stranger => self.is_empty(),
        }
    }

    /// Of these threads those that have ended, but for their last instructions.
    pub(super) fn ended(&self, threads: Vec<JoinHandle<()>>) -> Vec<JoinHandle<()>> {
        threads.into_iter().filter(|thread| !self.closing.contains(&thread.thread().id())).collect()
    }
}
