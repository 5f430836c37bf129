//! The table of blocks, as it lies in the segment, and where everything else lies.
//!
//! ```text
//! | header, one page | hints: one row of bits per class | descriptors | from the next 64 KiB on: space for blocks |
//! ```
//!
//! Nothing but the header is backed by memory until a block is made there ([`Table::back`]): a table for 65536 blocks
//! costs nothing while there are ten. What processes write here is believed only within bounds: [`Entry::extent`].

use super::classes::{self, CLASSES};
use super::tenure::{self, MOST_WORKERS};
use crate::shm::segment::{PAGE, Segment, Shared};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

/// As many blocks as there can be: more than anybody keeps, and few enough to be looked through after a death.
const MOST_BLOCKS: usize = 65_536;
/// Smaller segments have a block for so many bytes.
const BYTES_PER_BLOCK: usize = 16 * 1024;

/// The row of hints for descriptors whose maker died before they had any bytes.
pub(super) const BLANK: usize = CLASSES;

/// A segment's table of blocks.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) segment: Arc<Segment>,
    pub(super) workers: usize,
    blocks: usize,
    /// From one descriptor to the next: whole cache lines, so that two processes do not share one by chance.
    stride: usize,
    at_descriptors: usize,
    space: usize,
}

/// What the table says about itself.
#[repr(C)]
pub(super) struct Header {
    workers: AtomicU32,
    blocks: AtomicU32,
    /// Descriptors at or beyond this were never used.
    used: AtomicU32,
    /// Grows with every trim: what was used since the last one is left alone.
    pub(super) season: AtomicU32,
    /// Where the space begins that no block has yet.
    pub(super) frontier: AtomicU64,
    /// For every row of hints: blocks at or beyond this are not in it.
    extents: [AtomicU32; CLASSES + 1],
}

/// One block. The words of its readers follow.
#[repr(C)]
pub(super) struct Descriptor {
    pub(super) tenure: AtomicU64,
    /// Where its bytes are and how many. Written once, by its first holder; 0 bytes: not yet.
    offset: AtomicU64,
    capacity: AtomicU64,
    /// The season in which it was last taken.
    pub(super) season: AtomicU32,
    /// 1 if memory stands behind its bytes. Only its holder writes this.
    pub(super) backed: AtomicU32,
}

// SAFETY: atomics only.
unsafe impl Shared for Header {}
// SAFETY: atomics only.
unsafe impl Shared for Descriptor {}

/// One block's words, in reach.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) number: u32,
    pub(super) words: &'a Descriptor,
    pub(super) readers: &'a [AtomicU64],
}

impl Table {
    /// Lays out the table in a segment that is new.
    pub(super) fn create(segment: Arc<Segment>, workers: usize) -> io::Result<Self> {
        let blocks = (segment.len() / BYTES_PER_BLOCK).min(MOST_BLOCKS);
        let table = Self::laid_out(segment, workers, blocks);
        if workers > MOST_WORKERS {
            return Err(wrong(format!("{workers} workers cannot share a segment: {MOST_WORKERS} can")));
        }
        if table.space() >= table.segment.len() {
            return Err(wrong("the segment is too small to hold blocks".into()));
        }
        super::pages::back(&table.segment, table.at_header()..table.at_hints())?;
        let header = table.header();
        header.frontier.store(table.space() as u64, Relaxed);
        header.workers.store(workers as u32, Relaxed);
        header.blocks.store(blocks as u32, Release);
        Ok(table)
    }

    /// Finds the table that the host laid out.
    pub(super) fn open(segment: Arc<Segment>) -> io::Result<Self> {
        if segment.rest() + size_of::<Header>() > segment.len() {
            return Err(wrong("the segment holds no table of blocks".into()));
        }
        let header: &Header = &segment.shared(segment.rest(), 1)[0];
        let blocks = header.blocks.load(Acquire) as usize;
        let workers = header.workers.load(Relaxed) as usize;
        let possible = (1..=MOST_BLOCKS).contains(&blocks) && workers <= MOST_WORKERS;
        let table = Self::laid_out(segment, workers, blocks);
        if !possible || table.space >= table.segment.len() {
            return Err(wrong("the segment holds no table of blocks".into()));
        }
        Ok(table)
    }

    fn laid_out(segment: Arc<Segment>, workers: usize, blocks: usize) -> Self {
        let mut table = Self { segment, workers, blocks, stride: 0, at_descriptors: 0, space: 0 };
        table.stride = (size_of::<Descriptor>() + table.reader_words() * 8).next_multiple_of(64);
        table.at_descriptors = table.at_row(BLANK + 1).next_multiple_of(PAGE);
        table.space = (table.at_descriptors + blocks * table.stride).next_multiple_of(64 * 1024);
        table
    }

    pub(super) fn header(&self) -> &Header {
        &self.segment.shared(self.at_header(), 1)[0]
    }

    /// How many blocks there can be.
    pub(super) fn blocks(&self) -> u32 {
        self.blocks as u32
    }

    /// How many descriptors have been used.
    #[inline]
    pub(super) fn used(&self) -> u32 {
        self.header().used.load(Acquire).min(self.blocks())
    }

    /// Says that descriptor `number` is used. It must be backed.
    pub(super) fn use_up_to(&self, number: u32) {
        self.header().used.fetch_max(number + 1, Release);
    }

    /// The block of that number, if it was ever used.
    pub(super) fn entry(&self, number: u32) -> Option<Entry<'_>> {
        (number < self.used()).then(|| self.entry_unchecked(number))
    }

    /// Where the bytes of the block of that number are, if it was ever used: that is asked for at each use of an object.
    #[inline]
    pub(super) fn extent_of(&self, number: u32) -> Option<Range<usize>> {
        let is_used = number < self.used();
        is_used.then(|| self.descriptor(self.at_descriptor(number)).extent(self)).flatten()
    }

    #[inline]
    fn descriptor(&self, at: usize) -> &Descriptor {
        &self.segment.shared(at, 1)[0]
    }

    /// All blocks that were ever used.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.used()).map(|number| self.entry_unchecked(number))
    }

    /// The block of that number, which must be backed but need not be used.
    pub(super) fn entry_unchecked(&self, number: u32) -> Entry<'_> {
        let at = self.at_descriptor(number);
        let words = self.descriptor(at);
        let readers = self.segment.shared(at + size_of::<Descriptor>(), self.reader_words());
        Entry { number, words, readers }
    }

    /// The row of hints of `class`, as far as it tells of anything.
    pub(super) fn hints(&self, class: usize) -> &[AtomicU64] {
        let extent = self.header().extents[class].load(Acquire).min(self.blocks()) as usize;
        self.segment.shared(self.at_row(class), extent.div_ceil(64))
    }

    /// Makes the row of hints of `class` reach block `number`.
    pub(super) fn extend_hints(&self, class: usize, number: u32) -> io::Result<()> {
        let extent = &self.header().extents[class];
        if extent.load(Relaxed) <= number {
            let row = self.at_row(class);
            super::pages::back(&self.segment, row..row + (number as usize / 64 + 1) * 8)?;
            extent.fetch_max(number + 1, Release);
        }
        Ok(())
    }

    /// Puts memory behind the descriptor of block `number`.
    pub(super) fn back_descriptor(&self, number: u32) -> io::Result<()> {
        let at = self.at_descriptor(number);
        super::pages::back(&self.segment, at..at + self.stride)
    }

    /// Where the space for blocks begins.
    pub(super) fn space(&self) -> usize {
        self.space
    }

    fn at_header(&self) -> usize {
        self.segment.rest()
    }

    fn at_hints(&self) -> usize {
        self.at_header() + size_of::<Header>().next_multiple_of(PAGE)
    }

    fn at_row(&self, class: usize) -> usize {
        self.at_hints() + class * self.blocks.div_ceil(64) * 8
    }

    #[inline]
    fn at_descriptor(&self, number: u32) -> usize {
        assert!(number < self.blocks(), "there is no block {number}");
        self.at_descriptors + number as usize * self.stride
    }

    fn reader_words(&self) -> usize {
        self.workers.div_ceil(64).max(1)
    }
}

impl Descriptor {
    #[inline]
    fn extent(&self, table: &Table) -> Option<Range<usize>> {
        let capacity = usize::try_from(self.capacity.load(Acquire)).ok()?;
        let start = usize::try_from(self.offset.load(Relaxed)).ok()?;
        let end = start.checked_add(capacity)?;
        (capacity > 0 && start >= table.space() && end <= table.segment.len()).then_some(start..end)
    }
}

impl Entry<'_> {
    /// Gives the block its bytes, once.
    pub(super) fn place(&self, offset: u64, capacity: u64) {
        self.words.offset.store(offset, Relaxed);
        self.words.capacity.store(capacity, Release);
    }

    /// Whether it never got any bytes.
    pub(super) fn is_blank(&self) -> bool {
        self.words.capacity.load(Acquire) == 0
    }

    /// Where its bytes are in the segment, if what the table says can be true.
    pub(super) fn extent(&self, table: &Table) -> Option<Range<usize>> {
        self.words.extent(table)
    }

    /// Its class, if it has one.
    pub(super) fn class(&self) -> Option<usize> {
        let capacity = self.words.capacity.load(Acquire);
        classes::of(capacity).filter(|class| classes::capacity(*class) == capacity)
    }

    pub(super) fn is_backed(&self) -> bool {
        self.words.backed.load(Relaxed) == 1
    }

    pub(super) fn is_available(&self) -> bool {
        tenure::holder(&self.words.tenure) == tenure::Holder::NOBODY
    }
}

fn wrong(why: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, why)
}
