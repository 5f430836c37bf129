//! The blocks this process used last, by size.
//!
//! A block used before is mapped here already, and perhaps still in the cache; one that another process used is neither.
//! So a process looks at its favourites first, and at the hints for all after. Losing one, or having one twice, costs only
//! time, so plain loads and stores do.

use super::classes::CLASSES;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// How many of each size.
const KEPT: usize = 4;
const NONE: u32 = u32::MAX;

pub(super) struct Favourites(Box<[[AtomicU32; KEPT]]>);

impl Favourites {
    pub(super) fn new() -> Self {
        Self((0..CLASSES).map(|_| [const { AtomicU32::new(NONE) }; KEPT]).collect())
    }

    pub(super) fn add(&self, class: usize, number: u32) {
        let place = &self.0[class][number as usize % KEPT];
        if place.load(Relaxed) != number {
            place.store(number, Relaxed);
        }
    }

    pub(super) fn of(&self, class: usize) -> impl Iterator<Item = u32> {
        self.0[class].iter().map(|place| place.load(Relaxed)).filter(|number| *number != NONE)
    }
}
