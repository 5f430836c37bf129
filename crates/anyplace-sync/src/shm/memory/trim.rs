//! Giving memory back to the machine, and telling how much there is.

use super::table::Entry;
use super::tenure;
use super::{Memory, pages};
use std::sync::atomic::Ordering::Relaxed;

/// From this size on, blocks are whole pages, whose memory can be taken back.
const LARGE: u64 = 16 * 1024;

pub(super) fn can_be_trimmed(capacity: u64) -> bool {
    capacity >= LARGE
}

/// What a [trim](Memory::trim) did, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trimmed {
    /// Memory that the machine has back.
    pub given_back: usize,
    /// Memory of available blocks that were used since the trim before, and that the next would give back. If it is 0, no
    /// trim is needed until blocks are used again.
    pub waiting: usize,
}

/// How much of a segment's memory is in use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Blocks that somebody holds or reads.
    pub blocks: usize,
    /// Their bytes.
    pub in_use: usize,
    /// Bytes that memory stands behind, of all blocks, also available ones.
    pub held: usize,
}

impl Memory {
    /// Gives the memory of blocks that nobody has used since the last trim back to the machine; from 16 KiB on.
    ///
    /// Blocks used since then are left alone: a program that works on again finds them warm. Costs a system call for each
    /// block given back.
    pub fn trim(&self) -> Trimmed {
        let mut trimmed = Trimmed::default();
        if self.is_inherited() {
            return trimmed;
        }
        let season = self.table().header().season.fetch_add(1, Relaxed);
        for entry in self.trimmable() {
            if entry.words.season.load(Relaxed) == season {
                trimmed.waiting += self.capacity(entry);
            } else {
                trimmed.given_back += self.empty(entry);
            }
        }
        trimmed
    }

    /// Gives back what it can at once; how many bytes.
    pub(super) fn reclaim(&self) -> usize {
        self.trimmable().map(|entry| self.empty(entry)).sum()
    }

    /// How much is in use at this moment. It looks at every block of the table.
    pub fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        for entry in self.table().entries() {
            let capacity = self.capacity(entry);
            if entry.is_backed() {
                usage.held += capacity;
            }
            if !entry.is_available() {
                usage.blocks += 1;
                usage.in_use += capacity;
            }
        }
        usage
    }

    fn trimmable(&self) -> impl Iterator<Item = Entry<'_>> {
        let large = |entry: &Entry<'_>| can_be_trimmed(self.capacity(*entry) as u64);
        self.table().entries().filter(move |entry| entry.is_available() && entry.is_backed() && large(entry))
    }

    fn capacity(&self, entry: Entry<'_>) -> usize {
        entry.extent(self.table()).map_or(0, |extent| extent.len())
    }

    /// Takes the memory from behind an available block; how many bytes.
    ///
    /// Meanwhile the block is ours, so that nobody gets it half full. It counts as empty before it is, in case we are
    /// killed on the way: asking for pages that are there already is harmless.
    fn empty(&self, entry: Entry<'_>) -> usize {
        if !tenure::take(&entry.words.tenure, self.0.me) {
            return 0;
        }
        let extent = entry.extent(self.table()).filter(|_| entry.is_backed());
        entry.words.backed.store(0, Relaxed);
        let emptied = extent.filter(|extent| pages::punch(&self.table().segment, extent).is_ok());
        self.give_up(entry);
        emptied.map_or(0, |extent| extent.len())
    }
}
