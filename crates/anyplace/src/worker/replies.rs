//! How a worker tells how its calls end.

use crate::driver::Memory;
use crate::error::{Error, Kind};
use crate::outcome::ending;
use crate::wire::error_bytes;
use crate::wire::rows::{LARGE, Rows, Writer};
use crate::work::{Bytes, Encoding, Payload};
use std::fmt;

/// Where replies go, as rows.
pub(crate) trait Sink {
    /// The call at this position begins: if the process dies now, it is the one to blame.
    fn begin(&mut self, position: usize);

    /// Adds a row.
    fn push(&mut self, kind: u8, bytes: &[u8], buffers: &[Bytes]);

    /// Adds a row whose value stays where it is.
    fn push_beside(&mut self, kind: u8, bytes: Bytes, buffers: &[Bytes]);

    /// Where large results are put, so that the caller reads them without a copy.
    fn memory(&self) -> Option<&dyn Memory> {
        None
    }
}

/// Tells how the calls of an [`Order`](super::Order) end, one after the other, while they end.
///
/// Say [`begin`](Self::begin), make the call, say [`returned`](Self::returned) or [`failed`](Self::failed); then the
/// next. What is never answered is told as a failure.
pub struct Replies<'a> {
    sink: &'a mut dyn Sink,
    answered: usize,
}

impl<'a> Replies<'a> {
    pub(crate) fn new(sink: &'a mut dyn Sink) -> Self {
        Self { sink, answered: 0 }
    }

    /// The call at this position in the order begins: from here on, a crash is its own.
    pub fn begin(&mut self, position: usize) {
        self.sink.begin(position);
    }

    /// It returned this.
    #[inline]
    pub fn returned(&mut self, encoding: Encoding, bytes: &[u8], buffers: &[Bytes]) {
        let kind = encoding as u8;
        let kept = if bytes.len() < LARGE { None } else { self.keep(bytes) };
        self.answered += 1;
        match kept {
            None => self.sink.push(kind, bytes, buffers),
            Some(kept) => self.sink.push_beside(kind, kept, buffers),
        }
    }

    /// It returned this; large bytes are sent from where they are.
    pub fn returned_payload(&mut self, payload: Payload) {
        let Payload { encoding, bytes, buffers } = payload;
        if bytes.len() < LARGE {
            return self.returned(encoding, &bytes, &buffers);
        }
        self.answered += 1;
        self.sink.push_beside(encoding as u8, bytes, &buffers);
    }

    /// It failed so; what the error's kind stands for is its ending.
    pub fn failed(&mut self, error: &Error) {
        self.answered += 1;
        self.sink.push(ending(error), &error_bytes(error), &[]);
    }

    /// Where large results are put, so that the caller reads them without a copy, if there is such memory.
    pub fn memory(&self) -> Option<&dyn Memory> {
        self.sink.memory()
    }

    fn keep(&self, bytes: &[u8]) -> Option<Bytes> {
        self.memory()?.write(bytes.len(), &mut |room| room.copy_from_slice(bytes))
    }

    /// Answers the calls up to `calls` that are not answered: they failed by `error`.
    pub(crate) fn finish(mut self, calls: usize, error: Option<&Error>) {
        let forgotten = Error::new(Kind::Unexpected, "the worker did not say how the call ended");
        while self.answered < calls {
            self.failed(error.unwrap_or(&forgotten));
        }
    }
}

/// Collects replies, to be sent when all are there.
#[derive(Default)]
pub(crate) struct Collected(Writer);

impl Collected {
    pub(crate) fn finish(self) -> Rows {
        self.0.finish()
    }
}

impl Sink for Collected {
    fn begin(&mut self, _: usize) {}

    fn push(&mut self, kind: u8, bytes: &[u8], buffers: &[Bytes]) {
        self.0.push(kind, bytes, buffers);
    }

    fn push_beside(&mut self, kind: u8, bytes: Bytes, buffers: &[Bytes]) {
        self.0.push_beside(kind, bytes, buffers);
    }
}

impl fmt::Debug for Replies<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Replies({} answered)", self.answered)
    }
}
