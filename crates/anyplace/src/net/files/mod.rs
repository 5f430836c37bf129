//! Files over streams: resumable, checked from end to end, and written nowhere but where they belong.
//!
//! [`Sending`] and [`Receiving`] are the two ends of a transfer over any [`Stream`]. An [`Inbox`](crate::serve::Inbox)
//! listens for senders that may come in, and [`reach`] comes in there: `anyplace receive` and `anyplace send` are these.
//!
//! | file | what it does |
//! |---|---|
//! | `digest`, `hashing` | the digest of a file as a tree, by which two ends tell how far they agree |
//! | `source`, `pouring` | what is sent: found, read and hashed |
//! | `folder`, `incoming` | what comes: where it may be written, and when it is whole |
//! | `talk` | messages, and the bytes of files between them |
//! | `sending`, `receiving` | who says what when; the messages are in `wire/files.rs` |

mod digest;
mod event;
mod folder;
mod hashing;
mod incoming;
mod pouring;
mod reach;
mod receiving;
mod sending;
mod source;
mod talk;

#[cfg(test)]
mod tests;

pub use event::{Ended, Event, Transfer};
pub use reach::reach;
pub use receiving::Receiving;
pub use sending::Sending;

use super::Stream;
use crate::error::Result;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the other end of a transfer may be silent.
const PATIENCE: Duration = Duration::from_secs(60);

impl Stream {
    /// Sends files, and folders with all that is in them, to whoever [receives](Self::receive_files) at the other end.
    /// What is there already is not sent again. See [`Sending`] for what may be chosen, and for what happens meanwhile.
    ///
    /// # Errors
    /// As [`Sending::over`] if it is [strict](Sending::strict).
    pub fn send_files(&self, paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Result<Transfer> {
        Sending::new(paths).strict().over(self)
    }

    /// Receives what is sent by one [`send_files`](Self::send_files), or one [`Sending`], into a folder. See [`Receiving`]
    /// for what may be chosen, and for what happens meanwhile.
    ///
    /// # Errors
    /// As [`Receiving::over`] if it is [strict](Receiving::strict).
    pub fn receive_files(&self, folder: impl AsRef<Path>) -> Result<Transfer> {
        Receiving::into(folder.as_ref()).strict().over(self)
    }
}
