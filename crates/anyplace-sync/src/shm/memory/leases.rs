//! What this process holds: how many times, and where.
//!
//! A block has one holder, the process; how many of its values share it is nobody else's business, and counted here.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{
    AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};
use std::sync::{OnceLock, PoisonError, RwLock};

/// Counts are made so many at a time, when the first of them is needed.
const CHUNK: usize = 256;

/// Set in a count once the block's place is known: blocks never move.
const KNOWN: u32 = 1 << 31;

type Counts = Box<[AtomicU32]>;

pub(super) struct Leases {
    chunks: Box<[OnceLock<Counts>]>,
    /// Which block begins where, of all we ever held.
    starts: RwLock<BTreeMap<usize, u32>>,
}

impl Leases {
    pub(super) fn new(blocks: u32) -> Self {
        let chunks = (0..(blocks as usize).div_ceil(CHUNK)).map(|_| OnceLock::new()).collect();
        Self { chunks, starts: RwLock::default() }
    }

    /// The first lease of a block that has become ours.
    pub(super) fn begin(&self, number: u32, start: usize) {
        let count = self.count(number);
        if count.load(Relaxed) & KNOWN == 0 {
            self.starts.write().unwrap_or_else(PoisonError::into_inner).insert(start, number);
        }
        count.store(KNOWN | 1, Release);
    }

    /// One more lease of a block that has some.
    pub(super) fn another(&self, number: u32) {
        self.count(number).fetch_add(1, Relaxed);
    }

    /// One lease less; true if it was the last.
    pub(super) fn end(&self, number: u32) -> bool {
        self.count(number).fetch_sub(1, AcqRel) == KNOWN | 1
    }

    /// One more lease of the block in which `address` lies, if we hold it.
    pub(super) fn find(&self, address: usize) -> Option<u32> {
        let number = self.last_before(address)?;
        let more = |count: u32| (count & !KNOWN > 0).then(|| count + 1);
        self.count(number).fetch_update(AcqRel, Acquire, more).ok().map(|_| number)
    }

    fn last_before(&self, address: usize) -> Option<u32> {
        let starts = self.starts.read().unwrap_or_else(PoisonError::into_inner);
        starts.range(..=address).next_back().map(|(_, number)| *number)
    }

    fn count(&self, number: u32) -> &AtomicU32 {
        let chunk = &self.chunks[number as usize / CHUNK];
        &chunk.get_or_init(|| (0..CHUNK).map(|_| AtomicU32::new(0)).collect())[number as usize % CHUNK]
    }
}

/// Whether all of `inner` lies in `outer`.
pub(super) fn contains(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}
