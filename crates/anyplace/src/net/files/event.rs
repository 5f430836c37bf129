//! What happens in a transfer, as it is told to whoever watches, and what came of it.

use crate::error::{Error, Kind, Result};
use std::fmt;
use std::path::Path;

/// What happens in a transfer.
///
/// Paths are relative: as the files are called at both ends. At the receiving end they are the words of the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The bytes of a file are on their way.
    Begins {
        /// The file.
        path: &'a Path,
        /// How long it is, in bytes.
        length: u64,
        /// How much of it is there already.
        from: u64,
    },
    /// So many bytes of the present file have gone, or have come.
    Moves(u64),
    /// That was all of a file or folder.
    Ends {
        /// The file or folder.
        path: &'a Path,
        /// What came of it.
        ended: &'a Ended,
    },
}

/// What came of a file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// It was written, whole.
    Written,
    /// The same was there already.
    There,
    /// It is nothing that is sent, such as a symbolic link, and why.
    Skipped(String),
    /// The receiver does not want it, and why.
    Refused(String),
    /// It cannot be read, or not be written, and why.
    Failed(String),
}

impl Ended {
    /// Whether the receiver does not have it, though it should.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Failed(_))
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Written => f.write_str("written"),
            Self::There => f.write_str("was there already"),
            Self::Skipped(why) => write!(f, "skipped: {why}"),
            Self::Refused(why) => write!(f, "refused: {why}"),
            Self::Failed(why) => write!(f, "failed: {why}"),
        }
    }
}

/// What came of a transfer, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transfer {
    /// Files that were written.
    pub files: u64,
    /// Folders that were made.
    pub folders: u64,
    /// Bytes that went from one end to the other.
    pub bytes: u64,
    /// Files and folders that were there already.
    pub there: u64,
    /// What was skipped.
    pub skipped: u64,
    /// What was refused, or failed.
    pub failed: u64,
}

/// Counts what happens, and tells it.
pub(super) struct Teller {
    transfer: Transfer,
    watch: Watch,
    /// What failed first, if that is an error in the end.
    first: Option<String>,
    is_strict: bool,
}

/// Who is told.
pub(super) type Watch = Option<Box<dyn FnMut(Event<'_>) + Send>>;

impl Teller {
    pub(super) fn new(watch: Watch, is_strict: bool) -> Self {
        Self { transfer: Transfer::default(), watch, first: None, is_strict }
    }

    /// What came of it.
    pub(super) fn end(self) -> Result<Transfer> {
        match self.first {
            None => Ok(self.transfer),
            Some(first) => Err(Error::new(Kind::Unexpected, first)
                .with_help("the other files are as they should be; send the same again once that is mended")),
        }
    }

    pub(super) fn begins(&mut self, path: &Path, length: u64, from: u64) {
        self.tell(Event::Begins { path, length, from });
    }

    pub(super) fn moves(&mut self, bytes: u64) {
        self.transfer.bytes += bytes;
        self.tell(Event::Moves(bytes));
    }

    pub(super) fn ends(&mut self, path: &Path, is_folder: bool, ended: &Ended) {
        let transfer = &mut self.transfer;
        *match ended {
            Ended::Written if is_folder => &mut transfer.folders,
            Ended::Written => &mut transfer.files,
            Ended::There => &mut transfer.there,
            Ended::Skipped(_) => &mut transfer.skipped,
            Ended::Refused(_) | Ended::Failed(_) => &mut transfer.failed,
        } += 1;
        if self.is_strict && ended.is_failure() {
            self.first.get_or_insert_with(|| format!("`{}`: {ended}", path.display()));
        }
        self.tell(Event::Ends { path, ended });
    }

    fn tell(&mut self, event: Event<'_>) {
        if let Some(watch) = &mut self.watch {
            watch(event);
        }
    }
}
