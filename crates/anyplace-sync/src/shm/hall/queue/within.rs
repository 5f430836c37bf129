//! A queue from inside its monitor: putting, taking, growing, and setting right what one who died there left.

use super::body::{Order, QueueBody};
use super::heap::Heap;
use super::message::{Content, Message, Received, Record, Writing};
use super::ring::Ring;
use crate::ground::{Inside, MOST_PARTIES, Party};
use crate::shm::hall::Hall;
use crate::shm::hall::layout::Entry;
use crate::shm::hall::words;
use crate::shm::{Deposit, Full};
use std::cell::Cell;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

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

impl<'q> Within<'q> {
    /// Sets right what one who died inside left half done.
    pub(super) fn new(
        hall: &'q Hall,
        entry: &'q Entry,
        body: &'q QueueBody,
        inside: Inside<'q, Hall>,
    ) -> Self {
        let was_left = inside.was_left();
        let block = Cell::new(Parts::of(hall.storage(entry)));
        let within = Self { hall, entry, body, block, _inside: inside };
        if was_left {
            within.repair();
        }
        within
    }

    /// Prepares the block of a new queue.
    pub(super) fn begin(&self) {
        if self.body.order() != Order::Fifo {
            self.heap().set_in_order();
        }
    }

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

    /// Messages that were put and are not done with. One on its way out is neither in the queue nor taken, so this is known
    /// inside only.
    pub(super) fn unfinished(&self) -> usize {
        // More may be done with than were taken, as long as they were put.
        let taken = self.body.taken.load(Acquire).wrapping_sub(self.body.done.load(Acquire));
        (self.body.len() as u64).wrapping_add(taken) as usize
    }

    /// Says that so many more are done with; false if there were not as many.
    pub(super) fn finish(&self, count: u64) -> bool {
        let fits = count <= self.unfinished() as u64;
        if fits {
            self.body.done.fetch_add(count, Release);
            if let Some(ours) = self.tally(self.hall.seat().party) {
                ours.store(ours.load(Relaxed).saturating_sub(count), Relaxed);
            }
        }
        fits
    }

    /// What a party took and died over is done with as far as nobody else said so: no more than is missing.
    pub(super) fn forget(&self, party: Party) {
        let Some(theirs) = self.tally(party) else { return };
        let taken = theirs.load(Relaxed);
        let all: u64 = self.block.get().tally.iter().map(|tally| tally.load(Relaxed)).sum();
        let unfinished = (self.unfinished() as u64).saturating_sub(self.body.len() as u64);
        let missing = unfinished.saturating_sub(all - taken);
        self.body.done.fetch_add(missing.min(taken), Release);
        theirs.store(0, Relaxed);
    }

    pub(super) fn is_shut(&self) -> bool {
        self.body.is_shut()
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
