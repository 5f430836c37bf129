//! Numbers, texts and blobs as bytes, and back.

use super::frame::{Frame, Kind};
use std::borrow::Cow;
use std::fmt;

/// Blobs from this size on are sent from where they are; smaller ones are cheaper to copy than to list.
pub(super) const WORTH_LISTING: usize = 4096;

/// Writes a frame's body. Large blobs are borrowed, so that they go from their owner to the kernel in one copy.
pub(super) struct Writer<'a> {
    done: Vec<Cow<'a, [u8]>>,
    last: Vec<u8>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(kind: Kind) -> Self {
        Self { done: Vec::new(), last: Frame::head(kind) }
    }

    /// For what is no frame.
    pub(super) fn bare() -> Self {
        Self { done: Vec::new(), last: Vec::new() }
    }

    /// What was written, if no large blob was among it.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        debug_assert!(self.done.is_empty(), "blobs are listed in frames only");
        self.last
    }

    pub(super) fn finish(mut self) -> Frame<'a> {
        self.done.push(Cow::Owned(self.last));
        Frame::new(self.done)
    }

    pub(super) fn u8(&mut self, number: u8) {
        self.last.push(number);
    }

    pub(super) fn u32(&mut self, number: u32) {
        self.last.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn u64(&mut self, number: u64) {
        self.last.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn blob(&mut self, bytes: &'a [u8]) {
        self.u64(bytes.len() as u64);
        if bytes.len() < WORTH_LISTING {
            return self.last.extend_from_slice(bytes);
        }
        self.done.push(Cow::Owned(std::mem::take(&mut self.last)));
        self.done.push(Cow::Borrowed(bytes));
    }

    pub(super) fn copied(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        self.last.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.copied(text.as_bytes());
    }

    pub(super) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.u8(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }
}

/// Bytes that are not what they should be, with what they should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "these bytes are not {}", self.0)
    }
}

impl std::error::Error for Malformed {}

pub(super) type Result<T> = std::result::Result<T, Malformed>;

/// Reads a frame's body; every step checks that the bytes are there.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed("a whole message"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Malformed("a whole message"))?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn count(&mut self) -> Result<usize> {
        usize::try_from(self.u64()?).map_err(|_| Malformed("a number of this machine"))
    }

    pub(super) fn blob(&mut self) -> Result<&'a [u8]> {
        let length = self.count()?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.blob()?).map_err(|_| Malformed("text"))
    }

    pub(super) fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<Option<T>> {
        match self.u8()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(Malformed("a value that may be absent")),
        }
    }

    /// As many as are announced; a wrong announcement ends at the last byte, having cost nothing.
    pub(super) fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.count()?;
        (0..count).map(|_| read(self)).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All that is left.
    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(super) fn end(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed("one message and no more")) }
    }
}
