//! Finding a block of the right size, or making one.

use super::block::BlockMut;
use super::classes::{self, CLASSES, PER_OCTAVE};
use super::full::Full;
use super::table::{self, Entry};
use super::{Memory, hints, pages, tenure};
use std::ops::Range;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

impl Memory {
    /// A block of `len` bytes that nobody else has, with whatever was last written there.
    ///
    /// Never waits; any thread may call it. A block used before costs well under a microsecond, a new one a system call
    /// and the zeroing of its pages. It takes the place of the smallest block that is available and not twice too large.
    ///
    /// # Errors
    /// [`Full`] says what there is no more of.
    pub fn allocate(&self, len: usize) -> Result<BlockMut, Full> {
        if self.is_inherited() {
            return Err(Full::Forked);
        }
        let class = classes::of(len as u64).ok_or_else(|| self.no_space(len as u64))?;
        let entry = self.obtain(class)?;
        self.ensure_backed(entry)?;
        BlockMut::new(self, entry, len).ok_or_else(|| self.no_space(len as u64))
    }

    fn obtain(&self, class: usize) -> Result<Entry<'_>, Full> {
        let about_as_large = class..(class + PER_OCTAVE).min(CLASSES);
        let any_larger = about_as_large.end..CLASSES;
        let found = self.favourite(class).or_else(|| self.available(about_as_large));
        let entry = match found {
            Some(entry) => entry,
            None => self.make(class).or_else(|full| self.available(any_larger).ok_or(full))?,
        };
        self.remember(entry);
        Ok(entry)
    }

    fn favourite(&self, class: usize) -> Option<Entry<'_>> {
        self.0.favourites.of(class).find_map(|number| self.take(number))
    }

    /// An available block of one of the `classes`, the smallest first.
    fn available(&self, classes: Range<usize>) -> Option<Entry<'_>> {
        for class in classes {
            let number = hints::find(self.table().hints(class), |number| self.take(number).is_some());
            if let Some(number) = number {
                return self.table().entry(number);
            }
        }
        None
    }

    /// Takes the block if it is available, and what the table says of it can be true.
    fn take(&self, number: u32) -> Option<Entry<'_>> {
        let entry = self.table().entry(number)?;
        let possible = entry.extent(self.table()).is_some() && entry.class().is_some();
        (possible && tenure::take(&entry.words.tenure, self.0.me)).then_some(entry)
    }

    fn remember(&self, entry: Entry<'_>) {
        entry.words.season.store(self.table().header().season.load(Relaxed), Relaxed);
        if let Some(class) = entry.class() {
            self.0.favourites.add(class, entry.number);
        }
    }

    /// A new block, without memory behind it yet.
    ///
    /// A maker killed on the way leaves a descriptor that the next sweep takes back, or (within a few instructions after
    /// the frontier has moved) address space that nobody has: no memory stands behind it.
    fn make(&self, class: usize) -> Result<Entry<'_>, Full> {
        let table = self.table();
        let wanted = classes::capacity(class);
        let no_memory = |_| Full::Machine { wanted };
        if self.left() < wanted {
            return Err(self.no_space(wanted));
        }
        let entry = self.blank()?;
        let made = table.extend_hints(class, entry.number).map_err(no_memory);
        let placed = made.and_then(|()| self.move_frontier(class));
        match placed {
            Ok(offset) => {
                entry.place(offset, wanted);
                Ok(entry)
            }
            Err(full) => {
                self.give_back_blank(entry);
                Err(full)
            }
        }
    }

    /// A descriptor without bytes, taken.
    fn blank(&self) -> Result<Entry<'_>, Full> {
        let table = self.table();
        let left_over = hints::find(table.hints(table::BLANK), |number| self.take_blank(number).is_some());
        if let Some(entry) = left_over.and_then(|number| table.entry(number)) {
            return Ok(entry);
        }
        for number in table.used()..table.blocks() {
            table.back_descriptor(number).map_err(|_| Full::Machine { wanted: 64 })?;
            if let Some(entry) = self.take_blank(number) {
                table.use_up_to(number);
                return Ok(entry);
            }
        }
        Err(Full::Table { blocks: table.blocks() })
    }

    /// Takes the descriptor if it is blank, also beyond the used ones. It must be backed.
    fn take_blank(&self, number: u32) -> Option<Entry<'_>> {
        let entry = self.table().entry_unchecked(number);
        if !entry.is_blank() || !tenure::take(&entry.words.tenure, self.0.me) {
            return None;
        }
        if entry.is_blank() {
            return Some(entry);
        }
        // It was made and given up by another between our two looks.
        self.give_up(entry);
        None
    }

    fn give_back_blank(&self, entry: Entry<'_>) {
        // Without memory for the hints it is lost until a sweep; there are others.
        drop(self.table().extend_hints(table::BLANK, entry.number));
        self.give_up(entry);
    }

    /// Takes address space for a block of `class`: gives where.
    fn move_frontier(&self, class: usize) -> Result<u64, Full> {
        let capacity = classes::capacity(class);
        let frontier = &self.table().header().frontier;
        let end = self.table().segment.len() as u64;
        let start = |frontier: u64| frontier.checked_next_multiple_of(alignment(capacity));
        let next = |now: u64| start(now)?.checked_add(capacity).filter(|next| *next <= end);
        let before = frontier.fetch_update(Relaxed, Relaxed, next).map_err(|_| self.no_space(capacity))?;
        start(before).ok_or_else(|| self.no_space(capacity))
    }

    /// Puts memory behind the block; gives it up if there is none.
    fn ensure_backed(&self, entry: Entry<'_>) -> Result<(), Full> {
        let Some(extent) = entry.extent(self.table()).filter(|_| !entry.is_backed()) else {
            return Ok(());
        };
        let back = || pages::back(&self.table().segment, extent.clone());
        // What others do not need right now may be what we lack.
        let backed = back().or_else(|error| if self.reclaim() > 0 { back() } else { Err(error) });
        match backed {
            Ok(()) => {
                entry.words.backed.store(1, Relaxed);
                Ok(())
            }
            Err(_) => {
                self.give_up(entry);
                Err(Full::Machine { wanted: extent.len() as u64 })
            }
        }
    }

    fn no_space(&self, wanted: u64) -> Full {
        Full::Space { wanted, left: self.left() }
    }

    /// How much address space no block has yet.
    fn left(&self) -> u64 {
        let frontier = self.table().header().frontier.load(Acquire);
        (self.table().segment.len() as u64).saturating_sub(frontier)
    }
}

/// Blocks of whole pages begin at a page, so that their memory can be taken back; all begin at a cache line.
fn alignment(capacity: u64) -> u64 {
    if super::trim::can_be_trimmed(capacity) { 4096 } else { 64 }
}
