//! First in, first out: records one behind the other in a ring of words.
//!
//! A position counts words without end (modulo 2^32); the ring is a power of two long. Either end is one word, the position
//! and how many messages have passed it, so one store puts a message, and one takes it. A record never wraps around: what
//! is left at the ring's end is skipped.

use super::message::{Record, SKIP, Writing};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// The two ends, and the words between them. Inside the queue's monitor.
#[derive(Clone, Copy)]
pub(super) struct Ring<'a> {
    pub(super) head: &'a AtomicU64,
    pub(super) tail: &'a AtomicU64,
    pub(super) words: &'a [AtomicU64],
}

/// The position of an end, in its upper half, and how many messages have passed it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct End(u64);

impl End {
    fn read(word: &AtomicU64) -> Self {
        Self(word.load(Acquire))
    }

    fn position(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn count(self) -> u32 {
        self.0 as u32
    }

    /// After one more message of so many words.
    fn after(self, words: usize) -> u64 {
        let position = self.position().wrapping_add(words as u32);
        u64::from(position) << 32 | u64::from(self.count().wrapping_add(1))
    }
}

/// How many messages lie between two ends.
pub(super) fn len(head: &AtomicU64, tail: &AtomicU64) -> usize {
    // The head first: it never passes the tail.
    let head = End::read(head);
    End::read(tail).count().wrapping_sub(head.count()) as usize
}

impl<'a> Ring<'a> {
    /// The largest power of two of these words.
    pub(super) fn new(head: &'a AtomicU64, tail: &'a AtomicU64, words: &'a [AtomicU64]) -> Self {
        let len = words.len().checked_ilog2().map_or(0, |log| 1_usize << log.min(31));
        Self { head, tail, words: &words[..len] }
    }

    fn index(&self, position: u32) -> usize {
        position as usize & (self.words.len() - 1)
    }

    fn used(&self) -> usize {
        End::read(self.tail).position().wrapping_sub(End::read(self.head).position()) as usize
    }

    /// How many words are skipped so that `wanted` lie together; `None` if there is no room.
    fn gap(&self, wanted: usize) -> Option<usize> {
        if self.words.is_empty() {
            return None;
        }
        let to_end = self.words.len() - self.index(End::read(self.tail).position());
        let gap = if wanted <= to_end { 0 } else { to_end };
        (gap + wanted <= self.words.len() - self.used()).then_some(gap)
    }

    pub(super) fn has_room(&self, wanted: usize) -> bool {
        self.gap(wanted).is_some()
    }

    /// Puts a record, for which there must be room. The last store says that it is there.
    pub(super) fn push(&self, writing: Writing<'_>, before: impl FnOnce()) {
        let Some(gap) = self.gap(writing.words()) else { return };
        let tail = End::read(self.tail);
        if gap > 0 {
            self.words[self.index(tail.position())].store(SKIP | gap as u64, Relaxed);
        }
        writing.write(&self.words[self.index(tail.position().wrapping_add(gap as u32))..]);
        before();
        self.tail.store(tail.after(gap + writing.words()), Release);
    }

    /// The first record, where it lies, and how many words have to be passed to take it.
    pub(super) fn first(&self) -> Option<(Record, &'a [AtomicU64], usize)> {
        if len(self.head, self.tail) == 0 || self.words.is_empty() {
            return None;
        }
        self.at(End::read(self.head).position())
    }

    fn at(&self, position: u32) -> Option<(Record, &'a [AtomicU64], usize)> {
        let start = self.index(position);
        let word = self.words[start].load(Relaxed);
        let gap = if word & SKIP == 0 { 0 } else { (word & !SKIP) as usize };
        let from = &self.words[self.index(position.wrapping_add(gap as u32))..];
        let record = Record::read(from)?;
        Some((record, from, gap + record.words()))
    }

    /// Takes the first record, of so many words.
    pub(super) fn pass(&self, words: usize) {
        self.head.store(End::read(self.head).after(words), Release);
    }

    /// All records, from the first on.
    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        let mut position = End::read(self.head).position();
        (0..len(self.head, self.tail)).map_while(move |_| {
            let (record, _, words) = self.at(position)?;
            position = position.wrapping_add(words as u32);
            Some(record)
        })
    }

    /// Copies all that lies between the ends to where the same positions are in a larger ring.
    pub(super) fn copy_to(&self, larger: &'a [AtomicU64]) {
        let start = End::read(self.head).position();
        let larger = Self::new(self.head, self.tail, larger);
        let mut done = 0;
        while done < self.used() {
            let position = start.wrapping_add(done as u32);
            let from = self.index(position);
            let together = (self.words.len() - from).min(self.used() - done);
            super::super::words::copy(
                &self.words[from..from + together],
                &larger.words[larger.index(position)..],
            );
            done += together;
        }
    }
}
