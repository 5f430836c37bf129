//! What lies where on the board. All fields are atomics, and all zeros is a valid, empty board.

use super::bits::Bits;
use crate::futex::Futex;
use crate::primitives::atomic::{AtomicU32, AtomicU64};
use std::cell::UnsafeCell;

/// So many bytes of a task or of its reply travel in the slot itself; larger ones lie in blocks.
pub const INLINE: usize = 208;

pub(super) type SharedFutex = Futex<true>;

/// A field alone on its pair of cache lines: processors fetch two at a time.
#[derive(Debug)]
#[repr(C, align(128))]
pub(super) struct Line<T>(pub(super) T);

#[derive(Debug)]
#[repr(C)]
pub(super) struct Header {
    /// The next position of the queue to take from. Workers move it.
    pub(super) head: Line<AtomicU64>,
    /// The next position of the queue to put to. Only the host moves it.
    pub(super) tail: Line<AtomicU64>,
    /// The slot that finished last, plus one: the top of a stack linked by `Slot::next`.
    pub(super) finished: Line<AtomicU32>,
    /// Workers that are awake and will look at the queue.
    pub(super) seeking: Line<Bits>,
    /// Workers that sleep on their seat's word, or are about to.
    pub(super) asleep: Line<Bits>,
    /// Callers that sleep until any task is finished, and what they sleep on.
    pub(super) callers: Line<AtomicU32>,
    pub(super) any: Line<SharedFutex>,
    pub(super) bell: Line<Bell>,
}

/// An entry of the queue: a slot's number.
pub(super) type Hint = AtomicU32;

/// When workers call the host though nobody sleeps on a slot.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Bell {
    /// Somebody has rung and the host has not looked yet.
    pub(super) rung: AtomicU32,
    /// Ring at the end of every task.
    pub(super) always: AtomicU32,
    /// Ring when fewer tasks than this wait in the queue: the host has more.
    pub(super) low: AtomicU32,
    /// Ring when a task waits and no worker is free: the host may start one.
    pub(super) hires: AtomicU32,
    /// The place is closed: workers leave.
    pub(super) stop: AtomicU32,
}

#[derive(Debug)]
#[repr(C, align(128))]
pub(super) struct Seat {
    /// `ASLEEP` while its worker sleeps.
    pub(super) word: SharedFutex,
}

#[repr(C, align(256))]
pub(super) struct Slot {
    /// See `word.rs`; the callers of this slot sleep on it.
    pub(super) word: SharedFutex,
    /// The slot that finished before this one, plus one.
    pub(super) next: AtomicU32,
    /// Which item of a chunk runs.
    pub(super) item: AtomicU32,
    /// The block of the message, plus one; 0 if it lies inline. Once the worker has it: the block of the list of what
    /// stands beside the reply as far as it is written, plus one, and `length` is that list's.
    pub(super) block: AtomicU32,
    pub(super) length: AtomicU64,
    /// The block of the reply as far as it is written, plus one.
    pub(super) reply_block: AtomicU32,
    /// How many bytes of the reply lie inline.
    pub(super) reply_inline: AtomicU32,
    pub(super) reply_length: AtomicU64,
    /// Its position in the queue.
    pub(super) position: AtomicU64,
    /// The message until the worker has copied it; then the reply.
    pub(super) inline: UnsafeCell<[u8; INLINE]>,
}

// SAFETY: `inline` is written by the host while the slot is free and by its owner while it runs, and read by the other
// side after an acquire load of the word that says so. A process that breaks this spoils bytes, which decoders check.
unsafe impl Sync for Slot {}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").field("word", &self.word).finish_non_exhaustive()
    }
}

const _: () = assert!(cfg!(loom) || size_of::<Slot>() == 256);
