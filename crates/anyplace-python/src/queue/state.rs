//! What a queue holds and how it stands, as those see it who wait without the interpreter's lock.

use super::heap;
use super::held::Held;
use crate::turns::{Turn, Turns};
use pyo3::prelude::*;
use std::collections::VecDeque;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicUsize};

/// It is the standard library's from here on: somebody has touched its inside.
pub(super) const OPEN: u8 = 1;
pub(super) const SHUT: u8 = 2;
const LIFO: u8 = 4;
const SORTED: u8 = 8;

/// Which item comes first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Fifo,
    Lifo,
    Sorted,
}

/// All of it changes with the interpreter's lock only, and if the items are sorted by whose turn it is.
pub(super) struct State {
    items: Held<VecDeque<Py<PyAny>>>,
    len: AtomicUsize,
    /// How many items there may be.
    room: AtomicUsize,
    bits: AtomicU8,
    unfinished: AtomicI64,
    turns: Turns<()>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            items: Held::default(),
            len: AtomicUsize::new(0),
            room: AtomicUsize::new(usize::MAX),
            bits: AtomicU8::new(0),
            unfinished: AtomicI64::new(0),
            turns: Turns::new((), "items that are compared cannot use the queue they are compared for"),
        }
    }
}

impl State {
    /// Begins anew, empty; gives what was there, to be dropped.
    pub(super) fn begin(&self, py: Python<'_>, order: Order) -> VecDeque<Py<PyAny>> {
        let bits = match order {
            Order::Fifo => 0,
            Order::Lifo => LIFO,
            Order::Sorted => SORTED,
        };
        self.bits.store(bits, Release);
        self.unfinished.store(0, Release);
        self.take_all(py)
    }

    /// Adds an item; false if there is no room, or this is not the way in any more.
    ///
    /// # Errors
    /// What a comparison raises; then nothing has changed.
    #[inline]
    pub(super) fn put(&self, item: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = item.py();
        let _turn = self.turn(py)?;
        if self.is(OPEN | SHUT) || !self.has_room() {
            return Ok(false);
        }
        if self.is(SORTED) {
            heap::push(&self.items, item)?;
        } else {
            self.items.with(py, |items| items.push_back(item.clone().unbind()));
        }
        self.unfinished.fetch_add(1, Release);
        self.count(py);
        Ok(true)
    }

    /// As [`put`](Self::put), if that runs no Python code.
    #[inline]
    pub(super) fn put_at_once(&self, item: &Bound<'_, PyAny>) -> bool {
        let py = item.py();
        if self.is(OPEN | SHUT | SORTED) || !self.has_room() {
            return false;
        }
        let len = self.items.with(py, |items| {
            items.push_back(item.clone().unbind());
            items.len()
        });
        self.unfinished.store(self.unfinished.load(Relaxed) + 1, Release);
        self.len.store(len, Release);
        true
    }

    /// Takes the first item.
    ///
    /// # Errors
    /// What a comparison raises; then nothing has changed.
    #[inline]
    pub(super) fn take(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        if !self.is(SORTED) {
            return Ok(self.take_at_once(py));
        }
        let _turn = self.turn(py)?;
        let item = heap::pop(&self.items, py)?;
        self.count(py);
        Ok(item)
    }

    /// As [`take`](Self::take), if that runs no Python code.
    #[inline]
    pub(super) fn take_at_once(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let bits = self.bits.load(Relaxed);
        if bits & (OPEN | SORTED) != 0 {
            return None;
        }
        let (item, len) = self.items.with(py, |items| {
            let item = if bits & LIFO == 0 { items.pop_front() } else { items.pop_back() };
            (item, items.len())
        });
        self.len.store(len, Release);
        item
    }

    /// Takes all items, in the order of the standard library's own list of them.
    pub(super) fn take_all(&self, py: Python<'_>) -> VecDeque<Py<PyAny>> {
        let all = self.items.with(py, std::mem::take);
        self.count(py);
        all
    }

    /// The right to change what is sorted; others need none.
    pub(super) fn turn<'py>(&self, py: Python<'py>) -> PyResult<Option<Turn<'_, 'py, ()>>> {
        self.is(SORTED).then(|| self.turns.take(py)).transpose()
    }

    #[inline]
    pub(super) fn is(&self, bits: u8) -> bool {
        self.bits.load(Acquire) & bits != 0
    }

    pub(super) fn set(&self, bits: u8, to: bool) {
        let before = self.bits.load(Relaxed);
        self.bits.store(if to { before | bits } else { before & !bits }, Release);
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len.load(Acquire)
    }

    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.len() < self.room.load(Acquire)
    }

    pub(super) fn is_bounded(&self) -> bool {
        self.room.load(Relaxed) < usize::MAX
    }

    pub(super) fn set_room(&self, room: usize) {
        self.room.store(room, Release);
    }

    pub(super) fn unfinished(&self) -> i64 {
        self.unfinished.load(Acquire)
    }

    pub(super) fn set_unfinished(&self, unfinished: i64) {
        self.unfinished.store(unfinished, Release);
    }

    pub(super) fn items(&self) -> &Held<VecDeque<Py<PyAny>>> {
        &self.items
    }

    fn count(&self, py: Python<'_>) {
        self.len.store(self.items.with(py, |items| items.len()), Release);
    }
}
