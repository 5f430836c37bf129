//! A queue as it lies in the hall.

use super::heap;
use super::ring;
use super::within::Within;
use crate::ground::{Monitor, Party};
use crate::shm::Deposit;
use crate::shm::hall::Hall;
use crate::shm::hall::error::HallError;
use crate::shm::hall::layout::Entry;
use crate::shm::segment::Shared;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::atomic::{AtomicU32, AtomicU64};

/// Longer messages than this travel in blocks of their own.
const INLINE: usize = 1024;

/// In which order messages come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The first that was put.
    Fifo,
    /// The last that was put.
    Lifo,
    /// The one with the smallest key; of several, the first that was put.
    Priority,
}

/// What stands in an entry for a queue. (Public only as the body of an object.)
#[derive(Debug, Default)]
#[repr(C)]
pub struct QueueBody {
    /// Whoever looks at or changes anything below is inside.
    state: Monitor,
    /// The lines of those who wait for a message, for room, and for all messages to be done with.
    pub(super) items: Monitor,
    pub(super) room: Monitor,
    pub(super) rest: Monitor,
    order: AtomicU32,
    pub(super) shut: AtomicU32,
    /// 0 if there is no limit.
    capacity: AtomicU64,
    pub(super) head: AtomicU64,
    pub(super) tail: AtomicU64,
    pub(super) sequence: AtomicU64,
    /// How many were got, and how many of those are done with.
    pub(super) taken: AtomicU64,
    pub(super) done: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Shared for QueueBody {}

impl QueueBody {
    pub(super) fn begin(&self, order: Order, capacity: usize) {
        self.order.store(order as u32, Relaxed);
        self.capacity.store(capacity as u64, Relaxed);
    }

    pub(super) fn order(&self) -> Order {
        [Order::Fifo, Order::Lifo, Order::Priority][self.order.load(Relaxed).min(2) as usize]
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity.load(Relaxed) as usize
    }

    pub(super) fn is_shut(&self) -> bool {
        self.shut.load(Acquire) != 0
    }

    pub(super) fn len(&self) -> usize {
        match self.order() {
            Order::Fifo => ring::len(&self.head, &self.tail),
            _ => self.tail.load(Acquire) as usize,
        }
    }

    /// The longest message that travels in the queue itself.
    pub(super) fn inline(&self) -> usize {
        if self.order() == Order::Fifo { INLINE } else { heap::INLINE }
    }

    /// Enters, and sets right what one who died inside left half done.
    pub(super) fn enter<'q>(&'q self, hall: &'q Hall, entry: &'q Entry) -> Within<'q> {
        Within::new(hall, entry, self, self.state.enter(hall))
    }

    /// Takes a party that is no more out of all lines, and counts what it was working on as done with. Whoever it should
    /// have woken is woken.
    pub(in crate::shm::hall) fn bury(&self, hall: &Hall, entry: &Entry, party: Party) {
        let within = self.enter(hall, entry);
        within.forget(party);
        let resting = if within.unfinished() == 0 { usize::MAX } else { 1 };
        drop(within);
        for (line, count) in [(&self.items, 1), (&self.room, 1), (&self.rest, resting)] {
            let mut inside = line.enter(hall);
            inside.bury(party);
            inside.wake(count);
        }
    }

    /// Lets nothing be put any more, and throws away what is there if it is `immediate`.
    pub(in crate::shm::hall) fn shut_down(&self, hall: &Hall, entry: &Entry, immediate: bool) {
        let mut within = self.enter(hall, entry);
        within.shut();
        if immediate {
            within = within.discard_all();
        }
        drop(within);
        for line in [&self.items, &self.room, &self.rest] {
            call(hall, line, usize::MAX);
        }
    }

    /// Discards all messages. (At the desk, when nobody has the queue open.)
    pub(in crate::shm::hall) fn empty(&self, hall: &Hall, entry: &Entry) {
        let is_there = |word: &AtomicU64| {
            Deposit::from_word(word.load(Acquire)).is_some_and(|block| hall.memory().is_deposited(block))
        };
        if is_there(&entry.storage) {
            drop(self.enter(hall, entry).discard_all());
        }
    }
}

/// Has up to `count` of a line look again. (Outside the queue's monitor: lines come first.)
///
/// Whoever joins a line has been inside it since before it looked into the queue. So who changes the queue and then sees
/// nobody in the line, nor inside it, was seen.
pub(super) fn call(hall: &Hall, line: &Monitor, count: usize) {
    if count > 0 && line.is_awaited() {
        line.enter(hall).wake(count);
    }
}

/// How long a new queue's block is, in bytes.
const FIRST: usize = 8192;

pub(in crate::shm::hall) fn make(
    making: &crate::shm::hall::making::Making<'_>,
    order: Order,
    capacity: usize,
) -> Result<(), HallError> {
    let body = making.body::<QueueBody>();
    body.begin(order, capacity);
    making.storage(FIRST)?;
    body.enter(making.hall, making.entry).begin();
    Ok(())
}
