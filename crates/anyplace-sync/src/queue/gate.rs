//! The gate: whether items may come in, how many threads are coming in with one, and how many items are unfinished.
//!
//! One word holds all three, so that each is exact where another changes: who finds the gate *final* (shut, and nobody on
//! the way in) and then an empty queue knows that no item will ever come.

use crate::primitives::atomic::AtomicU64;
use crate::primitives::atomic::Ordering::{AcqRel, Acquire, Relaxed};

const SHUT: u64 = 1;
/// Shut, and what is in the queue is thrown away.
const DISCARDS: u64 = 2;
const ENTERING: u64 = 4;
const MOST_ENTERING: u64 = (1 << 16) - 1;
/// The highest bits, so that a program that never calls `task_done` may overflow them and does no harm.
const UNFINISHED: u64 = ENTERING << 16;

/// On cache lines of its own (two, as they are fetched in pairs): every producer writes it, no consumer looks at it before
/// the queue is empty.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Gate(AtomicU64);

/// What the word said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen(u64);

impl Gate {
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Begins to bring in an item, which is unfinished from here on; false if the gate is shut, after all is undone.
    #[inline]
    pub(super) fn enter(&self) -> bool {
        let before = Seen(self.0.fetch_add(ENTERING + UNFINISHED, AcqRel));
        debug_assert!(before.0 / ENTERING % (MOST_ENTERING + 1) < MOST_ENTERING, "too many threads");
        !before.is_shut()
    }

    /// The item is in.
    #[inline]
    pub(super) fn leave(&self) -> Seen {
        Seen(self.0.fetch_sub(ENTERING, AcqRel) - ENTERING)
    }

    /// The item is not in, after all.
    pub(super) fn turn_back(&self) -> Seen {
        Seen(self.0.fetch_sub(ENTERING + UNFINISHED, AcqRel).wrapping_sub(ENTERING + UNFINISHED))
    }

    /// An item is finished; `None` if none was unfinished.
    pub(super) fn finish(&self) -> Option<Seen> {
        let one_less = |word: u64| word.checked_sub(UNFINISHED);
        self.0.fetch_update(AcqRel, Relaxed, one_less).ok().map(|before| Seen(before - UNFINISHED))
    }

    /// Shuts the gate for ever.
    pub(super) fn shut(&self, discards: bool) {
        self.0.fetch_or(if discards { SHUT | DISCARDS } else { SHUT }, AcqRel);
    }

    #[inline]
    pub(super) fn look(&self) -> Seen {
        Seen(self.0.load(Acquire))
    }
}

impl Seen {
    pub(super) fn is_shut(self) -> bool {
        self.0 & SHUT != 0
    }

    pub(super) fn discards(self) -> bool {
        self.0 & DISCARDS != 0
    }

    /// No item will come any more.
    pub(super) fn is_final(self) -> bool {
        self.is_shut() && self.0 % UNFINISHED < ENTERING
    }

    pub(super) fn unfinished(self) -> u64 {
        self.0 / UNFINISHED
    }
}
