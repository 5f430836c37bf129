//! Why there is no block: [`Full`].

use std::fmt;

/// Why a block could not be had. Nothing waits for one: whoever asked can copy instead, or tell its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Full {
    /// All blocks there can be exist, and none of this size is available.
    Table {
        /// How many blocks there are.
        blocks: u32,
    },
    /// The rest of the segment's address space is smaller.
    Space {
        /// What was asked for, in bytes.
        wanted: u64,
        /// What is left, in bytes.
        left: u64,
    },
    /// The machine, or this program's share of it, has no memory left.
    Machine {
        /// What was asked for, in bytes.
        wanted: u64,
    },
    /// This process is a child by `fork` of the one that opened the memory, which is still its parent's.
    Forked,
}

impl Full {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Table { .. } => "keep fewer results and buffers at a time, or copy those that are kept",
            Self::Space { .. } => {
                "keep less at a time, or raise this process's limits on address space and file size before the place opens"
            }
            Self::Machine { .. } => "keep less at a time, or give the program more memory",
            Self::Forked => "open a place of its own in the child",
        }
    }
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table { blocks } => write!(f, "all {blocks} shared blocks are in use"),
            Self::Space { wanted, left } => {
                write!(f, "no room for {wanted} bytes in shared memory: {left} are left")
            }
            Self::Machine { wanted } => write!(f, "the machine has no memory left for {wanted} shared bytes"),
            Self::Forked => write!(f, "shared memory belongs to the process that was forked"),
        }
    }
}

impl std::error::Error for Full {}

impl From<Full> for std::io::Error {
    fn from(full: Full) -> Self {
        Self::new(std::io::ErrorKind::OutOfMemory, full)
    }
}
