//! Why something in a hall could not be had: [`HallError`].

use super::kind::Kind;
use crate::shm::Full;
use std::{fmt, io};

/// Why something in a hall could not be had.
#[derive(Debug)]
#[non_exhaustive]
pub enum HallError {
    /// The name stands for something of another kind.
    OtherKind {
        /// The name.
        name: String,
        /// What it stands for.
        is: Kind,
        /// What was asked for.
        wanted: Kind,
    },
    /// The name is longer than 48 bytes, or empty.
    Name(String),
    /// The object is no more: every process that had it open closed it or ended.
    Gone(Kind),
    /// There is no room for another.
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many there can be.
        most: u32,
    },
    /// There is no memory.
    Full(Full),
    /// The hall cannot be opened: the process whose ticket it is has ended, or is another's.
    Closed {
        /// The process.
        pid: u32,
        /// What the system said, or what was found.
        why: String,
    },
    /// What the system said.
    System(io::Error),
}

impl HallError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::OtherKind { .. } => "use another name, or open it as what it is",
            Self::Name(_) => "use a name of 1 to 48 bytes, or none for an object without a name",
            Self::Gone(_) => "keep it open, or give it a name: what has a name stays as long as its place",
            Self::TooMany { .. } => "share among fewer at a time",
            Self::Full(full) => full.help(),
            Self::Closed { .. } => {
                "keep the process that made the place running while others use it, as the same user on the same machine"
            }
            Self::System(_) => "raise this process's limits on memory and open files",
        }
    }
}

impl fmt::Display for HallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherKind { name, is, wanted } => {
                write!(f, "`{name}` is {is}, and cannot be opened as {wanted}")
            }
            Self::Name(name) => {
                write!(f, "`{name}` cannot be the name of a shared object: it has {} bytes", name.len())
            }
            Self::Gone(kind) => write!(f, "{kind} was shared, and is no more: nobody has it open"),
            Self::TooMany { what, most } => write!(f, "there can be at most {most} {what}"),
            Self::Full(full) => full.fmt(f),
            Self::Closed { pid, why } => {
                write!(f, "what process {pid} shares cannot be opened: {why}")
            }
            Self::System(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for HallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Full(full) => Some(full),
            Self::System(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Full> for HallError {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}

impl From<io::Error> for HallError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}
