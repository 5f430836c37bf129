//! The board: where the host of a place puts tasks and its workers, in other processes, take them.
//!
//! `README.md` beside this file has the states, the races and why they cannot happen.

#![allow(unsafe_code, reason = "the board lies in memory that other processes write to")]

mod bits;
mod bury;
mod host;
mod layout;
mod queue;
mod reply;
mod seat;
#[cfg(all(test, not(loom)))]
mod tests;
mod ticket;
mod waits;
mod word;

pub use bury::{Buried, Partial};
pub use host::{Body, Host};
pub use layout::INLINE;
pub use reply::Reply;
pub use seat::{Job, Seat};
pub use ticket::{Calls, Stage, Ticket};

use layout::{Header, Seat as SeatCell, Slot};
use std::any::Any;
use std::ptr::NonNull;
use std::sync::Arc;

/// How large a board is. Host and workers must agree on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// How many workers it has seats for; at most 1023.
    pub workers: usize,
    /// How many tasks may be on it at once; a power of two.
    pub slots: usize,
}

impl Size {
    /// A size for so many workers: enough slots that a worker is never out of work while the host refills them.
    pub fn of(workers: usize) -> Self {
        let workers = workers.clamp(1, word::MOST_WORKERS);
        Self { workers, slots: (workers * 16).next_power_of_two().max(1024) }
    }

    /// How many bytes of shared memory it takes.
    pub fn bytes(self) -> usize {
        self.offsets().3
    }

    /// Where the seats, the slots and the queue begin, and where all ends.
    fn offsets(self) -> (usize, usize, usize, usize) {
        let seats = size_of::<Header>().next_multiple_of(256);
        let slots = (seats + self.workers * size_of::<SeatCell>()).next_multiple_of(256);
        let queue = slots + self.slots * size_of::<Slot>();
        (seats, slots, queue, queue + self.hints() * size_of::<layout::Hint>())
    }

    /// Entries of the queue. A slot is in it once, and once more after each death of a worker: see the README.
    fn hints(self) -> usize {
        self.slots * 4
    }
}

#[cfg(not(loom))]
impl Size {
    fn start_in(self, segment: &super::Segment) -> std::io::Result<NonNull<u8>> {
        if segment.control_len() < self.bytes() || !segment.control().addr().get().is_multiple_of(256) {
            let message = "the segment has no board of this size";
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, message));
        }
        Ok(segment.control())
    }
}

#[cfg(not(loom))]
impl<T> Host<T> {
    /// A new segment with a board for so many workers at its front; `name` is shown among the process's descriptors.
    ///
    /// # Errors
    /// As [`Segment::create`](super::Segment::create).
    pub fn create(workers: usize, name: &str) -> std::io::Result<(Self, Arc<super::Segment>)> {
        let size = Size::of(workers);
        let segment = super::Segment::create(size.bytes(), name)?;
        let start = size.start_in(&segment)?;
        // SAFETY: the front of a new segment is zero, mapped while the segment lives, and nobody else has it yet.
        let host = Self::on(unsafe { Board::at(start, size, segment.clone()) });
        Ok((host, segment))
    }
}

#[cfg(not(loom))]
impl Seat {
    /// Takes the seat of `worker` of `workers` at the board of a segment that their host has
    /// [created](Host::create). `ring` wakes the host's keeper.
    ///
    /// # Errors
    /// `InvalidData` if the segment has no board of this size.
    pub fn take(
        segment: &Arc<super::Segment>,
        workers: usize,
        worker: usize,
        ring: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        let size = Size::of(workers);
        let start = size.start_in(segment)?;
        // SAFETY: it is mapped while the segment lives; its host made it a board of this size, or lied, and then the
        // atomics in it have values that nobody relies on.
        Ok(Self::at(unsafe { Board::at(start, size, segment.clone()) }, worker.min(size.workers - 1), ring))
    }
}

/// The parts of a board in memory that `owner` keeps mapped.
#[derive(Clone)]
struct Board {
    header: NonNull<Header>,
    seats: NonNull<SeatCell>,
    slots: NonNull<Slot>,
    queue: NonNull<layout::Hint>,
    size: Size,
    _owner: Arc<dyn Any + Send + Sync>,
}

// SAFETY: the parts are atomics, or cells that the slots' words guard (see `layout.rs`).
unsafe impl Send for Board {}
// SAFETY: as above.
unsafe impl Sync for Board {}

impl Board {
    /// The board that lies at `start`.
    ///
    /// # Safety
    /// `start` must be aligned to 256 bytes, and `size.bytes()` from there on must be mapped, readable and writable
    /// while `owner` lives, zero at first, and be used for nothing else.
    unsafe fn at(start: NonNull<u8>, size: Size, owner: Arc<dyn Any + Send + Sync>) -> Self {
        let (seats, slots, queue, _) = size.offsets();
        // SAFETY: the offsets lie within `size.bytes()`, which the caller promises is mapped.
        let part = |offset| unsafe { start.add(offset) };
        Self {
            header: start.cast(),
            seats: part(seats).cast(),
            slots: part(slots).cast(),
            queue: part(queue).cast(),
            size,
            _owner: owner,
        }
    }

    fn header(&self) -> &Header {
        // SAFETY: it is mapped while `_owner` lives, and valid from all zeros on.
        unsafe { self.header.as_ref() }
    }

    fn seat(&self, worker: usize) -> &SeatCell {
        assert!(worker < self.size.workers, "the board has a seat for each worker");
        // SAFETY: as above; the index was checked.
        unsafe { self.seats.add(worker).as_ref() }
    }

    /// The slot with this number; nothing for a number that no slot has, such as one that a dying process wrote.
    fn slot(&self, number: u32) -> Option<&Slot> {
        let number = number as usize;
        // SAFETY: as above; the index is checked first.
        (number < self.size.slots).then(|| unsafe { self.slots.add(number).as_ref() })
    }

    fn slots(&self) -> impl Iterator<Item = (u32, &Slot)> {
        (0..).map_while(|number| self.slot(number).map(|slot| (number, slot)))
    }

    fn hint(&self, position: u64) -> &layout::Hint {
        let index = position as usize & (self.size.hints() - 1);
        // SAFETY: as above; the mask keeps the index below the queue's length, a power of two.
        unsafe { self.queue.add(index).as_ref() }
    }
}

impl std::fmt::Debug for Board {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Board({:?})", self.size)
    }
}

#[cfg(any(test, loom))]
pub use private::table;

/// Boards of this process alone: for models and tests, whose atomics have to be made.
#[cfg(any(test, loom))]
mod private {
    use super::layout::{Bell, Hint, Line};
    use super::{Board, Header, Host, Seat, SeatCell, Size, Slot, bits::Bits, layout::INLINE};
    use crate::futex::Futex;
    use crate::primitives::atomic::{AtomicU32, AtomicU64};
    use std::cell::UnsafeCell;
    use std::ptr::NonNull;
    use std::sync::Arc;

    /// A host and its workers, at a board of this process.
    pub fn table<T>(size: Size, ring: impl Fn() + Clone + Send + 'static) -> (Host<T>, Vec<Seat>) {
        let board = Board::private(size);
        let seat = |worker| Seat::at(board.clone(), worker, ring.clone());
        (Host::on(board.clone()), (0..size.workers).map(seat).collect())
    }

    fn first<T>(parts: &[T]) -> NonNull<T> {
        NonNull::from(parts).cast()
    }

    struct Parts {
        header: Box<Header>,
        seats: Vec<SeatCell>,
        slots: Vec<Slot>,
        queue: Vec<Hint>,
    }

    impl Board {
        pub(super) fn private(size: Size) -> Self {
            let parts = Parts {
                header: Box::new(header()),
                seats: (0..size.workers).map(|_| SeatCell { word: Futex::new(0) }).collect(),
                slots: (0..size.slots).map(|_| slot()).collect(),
                queue: (0..size.hints()).map(|_| AtomicU32::new(0)).collect(),
            };
            let header = NonNull::from(&*parts.header);
            let seats = first(&parts.seats);
            let slots = first(&parts.slots);
            let queue = first(&parts.queue);
            Self { header, seats, slots, queue, size, _owner: Arc::new(parts) }
        }
    }

    fn header() -> Header {
        let zero = || AtomicU32::new(0);
        Header {
            head: Line(AtomicU64::new(0)),
            tail: Line(AtomicU64::new(0)),
            finished: Line(zero()),
            seeking: Line(Bits::new()),
            asleep: Line(Bits::new()),
            callers: Line(zero()),
            any: Line(Futex::new(0)),
            bell: Line(Bell { rung: zero(), always: zero(), low: zero(), hires: zero(), stop: zero() }),
        }
    }

    fn slot() -> Slot {
        let zero = || AtomicU32::new(0);
        Slot {
            word: Futex::new(0),
            next: zero(),
            item: zero(),
            block: zero(),
            length: AtomicU64::new(0),
            reply_block: zero(),
            reply_inline: zero(),
            reply_length: AtomicU64::new(0),
            position: AtomicU64::new(0),
            inline: UnsafeCell::new([0; INLINE]),
        }
    }
}
