//! Rows: many short values one behind the other, each with what it is. Arguments of a chunk's calls travel as rows,
//! and so do the replies; what stands in memory is what travels, so nothing is encoded twice.
//!
//! | bytes | |
//! |---|---|
//! | 4 | how many bytes a value has, little-endian |
//! | 1 | what it is: an encoding or an ending; with `RUN`, `BUFFERS` or `BESIDE` added |
//! | 4 | only with `RUN`: how many values there are, each of them a row; only with `BUFFERS`: how many buffers belong to it |
//! | n | the value, or the values |
//!
//! Neighbours of the same kind and length share one head, as a run: the numbers that most maps are about cost little
//! more than their bytes, and a run is looked over as quickly as one value. Values without bytes are in no run, so that
//! a count never stands for more than there is; nor are those of 64 KiB or more, for which a head is nothing.
//!
//! Buffers are listed apart, in the order of their rows. With `BESIDE` the value itself is a buffer, the first of its
//! row: that is how large values stay where they are.

mod cursor;
mod head;
mod writer;

pub(crate) use head::{Head, LONGEST_HEAD, OpenRun};
pub(crate) use writer::Writer;

use super::bytes::Malformed;
use crate::work::Bytes;
use cursor::Cursor;
use std::borrow::Cow;
use std::fmt;

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

/// Rows with what stands beside them.
#[derive(Clone, Default)]
pub(crate) struct Rows {
    bytes: Bytes,
    buffers: Box<[Bytes]>,
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
        Ok(Self { bytes, buffers: buffers.into(), cursor: Cursor::new(rows) })
    }

    /// The rows at the beginning of these bytes, at most `most`, up to the first that is not whole or lacks one of its
    /// buffers: what a worker had written when it died.
    pub(crate) fn salvaged(
        bytes: &[u8],
        buffers: &[Bytes],
        most: usize,
        is_kind: impl Fn(u8) -> bool,
    ) -> Self {
        let walk = RowsRef { bytes, buffers, cursor: Cursor::new(most) };
        let mut whole = Writer::default();
        // The head of a run may count one value more than was published, so they are counted anew.
        walk.take_while(|row| is_kind(row.kind)).for_each(|row| match row.beside {
            Some(value) => whole.push_beside(row.kind, value.clone(), row.buffers),
            None => whole.push(row.kind, row.bytes, row.buffers),
        });
        whole.finish()
    }

    pub(crate) fn len(&self) -> usize {
        self.cursor.left
    }

    pub(crate) fn iter(&self) -> RowsRef<'_> {
        RowsRef { bytes: &self.bytes, buffers: &self.buffers, cursor: self.cursor }
    }

    /// Of what kind the rows are: runs of the same kind, with how many rows each has.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (u8, usize)> {
        let mut cursor = self.cursor;
        std::iter::from_fn(move || cursor.next_run(&self.bytes, &self.buffers))
    }

    /// The first row; the others are what is left.
    #[inline]
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

    /// What is not read yet, as bytes and buffers that begin with the next row. Bytes are copied only where that is in the
    /// middle of a run.
    pub(crate) fn parts(&self) -> (Cow<'_, [u8]>, &[Bytes]) {
        self.cursor.rest(&self.bytes, &self.buffers)
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
        let cursor = Cursor::new(rows);
        let mut walk = cursor;
        while walk.left > 0 {
            let run = walk.next_run(bytes, buffers);
            run.filter(|(kind, _)| is_kind(*kind)).ok_or(Malformed("whole rows"))?;
        }
        let is_all = walk.at == bytes.len() && walk.buffer as usize == buffers.len();
        if is_all { Ok(Self { bytes, buffers, cursor }) } else { Err(Malformed("rows and no more")) }
    }
}

impl RowsRef<'_> {
    /// The same in memory of their own: one copy.
    pub(crate) fn to_rows(&self) -> Rows {
        Rows { bytes: self.bytes.into(), buffers: self.buffers.into(), cursor: self.cursor }
    }
}

impl<'a> Iterator for RowsRef<'a> {
    type Item = Row<'a>;

    #[inline]
    fn next(&mut self) -> Option<Row<'a>> {
        self.cursor.next(self.bytes, self.buffers)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.cursor.left, Some(self.cursor.left))
    }
}

impl ExactSizeIterator for RowsRef<'_> {}

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
