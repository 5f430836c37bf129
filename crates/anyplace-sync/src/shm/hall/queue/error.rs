//! Why nothing could be put, got, or said to be done with.

use crate::shm::Full;
use std::fmt;

/// The queue was shut down: nothing can be put any more, and nothing is left to be got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShutDown;

impl fmt::Display for ShutDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue was shut down")
    }
}

impl std::error::Error for ShutDown {}

/// Why a message could not be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutError {
    /// The queue was shut down.
    ShutDown,
    /// There is no memory for it.
    Full(Full),
}

impl fmt::Display for PutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShutDown => ShutDown.fmt(f),
            Self::Full(full) => full.fmt(f),
        }
    }
}

impl std::error::Error for PutError {}

/// More messages are said to be done with than there were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoneTooOften;

impl fmt::Display for DoneTooOften {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("task_done() called too many times")
    }
}

impl std::error::Error for DoneTooOften {}

impl From<Full> for PutError {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}
