//! What a queue holds, and how it stands.

use super::heap;
use super::held::Held;
use crate::turns::{Turn, Turns};
use pyo3::prelude::*;
use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;
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

/// All of it is touched with the interpreter's lock only, which makes any order of its atomics good enough. If the items
/// are sorted, they are changed only by whose turn it is: comparing them lets go of that lock.
pub(super) struct State {
    items: Held<VecDeque<Py<PyAny>>>,
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
        self.bits.store(bits, Relaxed);
        self.unfinished.store(0, Relaxed);
        self.take_all(py)
    }

    /// Adds an item; false if there is no room, or this is not the way in any more.
    ///
    /// # Errors
    /// What a comparison raises; then nothing has changed.
    #[inline]
    pub(super) fn put(&self, item: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = item.py();
        if !self.is(SORTED) {
            return Ok(self.put_at_once(item));
        }
        let _turn = self.turn(py)?;
        if self.is(OPEN | SHUT) || !self.has_room(py) {
            return Ok(false);
        }
        heap::push(&self.items, item)?;
        self.unfinished.fetch_add(1, Relaxed);
        Ok(true)
    }

    /// As [`put`](Self::put), if that runs no Python code.
    #[inline]
    pub(super) fn put_at_once(&self, item: &Bound<'_, PyAny>) -> bool {
        let py = item.py();
        if self.is(OPEN | SHUT | SORTED) {
            return false;
        }
        let room = self.room.load(Relaxed);
        let has_room = self.items.with(py, |items| {
            let has_room = items.len() < room;
            if has_room {
                items.push_back(item.clone().unbind());
            }
            has_room
        });
        if has_room {
            self.unfinished.store(self.unfinished.load(Relaxed) + 1, Relaxed);
        }
        has_room
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
        heap::pop(&self.items, py)
    }

    /// As [`take`](Self::take), if that runs no Python code.
    #[inline]
    pub(super) fn take_at_once(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let bits = self.bits.load(Relaxed);
        if bits & (OPEN | SORTED) != 0 {
            return None;
        }
        self.items.with(py, |items| if bits & LIFO == 0 { items.pop_front() } else { items.pop_back() })
    }

    /// Takes all items, in the order of the standard library's own list of them.
    pub(super) fn take_all(&self, py: Python<'_>) -> VecDeque<Py<PyAny>> {
        self.items.with(py, std::mem::take)
    }

    /// The right to change what is sorted; others need none.
    pub(super) fn turn<'py>(&self, py: Python<'py>) -> PyResult<Option<Turn<'_, 'py, ()>>> {
        self.is(SORTED).then(|| self.turns.take(py)).transpose()
    }

    #[inline]
    pub(super) fn is(&self, bits: u8) -> bool {
        self.bits.load(Relaxed) & bits != 0
    }

    pub(super) fn set(&self, bits: u8, to: bool) {
        let before = self.bits.load(Relaxed);
        self.bits.store(if to { before | bits } else { before & !bits }, Relaxed);
    }

    #[inline]
    pub(super) fn len(&self, py: Python<'_>) -> usize {
        self.items.with(py, |items| items.len())
    }

    pub(super) fn has_room(&self, py: Python<'_>) -> bool {
        self.len(py) < self.room.load(Relaxed)
    }

    pub(super) fn is_bounded(&self) -> bool {
        self.room.load(Relaxed) < usize::MAX
    }

    pub(super) fn set_room(&self, room: usize) {
        self.room.store(room, Relaxed);
    }

    pub(super) fn unfinished(&self) -> i64 {
        self.unfinished.load(Relaxed)
    }

    pub(super) fn set_unfinished(&self, unfinished: i64) {
        self.unfinished.store(unfinished, Relaxed);
    }

    pub(super) fn items(&self) -> &Held<VecDeque<Py<PyAny>>> {
        &self.items
    }
}
