//! What becomes of what a dead party held. Any party may do it, several may want to at once, and whoever does may be
//! killed half way: everything is done in an order in which it can be done again.

use super::Hall;
use super::dict::DictBody;
use super::kind::Kind;
use super::layout::Entry;
use super::pipe::PipeBody;
use super::queue::QueueBody;
use super::roll::Roll;
use super::state::{Phase, State};
use crate::ground::{Ground, Party, Waiter};
use crate::{Barrier, Condition, Event, Lock, RLock, Semaphore};
use std::sync::atomic::Ordering::AcqRel;

impl Hall {
    /// Buries all parties that are no more, unless somebody else is at it.
    pub(super) fn bury_all(&self) {
        let roll = Roll(self.header());
        let grave = &self.header().grave;
        let somebody = grave.holder();
        let is_busy = somebody != 0 && !self.is_gone(somebody);
        if is_busy || roll.gone().next().is_none() {
            return;
        }
        // A party is struck off inside: nobody buries one whose number has passed to another.
        let _inside = grave.enter(self);
        roll.gone().for_each(|party| self.bury(party));
    }

    /// Sets right what `party` left, and strikes it off the roll: last, so that it is buried again if we are killed.
    pub(super) fn bury(&self, party: Party) {
        let desk = self.desk();
        for (_, entry, state) in self.live() {
            self.bury_at(entry, state, party);
        }
        for (number, entry, _) in self.live() {
            self.close_for(&desk, number, entry, party);
        }
        drop(desk);
        self.finish_rows();
        // It is in no line any more: whoever gets one of its records now stands in none.
        (1..=self.waiters())
            .map(|number| self.waiter(number))
            .filter(|waiter| waiter.party() == party)
            .for_each(Waiter::give);
        self.memory().sweep(party as usize - 1);
        Roll(self.header()).strike(party);
    }

    fn bury_at(&self, entry: &Entry, state: State, party: Party) {
        match state.kind() {
            Some(Kind::Lock) => self.body::<Lock>(entry).bury(self, party),
            Some(Kind::RLock) => self.body::<RLock>(entry).bury(self, party),
            Some(Kind::Semaphore) => self.body::<Semaphore>(entry).bury(self, party),
            Some(Kind::Condition) => self.body::<Condition>(entry).bury(self, party),
            Some(Kind::Event) => self.body::<Event>(entry).bury(self, party),
            Some(Kind::Barrier) => self.body::<Barrier>(entry).bury(self, party),
            Some(Kind::Pipe) => self.body::<PipeBody>(entry).bury(self, party),
            Some(Kind::Dict) => self.body::<DictBody>(entry).bury(self, entry, party),
            Some(Kind::Queue | Kind::Lifo | Kind::Priority) => {
                self.body::<QueueBody>(entry).bury(self, entry, party);
            }
            _ => {}
        }
    }

    /// `party` has the object open no more. (At the desk.)
    pub(super) fn close_for(&self, desk: &super::desk::Desk<'_>, number: u32, entry: &Entry, party: Party) {
        let (word, bit) = opener(entry, party);
        let had = word.fetch_and(!bit, AcqRel) & bit != 0;
        if had && super::desk::is_unused(entry) {
            self.end(desk, number, entry);
        }
    }

    /// All live objects.
    pub(super) fn live(&self) -> impl Iterator<Item = (u32, &Entry, State)> {
        self.entries().filter(|(_, _, state)| state.phase() == Phase::Live)
    }
}

/// The bit that says that `party` has the object open.
pub(super) fn opener(entry: &Entry, party: Party) -> (&std::sync::atomic::AtomicU64, u64) {
    (&entry.openers[party as usize / 64], 1 << (party % 64))
}
