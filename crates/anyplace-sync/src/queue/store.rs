//! Where the items lie.

use super::heap::{Heap, Order};
use crate::primitives::{Mutex, lock};
use std::collections::VecDeque;

#[cfg(not(loom))]
use crossbeam_queue::{ArrayQueue, SegQueue};

/// The largest queue whose room is set aside when it is made: an array of more would cost memory that nobody may need.
#[cfg(not(loom))]
const LARGEST_ARRAY: usize = 1 << 16;

/// Crossbeam's queues where first in is first out, and a lock around the others: there the end that all want is one.
#[derive(Debug)]
pub(super) enum Store<T> {
    #[cfg(not(loom))]
    Array(ArrayQueue<T>),
    #[cfg(not(loom))]
    List(SegQueue<T>),
    Locked(Mutex<Pile<T>>, usize),
}

/// Items in one of the three orders, with one thread at a time.
#[derive(Debug)]
pub(super) enum Pile<T> {
    Fifo(VecDeque<T>),
    Lifo(Vec<T>),
    Sorted(Heap<T>),
}

impl<T> Store<T> {
    #[cfg(not(loom))]
    pub(super) fn fifo(capacity: Option<usize>) -> Self {
        match capacity {
            None => Self::List(SegQueue::new()),
            Some(capacity) if capacity <= LARGEST_ARRAY => Self::Array(ArrayQueue::new(capacity)),
            Some(_) => Self::locked(Pile::Fifo(VecDeque::new()), capacity),
        }
    }

    /// Loom explores our protocol around the store; crossbeam's authors have explored theirs.
    #[cfg(loom)]
    pub(super) fn fifo(capacity: Option<usize>) -> Self {
        Self::locked(Pile::Fifo(VecDeque::new()), capacity)
    }

    pub(super) fn lifo(capacity: Option<usize>) -> Self {
        Self::locked(Pile::Lifo(vec![]), capacity)
    }

    pub(super) fn sorted(capacity: Option<usize>, order: Order<T>) -> Self {
        Self::locked(Pile::Sorted(Heap::new(order)), capacity)
    }

    fn locked(pile: Pile<T>, capacity: Option<usize>) -> Self {
        Self::Locked(Mutex::new(pile), capacity.unwrap_or(usize::MAX))
    }

    /// Adds an item, or gives it back if the store is full.
    #[inline]
    pub(super) fn push(&self, item: T) -> Result<(), T> {
        match self {
            #[cfg(not(loom))]
            Self::Array(array) => array.push(item),
            #[cfg(not(loom))]
            Self::List(list) => {
                list.push(item);
                Ok(())
            }
            Self::Locked(pile, capacity) => {
                let mut pile = lock(pile);
                if pile.len() >= *capacity {
                    return Err(item);
                }
                pile.push(item);
                Ok(())
            }
        }
    }

    #[inline]
    pub(super) fn pop(&self) -> Option<T> {
        match self {
            #[cfg(not(loom))]
            Self::Array(array) => array.pop(),
            #[cfg(not(loom))]
            Self::List(list) => list.pop(),
            Self::Locked(pile, _) => lock(pile).pop(),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            #[cfg(not(loom))]
            Self::Array(array) => array.len(),
            #[cfg(not(loom))]
            Self::List(list) => list.len(),
            Self::Locked(pile, _) => lock(pile).len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            #[cfg(not(loom))]
            Self::Array(array) => array.is_empty(),
            #[cfg(not(loom))]
            Self::List(list) => list.is_empty(),
            Self::Locked(..) => self.len() == 0,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        match self {
            #[cfg(not(loom))]
            Self::Array(array) => array.is_full(),
            #[cfg(not(loom))]
            Self::List(_) => false,
            Self::Locked(_, capacity) => self.len() >= *capacity,
        }
    }

    pub(super) fn capacity(&self) -> Option<usize> {
        match self {
            #[cfg(not(loom))]
            Self::Array(array) => Some(array.capacity()),
            #[cfg(not(loom))]
            Self::List(_) => None,
            Self::Locked(_, capacity) => Some(*capacity).filter(|&capacity| capacity < usize::MAX),
        }
    }
}

impl<T> Pile<T> {
    fn push(&mut self, item: T) {
        match self {
            Self::Fifo(items) => items.push_back(item),
            Self::Lifo(items) => items.push(item),
            Self::Sorted(heap) => heap.push(item),
        }
    }

    fn pop(&mut self) -> Option<T> {
        match self {
            Self::Fifo(items) => items.pop_front(),
            Self::Lifo(items) => items.pop(),
            Self::Sorted(heap) => heap.pop(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Fifo(items) => items.len(),
            Self::Lifo(items) => items.len(),
            Self::Sorted(heap) => heap.len(),
        }
    }
}
