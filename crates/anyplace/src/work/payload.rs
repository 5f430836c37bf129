//! A value as bytes, with how to read them.

use super::Bytes;
use std::fmt;

/// How bytes that travel are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Encoding {
    /// <https://postcard.jamesmunns.com/wire-format>, for Rust values.
    Postcard = 0,
    /// Python's pickle, protocol 5; its large buffers may stand beside the bytes.
    Pickle = 1,
    /// JSON, for values from the shell.
    Json = 2,
    /// Numbers, texts and tuples of them, the same in every language: see [`plain`](super::plain).
    Plain = 3,
}

impl Encoding {
    /// The encoding with this number on the wire.
    #[inline]
    pub fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Postcard,
            1 => Self::Pickle,
            2 => Self::Json,
            3 => Self::Plain,
            _ => return None,
        })
    }
}

/// A value as bytes that travel, with how to read them.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    /// How to read them.
    pub encoding: Encoding,
    /// The bytes.
    pub bytes: Bytes,
    /// Parts of the value that are large and stand beside the bytes, in the order the bytes speak of them.
    pub buffers: Vec<Bytes>,
}

/// A [`Payload`] where it lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PayloadRef<'a> {
    /// How to read the bytes.
    pub encoding: Encoding,
    /// The bytes.
    pub bytes: &'a [u8],
    /// What stands beside them.
    pub buffers: &'a [Bytes],
}

impl Payload {
    /// Bytes with nothing beside them.
    pub fn new(encoding: Encoding, bytes: impl Into<Bytes>) -> Self {
        Self { encoding, bytes: bytes.into(), buffers: Vec::new() }
    }

    /// The same, borrowed.
    pub fn as_ref(&self) -> PayloadRef<'_> {
        PayloadRef { encoding: self.encoding, bytes: &self.bytes, buffers: &self.buffers }
    }
}

impl PayloadRef<'_> {
    /// A copy of the bytes; what stands beside them is shared.
    pub fn to_owned(self) -> Payload {
        Payload { encoding: self.encoding, bytes: self.bytes.into(), buffers: self.buffers.to_vec() }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Debug for PayloadRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {} bytes", self.encoding, self.bytes.len())?;
        match self.buffers {
            [] => Ok(()),
            buffers => write!(f, " and {buffers:?}"),
        }
    }
}
