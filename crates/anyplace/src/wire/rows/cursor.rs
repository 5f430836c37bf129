//! How far rows are read.

use super::Row;
use super::head::{BESIDE, BUFFERS, COUNT, HEAD, Head, KIND, RUN};
use crate::work::Bytes;
use std::borrow::Cow;

/// How far rows are read. Small, since it goes wherever arguments go.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    pub(super) at: usize,
    pub(super) buffer: u32,
    /// So many rows are not read.
    pub(super) left: usize,
    run: Run,
}

/// The run that is being read.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    left: u32,
    each: u16,
    kind: u8,
}

impl Cursor {
    pub(super) fn new(rows: usize) -> Self {
        Self { left: rows, ..Self::default() }
    }

    #[inline]
    pub(super) fn next<'a>(&mut self, bytes: &'a [u8], buffers: &'a [Bytes]) -> Option<Row<'a>> {
        self.left = self.left.checked_sub(1)?;
        if self.run.left == 0 {
            return self.begin(bytes, buffers);
        }
        self.next_of_run(bytes)
    }

    #[inline]
    fn next_of_run<'a>(&mut self, bytes: &'a [u8]) -> Option<Row<'a>> {
        let Run { kind, each, .. } = self.run;
        let bytes = bytes.get(self.at..)?.get(..usize::from(each))?;
        self.at += bytes.len();
        self.run.left -= 1;
        Some(Row { kind, bytes, buffers: &[], beside: None })
    }

    /// Reads a head, and the value behind it.
    fn begin<'a>(&mut self, bytes: &'a [u8], buffers: &'a [Bytes]) -> Option<Row<'a>> {
        let rest = bytes.get(self.at..)?;
        let (&[a, b, c, d, kind], rest) = rest.split_first_chunk::<HEAD>()?;
        let length = u32::from_le_bytes([a, b, c, d]);
        if kind & !KIND == 0 {
            let bytes = rest.get(..length as usize)?;
            self.at += HEAD + bytes.len();
            return Some(Row { kind, bytes, buffers: &[], beside: None });
        }
        let (count, rest) = rest.split_first_chunk::<COUNT>()?;
        let count = u32::from_le_bytes(*count);
        self.at += HEAD + COUNT;
        if kind & RUN == 0 {
            return self.with_buffers(kind, rest.get(..length as usize)?, buffers, count);
        }
        let each = u16::try_from(length).ok().filter(|each| *each > 0)?;
        if kind & (BUFFERS | BESIDE) != 0 || count == 0 {
            return None;
        }
        self.run = Run { left: count, each, kind: kind & KIND };
        self.next_of_run(bytes)
    }

    fn with_buffers<'a>(
        &mut self,
        kind: u8,
        bytes: &'a [u8],
        buffers: &'a [Bytes],
        count: u32,
    ) -> Option<Row<'a>> {
        let own = buffers.get(self.buffer as usize..)?.get(..count as usize)?;
        self.at += bytes.len();
        self.buffer += count;
        if kind & BESIDE == 0 {
            return Some(Row { kind: kind & KIND, bytes, buffers: own, beside: None });
        }
        let (value, own) = own.split_first()?;
        Some(Row { kind: kind & KIND, bytes: value, buffers: own, beside: Some(value) })
    }

    /// Reads a row, and the others of its run with it: of what kind they are, and how many.
    pub(super) fn next_run(&mut self, bytes: &[u8], buffers: &[Bytes]) -> Option<(u8, usize)> {
        let kind = self.next(bytes, buffers)?.kind;
        let others = self.run.left as usize;
        self.left = self.left.checked_sub(others)?;
        let length = others.checked_mul(usize::from(self.run.each))?;
        bytes.get(self.at..)?.get(..length)?;
        self.at += length;
        self.run.left = 0;
        Some((kind, 1 + others))
    }

    /// What is not read yet, as bytes and buffers that begin with the next row.
    pub(super) fn rest<'a>(&self, bytes: &'a [u8], buffers: &'a [Bytes]) -> (Cow<'a, [u8]>, &'a [Bytes]) {
        let bytes = bytes.get(self.at..).unwrap_or_default();
        let buffers = buffers.get(self.buffer as usize..).unwrap_or_default();
        let Run { left, each, kind } = self.run;
        let bytes = match left {
            0 => Cow::Borrowed(bytes),
            _ => Cow::Owned([Head::run(kind, each, left).as_bytes(), bytes].concat()),
        };
        (bytes, buffers)
    }
}
