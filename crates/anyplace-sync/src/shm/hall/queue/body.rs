//! A queue as it lies in the hall, and what is done to it inside its monitor.

use super::heap::{self, Heap};
use super::message::{Content, Message, Received, Record, Writing};
use super::ring::{self, Ring};
use crate::ground::{Inside, MOST_PARTIES, Monitor, Party};
use crate::shm::hall::Hall;
use crate::shm::hall::error::HallError;
use crate::shm::hall::layout::Entry;
use crate::shm::hall::words;
use crate::shm::segment::Shared;
use crate::shm::{BlockMut, Deposit, Full};
use std::cell::Cell;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
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
    shut: AtomicU32,
    /// 0 if there is no limit.
    capacity: AtomicU64,
    head: AtomicU64,
    tail: AtomicU64,
    sequence: AtomicU64,
    /// How many were got, and how many of those are done with.
    taken: AtomicU64,
    done: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Shared for QueueBody {}

/// A queue, inside its monitor.
pub(super) struct Within<'q> {
    hall: &'q Hall,
    entry: &'q Entry,
    body: &'q QueueBody,
    /// What its block holds, which changes when it grows.
    block: Cell<Parts<'q>>,
    _inside: Inside<'q, Hall>,
}

/// The block of a queue: how many messages each party took and has not said to be done with; and the messages.
#[derive(Clone, Copy)]
struct Parts<'q> {
    tally: &'q [AtomicU64],
    words: &'q [AtomicU64],
}

/// Parties are numbered from 1.
const TALLY: usize = MOST_PARTIES + 1;

impl<'q> Parts<'q> {
    fn of(block: &'q [AtomicU64]) -> Self {
        let (tally, words) = block.split_at(TALLY.min(block.len()));
        Self { tally, words }
    }
}

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

    /// Messages that were put and are not done with.
    pub(super) fn unfinished(&self) -> usize {
        // More may be done with than were taken, as long as they were put.
        let taken = self.taken.load(Acquire).wrapping_sub(self.done.load(Acquire));
        (self.len() as u64).wrapping_add(taken) as usize
    }

    /// The longest message that travels in the queue itself.
    pub(super) fn inline(&self) -> usize {
        if self.order() == Order::Fifo { INLINE } else { heap::INLINE }
    }

    /// Enters, and sets right what one who died inside left half done.
    pub(super) fn enter<'q>(&'q self, hall: &'q Hall, entry: &'q Entry) -> Within<'q> {
        let inside = self.state.enter(hall);
        let was_left = inside.was_left();
        let block = Cell::new(Parts::of(hall.storage(entry)));
        let within = Within { hall, entry, body: self, block, _inside: inside };
        if was_left {
            within.repair();
        }
        within
    }

    /// Takes a party that is no more out of all lines, and counts what it was working on as done with. Whoever it should
    /// have woken is woken.
    pub(in crate::shm::hall) fn bury(&self, hall: &Hall, entry: &Entry, party: Party) {
        self.enter(hall, entry).forget(party);
        let resting = if self.unfinished() == 0 { usize::MAX } else { 1 };
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

impl<'q> Within<'q> {
    fn words(&self) -> &'q [AtomicU64] {
        self.block.get().words
    }

    fn tally(&self, party: Party) -> Option<&'q AtomicU64> {
        self.block.get().tally.get(party as usize)
    }

    fn ring(&self) -> Ring<'q> {
        Ring::new(&self.body.head, &self.body.tail, self.words())
    }

    fn heap(&self) -> Heap<'q> {
        Heap::new(&self.body.tail, self.words())
    }

    pub(super) fn is_full(&self) -> bool {
        let capacity = self.body.capacity();
        capacity > 0 && self.body.len() >= capacity
    }

    /// Puts a message, if there is memory for it. Killed anywhere, it is in the queue, or its block is made available.
    pub(super) fn put(&self, message: &mut Message<'_>, key: u64) -> Result<(), Full> {
        if let Content::Short(bytes) = message.0
            && bytes.len() > self.body.inline()
        {
            // It was made for another queue.
            let mut block = self.hall.memory().allocate(bytes.len())?;
            block.copy_from_slice(bytes);
            *message = block.into();
        }
        let writing = match &message.0 {
            Content::Short(bytes) => Writing::Short(bytes),
            Content::Long(block) => Writing::Long(block.as_deposit()?, block.len()),
            Content::Gone => return Ok(()),
        };
        self.make_room(writing.words())?;
        let block = match std::mem::replace(&mut message.0, Content::Gone) {
            Content::Long(block) => Some(block),
            _ => None,
        };
        let moving = &self.entry.moving[0];
        let deposit = || {
            if let (Writing::Long(deposit, _), Some(block)) = (writing, block) {
                moving.store(deposit.word(), Release);
                block.deposit();
            }
        };
        match self.body.order() {
            Order::Fifo => self.ring().push(writing, deposit),
            order => self.heap().push(self.rank(order, key), writing, deposit),
        }
        if matches!(writing, Writing::Long(..)) {
            moving.store(0, Release);
        }
        Ok(())
    }

    fn rank(&self, order: Order, key: u64) -> (u64, u64) {
        let sequence = self.body.sequence.load(Relaxed);
        self.body.sequence.store(sequence.wrapping_add(1), Relaxed);
        if order == Order::Lifo { (0, u64::MAX - sequence) } else { (key, sequence) }
    }

    /// Takes the next message out. Killed before the store that says so, it is still there; after it, it is ours.
    pub(super) fn get(&self) -> Option<Received> {
        match self.body.order() {
            Order::Fifo => {
                let ring = self.ring();
                let (record, from, words) = ring.first()?;
                self.take(record, from, || ring.pass(words))
            }
            _ => {
                let heap = self.heap();
                let (record, from) = heap.first()?;
                self.take(record, from, || heap.pass())
            }
        }
    }

    fn take(&self, record: Record, from: &[AtomicU64], pass: impl FnOnce()) -> Option<Received> {
        let copied = record.copied(from);
        let moving = &self.entry.moving[0];
        if let Some(deposit) = record.deposit() {
            moving.store(deposit.word(), Release);
        }
        // First, so that a death before the rest adds nothing: what is missing decides how much is counted as done with.
        if let Some(ours) = self.tally(self.hall.seat().party) {
            ours.fetch_add(1, Relaxed);
        }
        pass();
        self.body.taken.fetch_add(1, Release);
        let received = copied.or_else(|| record.withdrawn(self.hall.memory()));
        moving.store(0, Release);
        // A block that is gone is the doing of a process that broke the rules; the message is empty then.
        Some(received.unwrap_or(Received::Short(Vec::new())))
    }

    fn has_room(&self, words: usize) -> bool {
        match self.body.order() {
            Order::Fifo => self.ring().has_room(words),
            _ => self.heap().has_room(),
        }
    }

    fn make_room(&self, words: usize) -> Result<(), Full> {
        while !self.has_room(words) {
            self.grow()?;
        }
        Ok(())
    }

    /// Moves to a block twice as large. One store says which of the two it is.
    fn grow(&self) -> Result<(), Full> {
        let old = self.block.get();
        let block = self.hall.blank((TALLY + old.words.len() * 2) * 8)?;
        let (hall, new) = (self.hall, block.as_deposit()?);
        let larger = hall.words_of(new).ok_or(Full::Space { wanted: block.len() as u64, left: 0 })?;
        let larger = Parts::of(larger);
        words::copy(old.tally, larger.tally);
        match self.body.order() {
            Order::Fifo => self.ring().copy_to(larger.words),
            _ => self.heap().copy_to(larger.words),
        }
        hall.exchange_storage(self.entry, block, new);
        self.block.set(larger);
        Ok(())
    }

    /// Says that so many more are done with; false if there were not as many.
    pub(super) fn finish(&self, count: u64) -> bool {
        let fits = count <= self.body.unfinished() as u64;
        if fits {
            self.body.done.fetch_add(count, Release);
            if let Some(ours) = self.tally(self.hall.seat().party) {
                ours.store(ours.load(Relaxed).saturating_sub(count), Relaxed);
            }
        }
        fits
    }

    /// What a party took and died over is done with as far as nobody else said so: no more than is missing.
    fn forget(&self, party: Party) {
        let Some(theirs) = self.tally(party) else { return };
        let taken = theirs.load(Relaxed);
        let all: u64 = self.block.get().tally.iter().map(|tally| tally.load(Relaxed)).sum();
        let unfinished = (self.body.unfinished() as u64).saturating_sub(self.body.len() as u64);
        let missing = unfinished.saturating_sub(all - taken);
        self.body.done.fetch_add(missing.min(taken), Release);
        theirs.store(0, Relaxed);
    }

    pub(super) fn body(&self) -> &QueueBody {
        self.body
    }

    pub(super) fn shut(&self) {
        self.body.shut.store(1, Release);
    }

    /// Takes all messages out, as if they were done with.
    pub(super) fn discard_all(self) -> Self {
        while let Some(message) = self.get() {
            drop(message);
            self.finish(1);
        }
        self
    }

    /// Finishes what one who died inside had begun: its block is in the queue, or is not. The rest is one store.
    fn repair(&self) {
        let is_heap = self.body.order() != Order::Fifo;
        if is_heap && !self.words().is_empty() {
            self.heap().set_in_order();
        }
        for word in &self.entry.moving {
            let deposit = Deposit::from_word(word.load(Acquire));
            if let Some(deposit) = deposit.filter(|deposit| !self.names(*deposit)) {
                self.hall.memory().discard(deposit);
            }
            word.store(0, Release);
        }
    }

    fn names(&self, deposit: Deposit) -> bool {
        let is_it = |record: Record| record.deposit() == Some(deposit);
        self.entry.storage.load(Acquire) == deposit.word()
            || match self.body.order() {
                Order::Fifo => self.ring().records().any(is_it),
                _ => self.heap().records().any(is_it),
            }
    }
}

impl Hall {
    /// The words of the block that belongs to the object at an entry.
    pub(in crate::shm::hall) fn storage(&self, entry: &Entry) -> &[AtomicU64] {
        let deposit = Deposit::from_word(entry.storage.load(Acquire));
        deposit.and_then(|deposit| self.words_of(deposit)).unwrap_or_default()
    }

    /// The words of a block.
    pub(in crate::shm::hall) fn words_of(&self, deposit: Deposit) -> Option<&[AtomicU64]> {
        let extent = self.memory().extent_of(deposit)?;
        Some(self.segment().shared(extent.start, extent.len() / 8))
    }

    /// Puts `block`, which is to be the deposit `new`, in the place of the block that belongs to an object. Inside its
    /// monitor; killed anywhere, one of the two belongs to it, and who comes next discards the other.
    pub(in crate::shm::hall) fn exchange_storage(&self, entry: &Entry, block: BlockMut, new: Deposit) {
        let old = entry.storage.load(Acquire);
        entry.moving[0].store(old, Relaxed);
        entry.moving[1].store(new.word(), Release);
        block.deposit();
        entry.storage.store(new.word(), Release);
        if let Some(old) = Deposit::from_word(old) {
            self.memory().discard(old);
        }
        entry.moving.iter().for_each(|word| word.store(0, Release));
    }
}

impl From<Full> for super::PutError {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}

/// How long a new queue's block is, in bytes.
pub(super) const FIRST: usize = 8192;

pub(in crate::shm::hall) fn make(
    making: &crate::shm::hall::making::Making<'_>,
    order: Order,
    capacity: usize,
) -> Result<(), HallError> {
    making.body::<QueueBody>().begin(order, capacity);
    making.storage(FIRST)?;
    if order != Order::Fifo {
        let words = Parts::of(making.hall.storage(making.entry)).words;
        Heap::new(&making.body::<QueueBody>().tail, words).set_in_order();
    }
    Ok(())
}
