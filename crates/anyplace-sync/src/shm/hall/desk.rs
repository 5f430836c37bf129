//! The desk: where objects are made, found by name, opened and ended, by one thread at a time.

use super::Hall;
use super::error::HallError;
use super::kind::Kind;
use super::layout::{Entry, OBJECTS};
use super::making::Making;
use super::name::Name;
use super::object::Body;
use super::pipe::PipeBody;
use super::queue::QueueBody;
use super::state::{Phase, State};
use crate::ground::Inside;
use crate::shm::Deposit;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// The right to change which objects there are. It is never asked for inside a monitor.
pub(super) struct Desk<'h>(#[allow(dead_code, reason = "leaves the monitor when dropped")] Inside<'h, Hall>);

/// Whether one who died at the desk left it so.
fn is_half_done(&(_, entry, state): &(u32, &Entry, State)) -> bool {
    match state.phase() {
        Phase::Free => false,
        Phase::Making | Phase::Ending => true,
        // Closed by the last who had it open, and not ended.
        Phase::Live => is_unused(entry),
    }
}

/// Whether it has no name, and nobody has it open.
pub(super) fn is_unused(entry: &Entry) -> bool {
    entry.name_len.load(Acquire) == 0 && entry.openers.iter().all(|word| word.load(Acquire) == 0)
}

impl Hall {
    /// Enters, and finishes what one who died there had begun.
    pub(super) fn desk(&self) -> Desk<'_> {
        let inside = self.header().desk.enter(self);
        let was_left = inside.was_left();
        let desk = Desk(inside);
        if was_left {
            self.entries().filter(is_half_done).for_each(|(number, entry, _)| self.end(&desk, number, entry));
        }
        desk
    }

    /// The live object of that name.
    pub(super) fn find(&self, _desk: &Desk<'_>, name: &Name) -> Option<(u32, &Entry, State)> {
        self.live().find(|(_, entry, _)| name.is_of(entry))
    }

    /// Makes an object and has this process open it.
    pub(super) fn make(
        &self,
        desk: &Desk<'_>,
        name: Option<&Name>,
        kind: Kind,
        begin: impl FnOnce(&Making<'_>) -> Result<(), HallError>,
    ) -> Result<(u32, &Entry, State), HallError> {
        let (number, entry) = self.vacancy(desk)?;
        let state = State(entry.state.load(Relaxed)).next(kind);
        entry.state.store(state.0, Release);
        if let Some(name) = name {
            name.write(entry);
        }
        match begin(&Making { hall: self, number, entry }) {
            Ok(()) => {
                self.open_at(desk, number, entry);
                let live = state.at(Phase::Live);
                entry.state.store(live.0, Release);
                Ok((number, entry, live))
            }
            Err(error) => {
                self.end(desk, number, entry);
                Err(error)
            }
        }
    }

    /// An entry that holds nothing.
    fn vacancy(&self, _desk: &Desk<'_>) -> Result<(u32, &Entry), HallError> {
        let used = self.header().objects.load(Relaxed);
        let hint = self.vacant.load(Relaxed).min(used);
        let is_free = |entry: &&Entry| State(entry.state.load(Relaxed)).phase() == Phase::Free;
        let free = |number| Some((number, self.entry(number).filter(is_free)?));
        if let Some((number, entry)) = (hint..used).chain(0..hint).find_map(free) {
            self.vacant.store(number + 1, Relaxed);
            return Ok((number, entry));
        }
        if used >= OBJECTS.most() {
            return Err(HallError::TooMany { what: "shared objects", most: OBJECTS.most() });
        }
        self.objects.ensure::<Entry>(self, &self.header().object_rows, used)?;
        self.header().objects.store(used + 1, Release);
        self.vacant.store(used + 1, Relaxed);
        Ok((used, self.entry(used).expect("its row was made")))
    }

    /// This process has the object open from now on.
    pub(super) fn open_at(&self, _desk: &Desk<'_>, number: u32, entry: &Entry) {
        self.counts.add(number);
        let (word, bit) = super::bury::opener(entry, self.seat().party);
        word.fetch_or(bit, AcqRel);
    }

    /// Takes an object apart that nobody has open. Whoever finds it half done does it again: each deposit is discarded
    /// once, however often it is tried.
    pub(super) fn end(&self, desk: &Desk<'_>, number: u32, entry: &Entry) {
        let state = State(entry.state.load(Relaxed));
        entry.state.store(state.at(Phase::Ending).0, Release);
        self.empty(desk, entry, state.kind());
        for word in entry.moving.iter().chain([&entry.storage]) {
            if let Some(deposit) = Deposit::from_word(word.load(Acquire)) {
                self.memory().discard(deposit);
            }
        }
        let words = entry.moving.iter().chain(&entry.openers).chain(&entry.name).chain(&entry.body);
        words.chain([&entry.storage, &entry.name_len]).for_each(|word| word.store(0, Relaxed));
        entry.state.store(state.at(Phase::Free).0, Release);
        self.vacant.fetch_min(number, Relaxed);
    }

    /// Discards what the object holds besides its own block.
    fn empty(&self, desk: &Desk<'_>, entry: &Entry, kind: Option<Kind>) {
        if kind == Some(Kind::Pipe) {
            self.body::<PipeBody>(entry).empty(self, desk);
        }
        if kind.is_some_and(QueueBody::suits) {
            self.body::<QueueBody>(entry).empty(self, entry);
        }
    }

    /// The entry of that number, if one was made.
    pub(super) fn entry(&self, number: u32) -> Option<&Entry> {
        let offset = self.objects.offset::<Entry>(self, &self.header().object_rows, number)?;
        Some(&self.segment().shared(offset, 1)[0])
    }

    /// All entries ever used.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u32, &Entry, State)> {
        let used = self.header().objects.load(Acquire).min(OBJECTS.most());
        (0..used).filter_map(|number| {
            let entry = self.entry(number)?;
            Some((number, entry, State(entry.state.load(Acquire))))
        })
    }
}
