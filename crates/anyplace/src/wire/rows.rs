//! Rows: many short values one behind the other, each with what it is. Arguments of a chunk's calls travel as rows,
//! and so do the replies; what stands in memory is what travels, so nothing is encoded twice.
//!
//! | bytes | |
//! |---|---|
//! | 4 | how many bytes the value has, little-endian |
//! | 1 | what it is: an encoding or an ending; with `BUFFERS` or `BESIDE` added |
//! | 4 | only with `BUFFERS`: how many buffers belong to it |
//! | n | the value |
//!
//! Buffers are listed apart, in the order of their rows. With `BESIDE` the value itself is a buffer, the first of its
//! row: that is how large values stay where they are.

use super::bytes::Malformed;
use crate::work::Bytes;
use std::fmt;

const HEAD: usize = 5;
const BUFFERS: u8 = 0x80;
const BESIDE: u8 = 0x40;
const KIND: u8 = !(BUFFERS | BESIDE);

/// Values from this size on are not copied in among others, where their bytes can stay.
pub(crate) const LARGE: usize = 32 << 10;

/// A value where it lies.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) kind: u8,
    pub(crate) bytes: &'a [u8],
    pub(crate) buffers: &'a [Bytes],
    /// The value, if it stands beside.
    pub(crate) beside: Option<&'a Bytes>,
}

/// What comes before a value among rows.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    bytes: [u8; HEAD + 4],
    length: usize,
}

impl Head {
    /// Of a value with `length` bytes that stand here; `None` if they are too many.
    #[inline]
    pub(crate) fn here(kind: u8, length: usize, buffers: usize) -> Option<Self> {
        Some(Self::new(kind, u32::try_from(length).ok()?, buffers))
    }

    /// Of a value that is the first of `buffers`.
    pub(crate) fn beside(kind: u8, buffers: usize) -> Self {
        Self::new(kind | BESIDE, 0, buffers)
    }

    #[inline]
    fn new(kind: u8, length: u32, buffers: usize) -> Self {
        let mut bytes = [0; HEAD + 4];
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        bytes[4] = kind;
        if buffers == 0 {
            return Self { bytes, length: HEAD };
        }
        bytes[4] |= BUFFERS;
        bytes[HEAD..].copy_from_slice(&(buffers as u32).to_le_bytes());
        Self { bytes, length: HEAD + 4 }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Makes rows.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    buffers: Vec<Bytes>,
    rows: usize,
}

impl Writer {
    pub(crate) fn push(&mut self, kind: u8, bytes: &[u8], buffers: &[Bytes]) {
        let Some(head) = Head::here(kind, bytes.len(), buffers.len()) else {
            return self.push_beside(kind, bytes.into(), buffers);
        };
        self.bytes.extend_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(bytes);
        self.buffers.extend_from_slice(buffers);
        self.rows += 1;
    }

    pub(crate) fn push_beside(&mut self, kind: u8, bytes: Bytes, buffers: &[Bytes]) {
        self.bytes.extend_from_slice(Head::beside(kind, buffers.len() + 1).as_bytes());
        self.buffers.push(bytes);
        self.buffers.extend_from_slice(buffers);
        self.rows += 1;
    }

    /// Lets a large value stay where it is.
    pub(crate) fn push_beside_if_large(&mut self, kind: u8, bytes: Bytes, buffers: &[Bytes]) {
        if bytes.len() < LARGE {
            return self.push(kind, &bytes, buffers);
        }
        self.push_beside(kind, bytes, buffers);
    }

    /// Adds rows that others have made.
    pub(crate) fn append_all(&mut self, bytes: &[u8], buffers: &[Bytes], rows: usize) {
        self.bytes.extend_from_slice(bytes);
        self.buffers.extend_from_slice(buffers);
        self.rows += rows;
    }

    /// Adds what `write` appends; nothing if that fails.
    pub(crate) fn push_with<E>(
        &mut self,
        kind: u8,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0, 0, 0, 0, kind]);
        if let Err(error) = write(&mut self.bytes) {
            self.bytes.truncate(at);
            return Err(error);
        }
        match u32::try_from(self.bytes.len() - at - HEAD) {
            Ok(length) => {
                self.bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
                self.rows += 1;
            }
            Err(_) => {
                let large = self.bytes.split_off(at + HEAD);
                self.bytes.truncate(at);
                self.push_beside(kind, large.into(), &[]);
            }
        }
        Ok(())
    }

    /// Adds bytes that are rows, or the beginning or the end of one.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Counts a row whose bytes were appended.
    pub(crate) fn commit(&mut self, buffers: &[Bytes]) {
        self.buffers.extend_from_slice(buffers);
        self.rows += 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    pub(crate) fn finish(self) -> Rows {
        let (bytes, buffers) = (Bytes::from(self.bytes), self.buffers);
        Rows { bytes, buffers, cursor: Cursor { at: 0, buffer: 0, left: self.rows } }
    }
}

/// How far rows are read.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    at: usize,
    buffer: usize,
    left: usize,
}

impl Cursor {
    #[inline]
    fn next<'a>(&mut self, bytes: &'a [u8], buffers: &'a [Bytes]) -> Option<Row<'a>> {
        self.left = self.left.checked_sub(1)?;
        let rest = bytes.get(self.at..)?;
        let (&[a, b, c, d, kind], rest) = rest.split_first_chunk::<HEAD>()?;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        if kind & !KIND == 0 {
            let bytes = rest.get(..length)?;
            self.at += HEAD + length;
            return Some(Row { kind, bytes, buffers: &[], beside: None });
        }
        let (count, rest) = rest.split_first_chunk::<4>()?;
        let count = u32::from_le_bytes(*count) as usize;
        let own = buffers.get(self.buffer..)?.get(..count)?;
        let here = rest.get(..length)?;
        self.at += HEAD + 4 + length;
        self.buffer += count;
        if kind & BESIDE == 0 {
            return Some(Row { kind: kind & KIND, bytes: here, buffers: own, beside: None });
        }
        let (value, own) = own.split_first()?;
        Some(Row { kind: kind & KIND, bytes: value, buffers: own, beside: Some(value) })
    }
}

/// Rows with what stands beside them.
#[derive(Clone, Default)]
pub(crate) struct Rows {
    bytes: Bytes,
    buffers: Vec<Bytes>,
    cursor: Cursor,
}

impl Rows {
    /// Rows that came from elsewhere: that they are whole, and that `is_kind` holds for each, is checked.
    pub(crate) fn checked(
        bytes: Bytes,
        buffers: Vec<Bytes>,
        rows: usize,
        is_kind: impl Fn(u8) -> bool,
    ) -> Result<Self, Malformed> {
        RowsRef::checked(&bytes, &buffers, rows, is_kind)?;
        Ok(Self { bytes, buffers, cursor: Cursor { at: 0, buffer: 0, left: rows } })
    }

    /// The rows at the beginning of these bytes, up to the first that is not whole or has something beside it: what a
    /// worker had written when it died.
    pub(crate) fn salvaged(bytes: Bytes, is_kind: impl Fn(u8) -> bool) -> Self {
        let mut walk =
            RowsRef { bytes: &bytes, buffers: &[], cursor: Cursor { left: usize::MAX, ..Cursor::default() } };
        let (mut rows, mut end) = (0, 0);
        while walk.next().is_some_and(|row| is_kind(row.kind)) {
            rows += 1;
            end = walk.cursor.at;
        }
        Self {
            bytes: bytes.slice(0..end),
            buffers: Vec::new(),
            cursor: Cursor { at: 0, buffer: 0, left: rows },
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.cursor.left
    }

    pub(crate) fn iter(&self) -> RowsRef<'_> {
        RowsRef { bytes: &self.bytes, buffers: &self.buffers, cursor: self.cursor }
    }

    /// The first row; the others are what is left.
    pub(crate) fn advance(&mut self) -> Option<Row<'_>> {
        self.cursor.next(&self.bytes, &self.buffers)
    }

    /// The rows from `from` on.
    pub(crate) fn tail(&self, from: usize) -> Self {
        let mut tail = self.clone();
        for _ in 0..from {
            if tail.advance().is_none() {
                break;
            }
        }
        tail
    }

    /// What is not read yet, as bytes and buffers that begin with the next row.
    pub(crate) fn parts(&self) -> (&[u8], &[Bytes]) {
        let Cursor { at, buffer, .. } = self.cursor;
        (self.bytes.get(at..).unwrap_or_default(), self.buffers.get(buffer..).unwrap_or_default())
    }
}

/// Rows where they lie; it ends early where they are not rows.
#[derive(Clone)]
pub(crate) struct RowsRef<'a> {
    bytes: &'a [u8],
    buffers: &'a [Bytes],
    cursor: Cursor,
}

impl<'a> RowsRef<'a> {
    /// As [`Rows::checked`].
    pub(crate) fn checked(
        bytes: &'a [u8],
        buffers: &'a [Bytes],
        rows: usize,
        is_kind: impl Fn(u8) -> bool,
    ) -> Result<Self, Malformed> {
        let all = Self { bytes, buffers, cursor: Cursor { at: 0, buffer: 0, left: rows } };
        let mut walk = all.clone();
        while walk.cursor.left > 0 {
            walk.next().filter(|row| is_kind(row.kind)).ok_or(Malformed("whole rows"))?;
        }
        let is_all = walk.cursor.at == bytes.len() && walk.cursor.buffer == buffers.len();
        if is_all { Ok(all) } else { Err(Malformed("rows and no more")) }
    }
}

impl<'a> Iterator for RowsRef<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        self.cursor.next(self.bytes, self.buffers)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.cursor.left, Some(self.cursor.left))
    }
}

impl PartialEq for Row<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, self.bytes, self.buffers) == (other.kind, other.bytes, other.buffers)
    }
}

impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Rows {}

impl fmt::Debug for RowsRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows", self.cursor.left)
    }
}
