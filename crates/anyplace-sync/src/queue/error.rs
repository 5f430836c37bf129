//! Why an item was not put, or not taken.

use std::fmt;

/// An item that was not put, with the reason; it comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotPut<T> {
    /// The queue is full, and was until the deadline.
    Full(T),
    /// The queue is shut down.
    ShutDown(T),
}

/// Why there is no item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// The queue is empty, and was until the deadline.
    Empty,
    /// The queue is shut down, and no item is left.
    ShutDown,
}

/// A task was said to be done more often than items were put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoneTooOften;

impl<T> NotPut<T> {
    /// The item.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(item) | Self::ShutDown(item) => item,
        }
    }

    /// The reason, with something else in the place of the item.
    pub(super) fn map<U>(self, make: impl FnOnce(T) -> U) -> NotPut<U> {
        match self {
            Self::Full(item) => NotPut::Full(make(item)),
            Self::ShutDown(item) => NotPut::ShutDown(make(item)),
        }
    }
}

impl<T> fmt::Display for NotPut<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the queue is full",
            Self::ShutDown(_) => "the queue is shut down",
        })
    }
}

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the queue is empty",
            Self::ShutDown => "the queue is shut down and empty",
        })
    }
}

impl fmt::Display for DoneTooOften {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("more tasks were done than items were put")
    }
}

impl<T: fmt::Debug> std::error::Error for NotPut<T> {}
impl std::error::Error for NotTaken {}
impl std::error::Error for DoneTooOften {}
