//! The name of an object, as it lies in its entry.

use super::error::HallError;
use super::layout::{Entry, NAME};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// A name of 1 to 48 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name {
    words: [u64; NAME / 8],
    len: usize,
}

impl Name {
    /// # Errors
    /// [`HallError::Name`] if it is empty or too long.
    pub(super) fn new(text: &str) -> Result<Self, HallError> {
        if text.is_empty() || text.len() > NAME {
            return Err(HallError::Name(text.into()));
        }
        let mut words = [0; NAME / 8];
        for (word, bytes) in words.iter_mut().zip(text.as_bytes().chunks(8)) {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_le_bytes(padded);
        }
        Ok(Self { words, len: text.len() })
    }

    /// Whether the entry has this name.
    pub(super) fn is_of(&self, entry: &Entry) -> bool {
        entry.name_len.load(Acquire) == self.len as u64
            && entry.name.iter().zip(self.words).all(|(word, ours)| word.load(Relaxed) == ours)
    }

    pub(super) fn write(&self, entry: &Entry) {
        entry.name.iter().zip(self.words).for_each(|(word, ours)| word.store(ours, Relaxed));
        entry.name_len.store(self.len as u64, Release);
    }

    /// The name that the entry has, if any.
    pub(super) fn text(entry: &Entry) -> Option<String> {
        let len = entry.name_len.load(Acquire) as usize;
        let bytes: Vec<u8> = entry.name.iter().flat_map(|word| word.load(Relaxed).to_le_bytes()).collect();
        (len > 0).then(|| String::from_utf8_lossy(&bytes[..len.min(NAME)]).into_owned())
    }
}
