//! Items of which the smallest comes first; of equal ones, the one that was put first.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// How two items compare: the smaller one comes first.
pub(super) type Order<T> = fn(&T, &T) -> Ordering;

#[derive(Debug)]
pub(super) struct Heap<T> {
    entries: BinaryHeap<Entry<T>>,
    order: Order<T>,
    pushed: u64,
}

/// The standard library's heap asks the entries how they compare, so each knows.
#[derive(Debug)]
struct Entry<T> {
    item: T,
    number: u64,
    order: Order<T>,
}

impl<T> Heap<T> {
    pub(super) fn new(order: Order<T>) -> Self {
        Self { entries: BinaryHeap::new(), order, pushed: 0 }
    }

    pub(super) fn push(&mut self, item: T) {
        self.pushed += 1;
        self.entries.push(Entry { item, number: self.pushed, order: self.order });
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        self.entries.pop().map(|entry| entry.item)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

impl<T> Ord for Entry<T> {
    /// The other way round: the standard library's heap gives the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (self.order)(&other.item, &self.item).then(other.number.cmp(&self.number))
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Entry<T> {}
