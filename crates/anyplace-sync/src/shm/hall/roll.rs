//! The roll of parties: which processes share the hall, by number.

use super::layout::Header;
use super::process::Process;
use crate::ground::{MOST_PARTIES, Party};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// For those who find no other number: they bury the dead with it, and give it back.
pub(super) const LAST: Party = MOST_PARTIES as Party;
/// The most processes that can share a hall at a time.
pub(super) const MOST: u32 = LAST - 1;

/// The part of the header that says who there is.
#[derive(Clone, Copy)]
pub(super) struct Roll<'h>(pub(super) &'h Header);

impl Roll<'_> {
    /// The numbers that a process may have, the one that has been free for longest first, or about so.
    pub(super) fn numbers(self) -> impl Iterator<Item = Party> {
        let start = self.0.next.fetch_add(1, Relaxed) % MOST;
        (0..MOST).map(move |step| (start + step) % MOST + 1)
    }

    /// Gives `process` the first of these numbers that is free; `None` if all are in use.
    ///
    /// One operation says who it is: killed before it there is no party, killed after it there is a dead one.
    pub(super) fn enroll(
        self,
        process: Process,
        door: u32,
        numbers: impl IntoIterator<Item = Party>,
    ) -> Option<Party> {
        let free = |&party: &Party| {
            let word = &self.0.parties[party as usize];
            word.compare_exchange(0, process.word(), AcqRel, Relaxed).is_ok()
        };
        let party = numbers.into_iter().find(free)?;
        self.0.doors[party as usize].store(door, Relaxed);
        Some(party)
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
