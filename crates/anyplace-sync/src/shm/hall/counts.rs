//! How many times this process has each object open: the other processes know only whether.

use super::layout::OBJECTS;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

type Row = Box<[AtomicU32]>;

pub(super) struct Counts(Box<[OnceLock<Row>]>);

impl Counts {
    pub(super) fn new() -> Self {
        Self((0..OBJECTS.rows).map(|_| OnceLock::new()).collect())
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
        let row = self.0[(number / OBJECTS.row) as usize]
            .get_or_init(|| (0..OBJECTS.row).map(|_| AtomicU32::new(0)).collect());
        &row[(number % OBJECTS.row) as usize]
    }
}
