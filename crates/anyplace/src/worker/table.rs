//! A worker at the board of its place: takes tasks, runs them, leaves the replies.
//!
//! A reply in a slot is the time it took in nanoseconds, or 0, with [`SPOKEN`] if the task has said something in the log (8
//! bytes), and then a reply as `wire/reply.rs` has it, if
//! it is short. Otherwise the slot has the number of bytes of the rows (8), and a block has the rows and behind them the
//! rest of the reply. The rows of a chunk of many calls are written there one by one as their calls end, and the slot says
//! how far: what was finished is not lost with its worker. What stands beside the rows is listed in a block of its own
//! meanwhile.

use super::growing::Growing;
use super::list::List;
use super::memory::Shared;
use super::{Functions, Interpreter, Link, Order, Replies, Sink};
use crate::driver::Memory;
use crate::error::{Error, Kind, Result};
use crate::wire::rows::{self, LONGEST_HEAD};
use crate::wire::{self, Malformed, reply};
use crate::work::{Bytes, Function};
use anyplace_sync::shm::board::{Body, INLINE, Job, Seat};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// The task has sent records for the log: they are heard before its outcome is told.
pub(crate) const SPOKEN: u64 = 1 << 63;

/// A worker at its seat.
pub(super) struct Table {
    pub(super) seat: Seat,
    pub(super) memory: Shared,
    pub(super) link: Link,
    pub(super) known: Known,
    /// Where replies are put together: kept from one task to the next.
    pub(super) room: Vec<u8>,
}

impl Table {
    /// Runs a task.
    pub(super) fn run<I: Interpreter>(&mut self, interpreter: &mut I, job: &Job) {
        let records = self.link.records();
        let replies = Kept::Few(rows::Writer::default());
        let mut sink = Slot { table: self, job, replies, list: List::default(), records, began: None };
        if let Err(error) = sink.run(interpreter) {
            // The order cannot be read: there is one call that can be answered.
            Replies::new(&mut sink).finish(1, Some(&error));
            sink.finish(false);
        }
    }
}

/// The replies of one task.
struct Slot<'a> {
    table: &'a mut Table,
    job: &'a Job,
    replies: Kept,
    list: List,
    /// How many records this worker had sent before.
    records: usize,
    began: Option<Instant>,
}

enum Kept {
    Few(rows::Writer),
    /// Those of a chunk of more than one call.
    Many(Growing),
}

impl Slot<'_> {
    fn run<I: Interpreter>(&mut self, interpreter: &mut I) -> Result<()> {
        let unreadable = |malformed: Malformed| {
            Error::new(Kind::Unexpected, "the worker cannot read its task").with_source(malformed)
        };
        let spoilt = || unreadable(Malformed("a task of a place"));
        let (memory, link) = (self.table.memory.clone(), self.table.link.clone());
        let message = match self.job.message() {
            Body::Inline(bytes) => Bytes::from(bytes),
            Body::Block(number, length) => memory.borrow(number, length).ok_or_else(spoilt)?,
        };
        let (head, order) = message.split_first_chunk::<12>().ok_or_else(spoilt)?;
        let functions = InBlock { head, memory: &memory, known: self.table.known.clone() };
        let mut buffers = Vec::new();
        let is_chunk = {
            let order = wire::Order::read(order, &mut buffers, &memory).map_err(unreadable)?;
            let (is_chunk, context) = (order.is_chunk, order.context(link.worker(), link.workers()));
            if is_chunk {
                self.began = Some(Instant::now());
            }
            if order.rows.len() > 1 {
                self.expect_many();
            }
            let order = Order::new(order, context, &functions);
            super::serve::run_order(self, &order, |replies| interpreter.run(&order, replies));
            is_chunk
        };
        // What the task was given is gone before anybody hears that it is done.
        drop(buffers);
        drop(message);
        self.finish(is_chunk);
        Ok(())
    }

    /// The replies of many calls are written where they are found if this process dies. One alone needs no block: its reply
    /// is sent as soon as it is there.
    fn expect_many(&mut self) {
        if let Ok(growing) = Growing::new(&self.table.memory.0) {
            self.replies = Kept::Many(growing);
        }
    }

    fn finish(&mut self, is_chunk: bool) {
        let took = self
            .began
            .map_or(0, |began| u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX >> 1).max(1));
        let has_spoken = self.table.link.records() != self.records;
        let took = if has_spoken { took | SPOKEN } else { took };
        self.table.room.clear();
        self.table.room.extend_from_slice(&took.to_le_bytes());
        let replies = std::mem::replace(&mut self.replies, Kept::Few(rows::Writer::default()));
        let finished = match replies {
            Kept::Few(rows) => self.finish_few(is_chunk, &rows.finish()),
            Kept::Many(growing) => self.finish_many(growing),
        };
        if !finished {
            self.tell_full(took);
        }
    }

    /// `false` if the reply finds no room.
    fn finish_few(&mut self, is_chunk: bool, all: &rows::Rows) -> bool {
        let Table { seat, memory, room, .. } = &mut *self.table;
        let rest = reply::write(room, is_chunk, all, &*memory);
        let following: usize = rest.following.iter().map(|bytes| bytes.len()).sum();
        let beside = all.parts().1;
        if room.len() + rest.rows.len() + following <= INLINE {
            room.extend_from_slice(&rest.rows);
            rest.following.iter().for_each(|bytes| room.extend_from_slice(bytes));
            Shared::publish(beside);
            seat.finish(self.job, room, None, !beside.is_empty());
            return true;
        }
        let head = &room[8..];
        let Ok(mut block) = memory.0.allocate(rest.rows.len() + head.len() + following) else { return false };
        fill(&mut block, [&rest.rows, head].into_iter().chain(rest.following.iter().map(|bytes| &***bytes)));
        let rows = rest.rows.len() as u64;
        room.truncate(8);
        room.extend_from_slice(&rows.to_le_bytes());
        Shared::publish(beside);
        seat.finish(self.job, room, Some(block.publish()), true);
        true
    }

    fn finish_many(&mut self, mut growing: Growing) -> bool {
        let Table { seat, memory, room, .. } = &mut *self.table;
        let (all, beside, rows) = growing.parts();
        let (written, beside) = (all.len(), beside.to_vec());
        let following = reply::write_apart(room, true, rows, written, &beside, &*memory);
        let head = &room[8..];
        let more = head.len() + following.iter().map(|bytes| bytes.len()).sum::<usize>();
        let tell = |block, length| seat.written(self.job, block, length);
        if !growing.has_room(more) && growing.move_on(more, tell).is_err() {
            return false;
        }
        let block = growing.finish(std::iter::once(head).chain(following.iter().map(|bytes| &***bytes)));
        room.truncate(8);
        room.extend_from_slice(&(written as u64).to_le_bytes());
        Shared::publish(&beside);
        seat.finish(self.job, room, Some(block.publish()), true);
        true
    }

    /// The reply finds no room in the place's memory; an error does.
    fn tell_full(&mut self, took: u64) {
        // Short enough for the slot.
        let error =
            Error::new(Kind::ResourceExhausted, "the place's shared memory has no room for the result");
        let mut writer = rows::Writer::default();
        writer.push(wire::FAILED, &wire::error_bytes(&error), &[]);
        let Table { seat, memory, room, .. } = &mut *self.table;
        room.clear();
        room.extend_from_slice(&took.to_le_bytes());
        let rows = writer.finish();
        let rest = reply::write(room, false, &rows, &*memory);
        room.extend_from_slice(&rest.rows);
        seat.finish(self.job, room, None, false);
    }
}

impl Sink for Slot<'_> {
    fn begin(&mut self, position: usize) {
        if matches!(self.replies, Kept::Many(_)) {
            self.table.seat.item(self.job, position as u32);
        }
    }

    fn push(&mut self, kind: u8, bytes: &[u8], buffers: &[Bytes]) {
        self.make_room(bytes.len());
        match &mut self.replies {
            Kept::Few(writer) => writer.push(kind, bytes, buffers),
            Kept::Many(growing) => growing.push(kind, bytes, buffers),
        }
        self.publish();
    }

    fn push_beside(&mut self, kind: u8, bytes: Bytes, buffers: &[Bytes]) {
        self.make_room(0);
        match &mut self.replies {
            Kept::Few(writer) => writer.push_beside(kind, bytes, buffers),
            Kept::Many(growing) => growing.push_beside(kind, bytes, buffers),
        }
        self.publish();
    }

    fn memory(&self) -> Option<&dyn Memory> {
        Some(&self.table.memory)
    }
}

impl Slot<'_> {
    /// Says how far the replies are written.
    #[inline]
    fn publish(&mut self) {
        if let Kept::Many(growing) = &self.replies {
            let Table { seat, memory, .. } = &*self.table;
            self.list.follow(growing.parts().1, memory, |block, length| seat.beside(self.job, block, length));
            let (block, length) = growing.written();
            seat.written(self.job, block, length);
        }
    }

    /// Sees to it that a row with so many bytes finds room.
    #[inline]
    fn make_room(&mut self, value: usize) {
        // Before it writes where its parent does.
        self.table.seat.end_strays();
        match &self.replies {
            Kept::Many(growing) if !growing.has_room(value) => self.move_on(value),
            _ => {}
        }
    }

    fn move_on(&mut self, value: usize) {
        let Kept::Many(growing) = &mut self.replies else { return };
        // The slot names the old block until it names the new one.
        let tell = |block, length| self.table.seat.written(self.job, block, length);
        if growing.move_on(LONGEST_HEAD + value, tell).is_err() {
            self.give_up_the_block();
        }
    }

    /// The place's memory is full: the replies go on here, and would be lost with this process.
    fn give_up_the_block(&mut self) {
        let mut few = rows::Writer::default();
        if let Kept::Many(growing) = &self.replies {
            let (bytes, beside, rows) = growing.parts();
            few.append_all(bytes, beside, rows);
        }
        self.table.seat.written(self.job, 0, 0);
        self.replies = Kept::Few(few);
    }
}

fn fill<'a>(mut room: &mut [u8], parts: impl Iterator<Item = &'a [u8]>) {
    for part in parts {
        let (here, others) = room.split_at_mut(part.len());
        here.copy_from_slice(part);
        room = others;
    }
}

/// The callables that were used last, so that each is looked up in the place's memory once.
#[derive(Clone, Default)]
pub(super) struct Known(Rc<RefCell<VecDeque<Arc<Function>>>>);

impl Known {
    const MOST: usize = 128;

    fn get(&self, id: u64, read: impl FnOnce() -> Option<Arc<Function>>) -> Option<Arc<Function>> {
        let mut known = self.0.borrow_mut();
        if let Some(at) = known.iter().rposition(|function| function.id == id) {
            let found = known.remove(at);
            known.extend(found.clone());
            return found;
        }
        let function = read()?;
        if known.len() >= Self::MOST {
            known.pop_front();
        }
        known.push_back(function.clone());
        Some(function)
    }
}

/// The callable of a task, which lies in a block.
struct InBlock<'a> {
    /// The block's number plus one, and the length of what is in it.
    head: &'a [u8; 12],
    memory: &'a Shared,
    known: Known,
}

impl Functions for InBlock<'_> {
    fn get(&self, id: u64) -> Result<Arc<Function>> {
        self.known
            .get(id, || self.read(id))
            .ok_or_else(|| Error::new(Kind::Unexpected, "the place calls a function that it has not sent"))
    }
}

impl InBlock<'_> {
    fn read(&self, id: u64) -> Option<Arc<Function>> {
        let (number, length) = self.head.split_first_chunk::<4>()?;
        let number = u32::from_le_bytes(*number).checked_sub(1)?;
        let length = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
        let all = self.memory.borrow(number, length)?;
        let (name_length, rest) = all.split_first_chunk::<8>()?;
        let name = rest.get(..usize::try_from(u64::from_le_bytes(*name_length)).ok()?)?;
        let bytes = all.slice(8 + name.len()..all.len());
        Some(Arc::new(Function { id, name: String::from_utf8_lossy(name).into_owned(), bytes }))
    }
}
