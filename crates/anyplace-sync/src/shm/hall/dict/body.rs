//! A dict as it lies in the hall, and what is done to it inside its monitor.

use super::table::{self, Spot, Table};
use crate::ground::{Inside, Monitor, Party};
use crate::shm::hall::Hall;
use crate::shm::hall::layout::Entry;
use crate::shm::segment::Shared;
use crate::shm::{Deposit, Full};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// How long the block of an empty dict is, in bytes.
pub(super) const FIRST: usize = 4096;

/// What stands in an entry for a dict. (Public only as the body of an object.)
#[derive(Debug, Default)]
#[repr(C)]
pub struct DictBody {
    state: Monitor,
    len: AtomicU64,
    /// Spots of the index in use, and words of entries.
    places: AtomicU64,
    used: AtomicU64,
    /// How many keys ever came.
    keys: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Shared for DictBody {}

/// A dict, inside its monitor.
pub(super) struct Within<'d> {
    hall: &'d Hall,
    entry: &'d Entry,
    body: &'d DictBody,
    _inside: Inside<'d, Hall>,
}

impl DictBody {
    pub(super) fn len(&self) -> usize {
        self.len.load(Acquire) as usize
    }

    /// Enters, and counts again if one died inside: what it counted may not be true.
    pub(super) fn enter<'d>(&'d self, hall: &'d Hall, entry: &'d Entry) -> Within<'d> {
        let inside = self.state.enter(hall);
        let was_left = inside.was_left();
        let within = Within { hall, entry, body: self, _inside: inside };
        if was_left {
            within.repair();
        }
        within
    }

    pub(in crate::shm::hall) fn bury(&self, hall: &Hall, entry: &Entry, _party: Party) {
        drop(self.enter(hall, entry));
    }
}

impl<'d> Within<'d> {
    pub(super) fn table(&self) -> Table<'d> {
        Table::new(self.hall.storage(self.entry))
    }

    pub(super) fn find(&self, key: &[u8]) -> Spot<'d> {
        self.table().find(table::hash(key), key)
    }

    /// Makes `value` what `key` stands for.
    pub(super) fn set(&self, key: &[u8], value: &[u8]) -> Result<(), Full> {
        self.make_room(table::needed(key, value))?;
        let (table, hash) = (self.table(), table::hash(key));
        let start = self.body.used.load(Relaxed);
        let (place, order) = match table.find(hash, key) {
            Spot::Here(place, found) => (place, Some(found.order())),
            Spot::Free(place) => (place, None),
            Spot::Nowhere => return Err(Full::Space { wanted: 8, left: 0 }),
        };
        let is_new = table.is_new(place);
        table.write(start as usize, hash, order.unwrap_or_else(|| self.next_order()), key, value);
        self.body.used.store(start + table::needed(key, value) as u64, Release);
        table.name(place, start as usize);
        self.body.places.fetch_add(is_new.into(), Relaxed);
        self.body.len.fetch_add(order.is_none().into(), Release);
        Ok(())
    }

    fn next_order(&self) -> u64 {
        self.body.keys.fetch_add(1, Relaxed)
    }

    pub(super) fn remove(&self, place: usize) {
        self.table().remove(place);
        self.body.len.fetch_sub(1, Release);
    }

    fn make_room(&self, words: usize) -> Result<(), Full> {
        let table = self.table();
        let is_room = self.body.used.load(Relaxed) as usize + words <= table.room();
        if is_room && (self.body.places.load(Relaxed) as usize) < table.most() {
            return Ok(());
        }
        self.move_to((table.live() + words).max(self.body.len() * 8) * 8 * 3)
    }

    pub(super) fn clear(&self) -> Result<(), Full> {
        let block = self.hall.blank(FIRST)?;
        let new = block.as_deposit()?;
        self.hall.exchange_storage(self.entry, block, new);
        self.count();
        Ok(())
    }

    /// Moves to a block of about so many bytes, without what is no longer needed.
    fn move_to(&self, len: usize) -> Result<(), Full> {
        let block = self.hall.blank(len.max(FIRST))?;
        let new = block.as_deposit()?;
        let words = self.hall.words_of(new).ok_or(Full::Space { wanted: len as u64, left: 0 })?;
        self.table().copy_to(Table::new(words));
        self.hall.exchange_storage(self.entry, block, new);
        self.count();
        Ok(())
    }

    fn count(&self) {
        let [len, places, used] = self.table().count();
        self.body.len.store(len, Release);
        self.body.places.store(places, Relaxed);
        self.body.used.store(used, Relaxed);
    }

    /// The block of the dict is one of those that were on their way, or none of them.
    fn repair(&self) {
        let kept = self.entry.storage.load(Acquire);
        for word in &self.entry.moving {
            if let Some(block) = Deposit::from_word(word.load(Acquire)).filter(|block| block.word() != kept) {
                self.hall.memory().discard(block);
            }
            word.store(0, Release);
        }
        self.count();
    }
}
