//! Makes rows.

use super::{Cursor, Head, LARGE, OpenRun, Rows};
use crate::work::Bytes;

/// Makes rows.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    buffers: Vec<Bytes>,
    rows: usize,
    run: OpenRun,
    /// Where a value is made whose length is not known before.
    room: Vec<u8>,
}

impl Writer {
    #[inline]
    pub(crate) fn push(&mut self, kind: u8, bytes: &[u8], buffers: &[Bytes]) {
        if !self.run.takes(kind, bytes.len(), buffers.len()) {
            return self.push_apart(kind, bytes, buffers);
        }
        self.bytes.extend_from_slice(bytes);
        self.run.count(&mut self.bytes);
        self.rows += 1;
    }

    #[cold]
    fn push_apart(&mut self, kind: u8, bytes: &[u8], buffers: &[Bytes]) {
        let Some((head, run)) = OpenRun::begin(self.bytes.len(), kind, bytes.len(), buffers.len()) else {
            return self.push_beside(kind, bytes.into(), buffers);
        };
        self.bytes.extend_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(bytes);
        self.buffers.extend_from_slice(buffers);
        self.rows += 1;
        self.run = run;
    }

    pub(crate) fn push_beside(&mut self, kind: u8, bytes: Bytes, buffers: &[Bytes]) {
        self.bytes.extend_from_slice(Head::beside(kind, buffers.len() + 1).as_bytes());
        self.buffers.push(bytes);
        self.buffers.extend_from_slice(buffers);
        self.rows += 1;
        self.run = OpenRun::default();
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
        self.run = OpenRun::default();
    }

    /// Adds what `write` appends; nothing if that fails.
    pub(crate) fn push_with<E>(
        &mut self,
        kind: u8,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut room = std::mem::take(&mut self.room);
        room.clear();
        let written = write(&mut room);
        if written.is_ok() {
            self.push(kind, &room, &[]);
        }
        self.room = room;
        written
    }

    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn finish(self) -> Rows {
        Rows { bytes: Bytes::from(self.bytes), buffers: self.buffers.into(), cursor: Cursor::new(self.rows) }
    }
}
