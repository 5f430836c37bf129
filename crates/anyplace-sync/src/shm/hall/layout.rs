//! What lies where in a hall. All fields are atomics, and all zeros is an empty hall.
//!
//! The header lies in the control bytes, which are backed from the beginning. Objects and the records of those who wait
//! come in rows, blocks of the memory behind, made when the first of a row is needed: nothing is touched that was not
//! asked for.

use crate::ground::{MOST_PARTIES, Monitor, Waiter};
use crate::shm::segment::Shared;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// How many objects a row has, and how many rows there can be.
pub(super) const OBJECTS: Shape = Shape { row: 32, rows: 2048 };
/// The same of those who wait.
pub(super) const WAITERS: Shape = Shape { row: 64, rows: 1024 };

/// How many there can be of something, and how many at a time are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) row: u32,
    pub(super) rows: u32,
}

impl Shape {
    pub(super) const fn most(self) -> u32 {
        self.row * self.rows
    }
}

/// The longest name of an object, in bytes.
pub(super) const NAME: usize = 48;
/// The largest body of an object.
pub(super) const BODY: usize = 392;

#[repr(C)]
pub(super) struct Header {
    /// Says that this is a hall, and which.
    pub(super) key: AtomicU64,
    /// Where the next party looks for a number first, so that one that has just become free rests for long.
    pub(super) next: AtomicU32,
    /// How many objects were ever used.
    pub(super) objects: AtomicU32,
    /// How many records of waiters there are.
    pub(super) waiters: AtomicU32,
    /// Whoever changes which objects there are is inside.
    pub(super) desk: Monitor,
    /// Whoever makes a row is inside; nobody waits for anything else there.
    pub(super) mason: Monitor,
    /// The deposit of a row that is being made.
    pub(super) moving: AtomicU64,
    /// When somebody last looked for the dead, by [`now`](crate::ground::now), and how long that took.
    pub(super) looked: AtomicU64,
    pub(super) look_cost: AtomicU64,
    /// When somebody last gave memory back that was not used.
    pub(super) trimmed: AtomicU64,
    /// Whoever buries is inside.
    pub(super) grave: Monitor,
    /// By party, from 1 on: its process; 0 if there is none.
    pub(super) parties: [AtomicU64; MOST_PARTIES + 1],
    /// By party: the descriptor by which others can open the hall.
    pub(super) doors: [AtomicU32; MOST_PARTIES + 1],
    /// The deposits of the rows.
    pub(super) object_rows: [AtomicU64; OBJECTS.rows as usize],
    pub(super) waiter_rows: [AtomicU64; WAITERS.rows as usize],
}

/// One object, or room for one.
#[repr(C)]
pub(super) struct Entry {
    /// Its phase, its kind, and how many objects were here before (see `state.rs`).
    pub(super) state: AtomicU64,
    /// The deposit of the block that belongs to it.
    pub(super) storage: AtomicU64,
    /// Deposits on their way into the object, or out of it: a process killed on the way leaves them to the next.
    pub(super) moving: [AtomicU64; 2],
    /// Which parties have it open.
    pub(super) openers: [AtomicU64; 4],
    pub(super) name_len: AtomicU64,
    pub(super) name: [AtomicU64; NAME / 8],
    pub(super) body: [AtomicU64; BODY / 8],
}

const _: () = assert!(size_of::<Entry>() == 512);

// SAFETY: atomics only.
unsafe impl Shared for Header {}
// SAFETY: atomics only.
unsafe impl Shared for Entry {}
// SAFETY: atomics only.
unsafe impl Shared for Waiter {}
