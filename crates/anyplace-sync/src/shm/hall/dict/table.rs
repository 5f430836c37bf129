//! The words of a dict: an index, and the entries behind it, one behind the other.
//!
//! ```text
//! | index: a power of two of words | entries: hash, length of key, of value, number in order, key, value | free |
//! ```
//!
//! An entry is written where nobody looks yet; one store in the index makes it the one for its key, or none. So a process
//! killed anywhere has changed a key or has not. What is no longer named is left behind when the dict moves to another block.

use super::super::words;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// In the index: never used, and used before. Anything else is where an entry begins, plus two.
const NEVER: u64 = 0;
const REMOVED: u64 = 1;

/// What stands before an entry's key.
const HEAD: usize = 4;

#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    index: &'a [AtomicU64],
    entries: &'a [AtomicU64],
}

/// Where a key is, or would be.
pub(super) enum Spot<'a> {
    Here(usize, Found<'a>),
    Free(usize),
    /// The index is full.
    Nowhere,
}

/// An entry.
#[derive(Clone, Copy)]
pub(super) struct Found<'a>(&'a [AtomicU64]);

impl<'a> Found<'a> {
    fn word(self, number: usize) -> usize {
        self.0[number].load(Relaxed) as usize
    }

    /// What is left for its key and value, whatever its lengths say.
    fn value_start(self) -> usize {
        (HEAD + words::of(self.word(1))).min(self.0.len())
    }

    pub(super) fn order(self) -> u64 {
        self.0[3].load(Relaxed)
    }

    pub(super) fn key(self) -> Vec<u8> {
        words::read(&self.0[HEAD..], self.word(1))
    }

    pub(super) fn value(self) -> Vec<u8> {
        words::read(&self.0[self.value_start()..], self.word(2))
    }

    pub(super) fn value_is(self, bytes: &[u8]) -> bool {
        self.word(2) == bytes.len() && words::are(&self.0[self.value_start()..], bytes)
    }

    fn is_for(self, hash: u64, key: &[u8]) -> bool {
        self.0[0].load(Relaxed) == hash && self.word(1) == key.len() && words::are(&self.0[HEAD..], key)
    }

    fn words(self) -> &'a [AtomicU64] {
        let end = self.value_start().saturating_add(words::of(self.word(2)));
        &self.0[..end.min(self.0.len())]
    }
}

/// How many words an entry takes.
pub(super) fn needed(key: &[u8], value: &[u8]) -> usize {
    HEAD + words::of(key.len()) + words::of(value.len())
}

/// The same for all processes.
pub(super) fn hash(key: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let (whole, rest) = key.as_chunks::<8>();
    let mut padded = [0; 8];
    padded[..rest.len()].copy_from_slice(rest);
    let mix =
        |hash: u64, bytes: [u8; 8]| (hash ^ u64::from_le_bytes(bytes)).wrapping_mul(FACTOR).rotate_left(29);
    let hash = mix(whole.iter().copied().fold(key.len() as u64, mix), padded);
    hash ^ hash >> 32
}

impl<'a> Table<'a> {
    pub(super) fn new(words: &'a [AtomicU64]) -> Self {
        let index = (words.len() / 4).checked_ilog2().map_or(0, |log| 1 << log);
        let (index, entries) = words.split_at(index);
        Self { index, entries }
    }

    /// How many words there are for entries.
    pub(super) fn room(&self) -> usize {
        self.entries.len()
    }

    /// How many places of the index may be in use: beyond three quarters, looking takes long.
    pub(super) fn most(&self) -> usize {
        self.index.len() / 4 * 3
    }

    fn entry(&self, word: u64) -> Option<Found<'a>> {
        let start = usize::try_from(word.checked_sub(2)?).ok()?;
        self.entries.get(start..).filter(|words| words.len() >= HEAD).map(Found)
    }

    pub(super) fn find(&self, hash: u64, key: &[u8]) -> Spot<'a> {
        let mut free = None;
        for step in 0..self.index.len() {
            let place = (hash as usize).wrapping_add(step) & (self.index.len() - 1);
            match self.index[place].load(Acquire) {
                NEVER => return Spot::Free(free.unwrap_or(place)),
                REMOVED => free = free.or(Some(place)),
                word => match self.entry(word) {
                    Some(found) if found.is_for(hash, key) => return Spot::Here(place, found),
                    _ => {}
                },
            }
        }
        free.map_or(Spot::Nowhere, Spot::Free)
    }

    /// Whether this place was never used.
    pub(super) fn is_new(&self, place: usize) -> bool {
        self.index[place].load(Relaxed) == NEVER
    }

    /// Writes an entry where nobody looks yet. There must be room.
    pub(super) fn write(&self, start: usize, hash: u64, order: u64, key: &[u8], value: &[u8]) {
        let words = &self.entries[start..];
        let head = [hash, key.len() as u64, value.len() as u64, order];
        words.iter().zip(head).for_each(|(word, head)| word.store(head, Relaxed));
        words::write(&words[HEAD..], key);
        words::write(&words[HEAD + words::of(key.len())..], value);
    }

    /// Makes the entry that begins at `start` the one for its key.
    pub(super) fn name(&self, place: usize, start: usize) {
        self.index[place].store(start as u64 + 2, Release);
    }

    pub(super) fn remove(&self, place: usize) {
        self.index[place].store(REMOVED, Release);
    }

    /// All entries, in the order in which their keys came.
    pub(super) fn found(&self) -> Vec<Found<'a>> {
        let mut all: Vec<_> = self.index.iter().filter_map(|word| self.entry(word.load(Acquire))).collect();
        all.sort_unstable_by_key(|found| found.order());
        all
    }

    /// How many entries there are, places of the index in use, and words up to the last entry's end.
    pub(super) fn count(&self) -> [u64; 3] {
        let mut counts = [0; 3];
        for word in self.index.iter().map(|word| word.load(Acquire)) {
            counts[1] += u64::from(word != NEVER);
            if let Some(found) = self.entry(word) {
                let end = word - 2 + found.words().len() as u64;
                counts[0] += 1;
                counts[2] = counts[2].max(end);
            }
        }
        counts
    }

    /// How many words the entries take that are there.
    pub(super) fn live(&self) -> usize {
        self.index
            .iter()
            .filter_map(|word| self.entry(word.load(Acquire)))
            .map(|found| found.words().len())
            .sum()
    }

    /// Copies all entries to a table that is all zero and large enough.
    pub(super) fn copy_to(&self, larger: Table<'_>) {
        let mut start = 0;
        for found in self.found() {
            let from = found.words();
            let hash = from[0].load(Relaxed);
            words::copy(from, &larger.entries[start..start + from.len()]);
            if let Some(place) = larger.free(hash) {
                larger.name(place, start);
            }
            start += from.len();
        }
    }

    fn free(&self, hash: u64) -> Option<usize> {
        let places =
            (0..self.index.len()).map(|step| (hash as usize).wrapping_add(step) & (self.index.len() - 1));
        places.into_iter().find(|&place| self.is_new(place))
    }
}
