//! The roll of parties: which processes share the hall, by number.

use super::layout::Header;
use super::process::Process;
use crate::ground::{MOST_PARTIES, Party};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// The part of the header that says who there is.
#[derive(Clone, Copy)]
pub(super) struct Roll<'h>(pub(super) &'h Header);

impl Roll<'_> {
    /// Gives `process` a number, the one that has been free for longest or about so; `None` if all are in use.
    ///
    /// One operation says who it is: killed before it there is no party, killed after it there is a dead one.
    pub(super) fn enroll(self, process: Process, door: u32) -> Option<Party> {
        let start = self.0.next.fetch_add(1, Relaxed) as usize;
        let numbers = (0..MOST_PARTIES).map(|step| (start + step) % MOST_PARTIES + 1);
        let free = |&party: &usize| {
            self.0.parties[party].compare_exchange(0, process.word(), AcqRel, Relaxed).is_ok()
        };
        let party = numbers.into_iter().find(free)?;
        self.0.doors[party].store(door, Relaxed);
        Some(party as Party)
    }

    /// Nobody has this number any more. All that it held must have been set right.
    pub(super) fn strike(self, party: Party) {
        self.0.parties[party as usize].store(0, Release);
    }

    /// Who has this number.
    pub(super) fn process(self, party: Party) -> Option<Process> {
        let word = self.0.parties.get(party as usize)?.load(Acquire);
        (word != 0).then(|| Process::from_word(word))
    }

    pub(super) fn door(self, party: Party) -> u32 {
        self.0.doors[party as usize].load(Relaxed)
    }

    /// All numbers in use.
    pub(super) fn parties(self) -> impl Iterator<Item = (Party, Process)> {
        (1..=MOST_PARTIES as Party).filter_map(move |party| Some((party, self.process(party)?)))
    }

    /// Parties that have ended and are still on the roll. Asks the system about each.
    pub(super) fn gone(self) -> impl Iterator<Item = Party> {
        let this = Process::this();
        self.parties()
            .filter(move |(_, process)| *process != this && process.is_gone())
            .map(|(party, _)| party)
    }
}
