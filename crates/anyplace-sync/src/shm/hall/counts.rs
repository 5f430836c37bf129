//! How many times this process has each object open: the other processes know only whether.

use super::layout::OBJECTS;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicPtr, AtomicU32};

type Row = [AtomicU32; OBJECTS.row as usize];

/// Rows of counts, made when the first of a row is needed. Without a lock, so that a child of `fork` never waits for a thread
/// that is not there.
pub(super) struct Counts(Box<[AtomicPtr<Row>]>);

impl Counts {
    pub(super) fn new() -> Self {
        Self((0..OBJECTS.rows).map(|_| AtomicPtr::new(ptr::null_mut())).collect())
    }

    pub(super) fn add(&self, number: u32) {
        self.count(number).fetch_add(1, Relaxed);
    }

    /// One less; true if it was the last.
    pub(super) fn subtract(&self, number: u32) -> bool {
        self.count(number).fetch_sub(1, AcqRel) == 1
    }

    pub(super) fn is_zero(&self, number: u32) -> bool {
        self.count(number).load(Acquire) == 0
    }

    fn count(&self, number: u32) -> &AtomicU32 {
        let row = &self.0[(number / OBJECTS.row) as usize];
        if row.load(Acquire).is_null() {
            make(row);
        }
        // SAFETY: it is not null any more, and rows are freed with `self` only.
        let row = unsafe { &*row.load(Acquire) };
        &row[(number % OBJECTS.row) as usize]
    }
}

#[cold]
fn make(row: &AtomicPtr<Row>) {
    let made = Box::into_raw(Box::new(std::array::from_fn(|_| AtomicU32::new(0))));
    if row.compare_exchange(ptr::null_mut(), made, AcqRel, Acquire).is_err() {
        // SAFETY: `into_raw` gave it above, and nobody else has seen it.
        drop(unsafe { Box::from_raw(made) });
    }
}

impl Drop for Counts {
    fn drop(&mut self) {
        for row in self.0.iter_mut().map(AtomicPtr::get_mut).filter(|row| !row.is_null()) {
            // SAFETY: `make` gave it, and nobody looks at it any more.
            drop(unsafe { Box::from_raw(*row) });
        }
    }
}
