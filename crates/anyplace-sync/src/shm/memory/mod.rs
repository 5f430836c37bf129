//! [`Memory`]: blocks of a segment that are taken, filled, passed on, read and given back by several processes.
//!
//! Top to bottom: this file is what a process has of it; `allocate.rs` finds or makes blocks; `block.rs` and `view.rs` are
//! what users hold; `sweep.rs` and `trim.rs` are the host's housekeeping. Below lie the table in the segment (`table.rs`),
//! the protocol of one block (`tenure.rs`), the hints that find available ones (`hints.rs`), and pages (`pages.rs`).

#![allow(unsafe_code, reason = "gives out the bytes of blocks; every block says why it holds")]

mod allocate;
mod block;
mod classes;
mod deposit;
mod favourites;
mod full;
mod hints;
mod leases;
mod pages;
mod sweep;
mod table;
mod tenure;
mod trim;
mod view;

pub use block::{Block, BlockMut};
pub use deposit::Deposit;
pub use full::Full;
pub use trim::{Trimmed, Usage};
pub use view::View;

use crate::fork;
use crate::shm::Segment;
use favourites::Favourites;
use leases::Leases;
use std::io;
use std::sync::Arc;
use table::{Entry, Table};
use tenure::Holder;
use view::Readings;

/// One process's end of the memory in a [`Segment`]: the host's, or a worker's. Cloning it is cheap.
///
/// The **host** allocates blocks, fills them, freezes them and lets workers [`borrow`](Self::borrow) them; it
/// [`adopt`](Self::adopt)s the blocks that workers [`publish`](BlockMut::publish). A **worker** allocates, publishes and
/// borrows. Nothing here waits: where another process is in the way, the next block is taken.
///
/// A child made by `fork` may still read what its parent had; what it drops is not given back, as it is not its own, and
/// it gets no new blocks until it opens the memory itself.
///
/// ```
/// use anyplace_sync::shm::{Memory, Segment};
///
/// let segment = Segment::create(0, "example")?;
/// let host = Memory::host(segment.clone(), 2)?;
/// let worker = Memory::worker(segment, 1)?;
///
/// let mut argument = host.allocate(3)?;
/// argument.copy_from_slice(b"abc");
/// let argument = argument.freeze();
/// let seen = worker.borrow(argument.number(), 3)?;
/// drop(argument); // the worker still reads it, so it stays
/// assert_eq!(*seen, *b"abc");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Memory(Arc<Inner>);

struct Inner {
    table: Table,
    me: Holder,
    /// Our number among the workers; the host has none.
    worker: Option<usize>,
    /// The generation of forks we belong to: in any other process, all of this is somebody else's.
    born: u32,
    favourites: Favourites,
    leases: Leases,
    readings: Readings,
}

impl Memory {
    /// The host's end, in a segment that is new: lays out the table for `workers` workers, at most 1023.
    ///
    /// # Errors
    /// `InvalidInput` if there are more workers, or the segment is too small to hold blocks; what the system said if it
    /// has no memory for the table.
    pub fn host(segment: Arc<Segment>, workers: usize) -> io::Result<Self> {
        Ok(Self::new(Table::create(segment, workers)?, Holder::HOST, None))
    }

    /// The end of worker number `worker`, in a segment whose host has opened its own.
    ///
    /// Worker numbers are used again: a dead worker has to be [swept](Self::sweep) before another has its number.
    ///
    /// # Errors
    /// `InvalidInput` if the segment holds no table, or one for fewer workers.
    pub fn worker(segment: Arc<Segment>, worker: usize) -> io::Result<Self> {
        let table = Table::open(segment)?;
        if worker >= table.workers {
            let why = format!("there is no worker {worker}: the segment has {}", table.workers);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        Ok(Self::new(table, Holder::worker(worker), Some(worker)))
    }

    fn new(table: Table, me: Holder, worker: Option<usize>) -> Self {
        Self(Arc::new(Inner {
            me,
            worker,
            born: fork::fork_generation(),
            favourites: Favourites::new(),
            leases: Leases::new(table.blocks()),
            readings: Readings::default(),
            table,
        }))
    }

    /// The segment it is in.
    pub fn segment(&self) -> &Arc<Segment> {
        &self.0.table.segment
    }

    fn table(&self) -> &Table {
        &self.0.table
    }

    /// Whether somebody else has this end, too: a clone of it, or a block.
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Whether a `fork` lies between the process that opened this and us.
    fn is_inherited(&self) -> bool {
        self.0.born != fork::current()
    }

    /// Gives up what we hold, and says so if that made it available.
    fn give_up(&self, entry: Entry<'_>) {
        if tenure::give_up(&entry.words.tenure, entry.readers, self.0.me) {
            self.tell(entry);
        }
    }

    /// Says that a block is available, so that others find it.
    fn tell(&self, entry: Entry<'_>) {
        let class = entry.class().unwrap_or(table::BLANK);
        let row = self.table().hints(class);
        if entry.number as usize / 64 < row.len() {
            hints::tell(row, entry.number);
        }
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").field("holder", &self.0.me).field("usage", &self.usage()).finish()
    }
}

#[cfg(test)]
mod tests;
