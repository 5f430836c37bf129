//! A [`Hall`]: a segment of objects that processes share, such as locks, semaphores and queues.
//!
//! Any process can make one, and any other of the same user opens it by its [`Ticket`]. Each process that has it open is a
//! *party*; when one ends, however it ends, the others set right what it held. The objects themselves are those of this
//! crate; the hall is the [ground](crate::ground) they stand on. What can go wrong between processes that are killed at any
//! instruction, and why it does not, is told in `README.md` beside this file.
//!
//! ```
//! use anyplace_sync::shm::hall::Hall;
//!
//! let hall = Hall::create()?;
//! let places = hall.semaphore(Some("places"), 2, true)?;
//! assert!(places.try_acquire(&*hall));
//! let same = hall.semaphore(Some("places"), 2, true)?;
//! assert_eq!(same.value(), 1, "the name stands for one object");
//! assert!(hall.lock(Some("places")).is_err(), "and for one kind");
//! # Ok::<(), anyplace_sync::shm::hall::HallError>(())
//! ```

#![allow(
    unsafe_code,
    reason = "gives out references to objects in the segment; every block says why it holds"
)]

mod array;
mod bury;
mod counts;
mod desk;
mod dict;
mod error;
mod ground;
mod kind;
mod known;
mod layout;
mod look;
mod making;
mod name;
mod object;
mod objects;
mod pipe;
mod process;
mod queue;
mod roll;
mod rows;
mod seat;
mod state;
mod storage;
mod ticket;
mod words;

pub use array::{Array, ArrayBody};
pub use dict::{Dict, DictBody};
pub use error::HallError;
pub use kind::Kind;
pub use object::{Anything, Body, Handle, Object};
pub use pipe::{Pipe, PipeBody};
pub use queue::{DoneTooOften, Message, Order, PutError, Queue, QueueBody, Received, ShutDown};
pub use ticket::Ticket;

use crate::fork;
use crate::ground::MOST_PARTIES;
use crate::shm::segment::PAGE;
use crate::shm::{Memory, Segment, Trimmed, Usage};
use counts::Counts;
use layout::{Entry, Header, OBJECTS, WAITERS};
use roll::Roll;
use rows::Rows;
use seat::Seat;
use std::hash::{BuildHasher, RandomState};
use std::mem::offset_of;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicPtr, AtomicU32};

/// Objects that processes share, and the processes that share them. A process has each hall once.
///
/// When the last value of it is dropped, this process leaves: whatever it still held there passes on.
///
/// # Panics
/// In a child by `fork`, the first use panics if 254 processes share the hall already.
pub struct Hall {
    segment: Arc<Segment>,
    inode: u64,
    /// Ours, of the generation of forks that last used the hall.
    seat: AtomicPtr<Seat>,
    objects: Rows,
    waiters: Rows,
    counts: Counts,
    /// How many times this process holds each end of each pipe.
    ends: [Counts; 2],
    /// Where to look first for an entry that holds nothing.
    vacant: AtomicU32,
}

fn header_of(segment: &Segment) -> &Header {
    &segment.shared(PAGE, 1)[0]
}

impl Hall {
    /// Makes a hall without objects.
    ///
    /// # Errors
    /// What the system said, if there is no memory, or no descriptor to be had.
    pub fn create() -> Result<Arc<Self>, HallError> {
        let segment = Segment::create(size_of::<Header>(), "anyplace-hall")?;
        // Lays out the table of blocks; the hall itself is their host from now on.
        drop(Memory::host(Arc::clone(&segment), MOST_PARTIES)?);
        header_of(&segment).key.store(new_key(), Relaxed);
        let hall = Self::enter(segment)?;
        known::add(&hall);
        Ok(hall)
    }

    /// The hall as another party sees it, for whom this process acts: what it holds passes on when the last value of it is
    /// dropped, or this process ends. It takes a number, as a process does.
    ///
    /// # Errors
    /// [`HallError::TooMany`] if all numbers are taken.
    ///
    /// ```
    /// use anyplace_sync::shm::hall::Hall;
    ///
    /// let hall = Hall::create()?;
    /// let (door, guest) = (hall.lock(Some("door"))?, hall.guest()?);
    /// assert!(guest.lock(Some("door"))?.try_acquire(&*guest).is_some());
    /// assert!(door.is_locked());
    /// drop(guest);
    /// assert!(door.try_acquire(&*hall).is_some_and(|acquired| acquired.abandoned));
    /// # Ok::<(), anyplace_sync::shm::hall::HallError>(())
    /// ```
    pub fn guest(&self) -> Result<Arc<Self>, HallError> {
        Self::enter(Arc::clone(&self.segment))
    }

    /// Becomes a party of the hall in this segment.
    fn enter(segment: Arc<Segment>) -> Result<Arc<Self>, HallError> {
        let seat = Self::take_seat(&segment)?;
        let hall = Self::sit(segment, seat)?;
        hall.bury_all();
        Ok(Arc::new(hall))
    }

    /// Numbers never run out for the dead: who finds none left buries them.
    fn take_seat(segment: &Arc<Segment>) -> Result<Seat, HallError> {
        let header = header_of(segment);
        Seat::take(segment, header).or_else(|error| {
            let to_bury = Seat::take_to_bury(segment, header).map_err(|_| error)?;
            Self::sit(Arc::clone(segment), to_bury)?.bury_all();
            Seat::take(segment, header)
        })
    }

    fn sit(segment: Arc<Segment>, seat: Seat) -> Result<Self, HallError> {
        let inode = rustix::fs::fstat(segment.fd()?).map_err(std::io::Error::from)?.st_ino;
        Ok(Self {
            segment,
            inode,
            seat: AtomicPtr::new(Box::into_raw(Box::new(seat))),
            objects: Rows::new(OBJECTS),
            waiters: Rows::new(WAITERS),
            counts: Counts::new(),
            ends: [Counts::new(), Counts::new()],
            vacant: AtomicU32::new(0),
        })
    }

    /// How much memory its objects and what is in them take: blocks that are in use, and their bytes.
    pub fn usage(&self) -> Usage {
        self.memory().usage()
    }

    /// Gives memory back to the machine that nobody has used since the last time. Whoever sleeps here for long does so now
    /// and then.
    pub fn trim(&self) -> Trimmed {
        self.memory().trim()
    }

    fn header(&self) -> &Header {
        header_of(&self.segment)
    }

    fn key(&self) -> u64 {
        self.header().key.load(Relaxed)
    }

    fn segment(&self) -> &Segment {
        &self.segment
    }

    fn memory(&self) -> &Memory {
        &self.seat().memory
    }

    /// The body of the object at an entry.
    fn body<K: Body>(&self, entry: &Entry) -> &K {
        let base = self.segment.pointer(0, 0).addr().get();
        let offset = std::ptr::from_ref(entry).addr() - base + offset_of!(Entry, body);
        &self.segment.shared(offset, 1)[0]
    }

    #[inline]
    fn seat_as_it_is(&self) -> &Seat {
        // SAFETY: it points to a seat that lives as long as the hall.
        unsafe { &*self.seat.load(Acquire) }
    }

    /// Ours; a child by `fork` takes one first.
    #[inline]
    fn seat(&self) -> &Seat {
        let seat = self.seat_as_it_is();
        if seat.generation == fork::current() { seat } else { self.seat_after_fork() }
    }

    #[cold]
    fn seat_after_fork(&self) -> &Seat {
        let parents = self.seat.load(Acquire);
        let seat = Self::take_seat(&self.segment);
        let seat = seat.unwrap_or_else(|error| panic!("{error} ({})", error.help()));
        let ours = Box::into_raw(Box::new(seat));
        // The parent's seat stays: values that were copied with us may look at it.
        if self.seat.compare_exchange(parents, ours, AcqRel, Acquire).is_ok() {
            // SAFETY: the seat in the word before was valid, and stays so.
            self.inherit(unsafe { &*parents }.party);
        } else {
            // SAFETY: nobody else knows of this seat: another thread of ours was faster.
            let late = unsafe { Box::from_raw(ours) };
            Roll(self.header()).strike(late.party);
        }
        self.seat_as_it_is()
    }

    /// Opens what our parent has open.
    fn inherit(&self, parent: u32) {
        let desk = self.desk();
        for (_, entry, state) in self.live() {
            let (word, bit) = bury::opener(entry, parent);
            if word.load(Acquire) & bit != 0 {
                let (word, bit) = bury::opener(entry, self.seat().party);
                word.fetch_or(bit, AcqRel);
            }
            if state.kind() == Some(Kind::Pipe) {
                self.body::<PipeBody>(entry).inherit(self, parent, self.seat().party);
            }
        }
        drop(desk);
    }
}

impl Drop for Hall {
    fn drop(&mut self) {
        let seat = self.seat_as_it_is();
        // While blocks of ours are in use, they are ours: then this party ends with its process.
        if seat.generation == fork::current() && !seat.memory.is_shared() {
            self.bury(seat.party);
        }
        // SAFETY: the word points to a box of ours, and nobody uses the hall any more.
        drop(unsafe { Box::from_raw(*self.seat.get_mut()) });
    }
}

impl std::fmt::Debug for Hall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hall").field("party", &self.seat_as_it_is().party).finish_non_exhaustive()
    }
}

/// A number that no other hall has.
fn new_key() -> u64 {
    RandomState::new().hash_one(process::Process::this().word()) | 1
}

#[cfg(test)]
mod tests;
