//! How the calls of a chunk ended, one behind the other.

use super::{Outcome, Value};
use crate::error::Error;
use crate::wire::rows::{Row, Rows, RowsRef, Writer};
use crate::wire::{CANCELLED, FAILED, LOST, error_bytes, read_error_bytes};
use crate::work::{Bytes, Encoding, Payload, PayloadRef};
use std::fmt;

/// How the calls of a chunk ended, in order, in one piece of memory. What an item returned is looked at when somebody
/// wants it, not before.
///
/// ```
/// use anyplace::work::{Encoding, PayloadRef};
/// use anyplace::{Error, Item, ItemsWriter, Kind};
///
/// let mut writer = ItemsWriter::default();
/// writer.returned(PayloadRef { encoding: Encoding::Json, bytes: b"42", buffers: &[] });
/// writer.failed(&Error::new(Kind::TaskFailed, "no such thing"));
/// let mut items = writer.finish();
/// assert_eq!((items.len(), items.failed()), (2, 1));
/// assert!(matches!(items.advance(), Some(Item::Returned(payload)) if payload.bytes == b"42"));
/// ```
#[derive(Clone, Default)]
pub struct Items {
    rows: Rows,
    failed: usize,
}

/// How one call of a chunk ended.
#[derive(Debug)]
pub enum Item<'a> {
    /// It returned this.
    Returned(PayloadRef<'a>),
    /// It failed so.
    Failed(Error),
    /// It was cancelled.
    Cancelled(Error),
    /// Its worker or its place went.
    Lost(Error),
}

impl Item<'_> {
    /// The same as an outcome of its own.
    pub fn into_outcome(self) -> Outcome {
        match self {
            Self::Returned(payload) => Outcome::Returned(Value::Encoded(payload.to_owned())),
            Self::Failed(error) => Outcome::Failed(error),
            Self::Cancelled(error) => Outcome::Cancelled(error),
            Self::Lost(error) => Outcome::Lost(error),
        }
    }
}

impl Items {
    /// Items that came from elsewhere, and so may be none.
    pub(crate) fn from_rows(rows: Rows) -> Self {
        let failed = |(kind, _): &(u8, usize)| Encoding::from_number(*kind).is_none();
        let failed = rows.kinds().filter(failed).map(|(_, rows)| rows).sum();
        Self { rows, failed }
    }

    pub(crate) fn into_rows(self) -> Rows {
        self.rows
    }

    /// How many calls are left to be looked at.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many of all calls did not return.
    pub fn failed(&self) -> usize {
        self.failed
    }

    /// How each call ended.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.rows.iter())
    }

    /// How the next call ended; the others are left.
    #[inline]
    pub fn advance(&mut self) -> Option<Item<'_>> {
        self.rows.advance().map(item)
    }

    /// How each call ended, as outcomes of their own.
    pub fn into_outcomes(mut self) -> impl Iterator<Item = Outcome> {
        std::iter::from_fn(move || self.rows.advance().map(outcome))
    }
}

impl<'a> IntoIterator for &'a Items {
    type Item = Item<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// How calls ended, one after the other.
#[derive(Clone, Debug)]
pub struct Iter<'a>(RowsRef<'a>);

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        self.0.next().map(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

/// Writes [`Items`]: for what runs chunks and tells of their calls.
#[derive(Default)]
pub struct ItemsWriter {
    rows: Writer,
    failed: usize,
}

impl ItemsWriter {
    /// The next call returned.
    pub fn returned(&mut self, payload: PayloadRef<'_>) {
        self.rows.push(payload.encoding as u8, payload.bytes, payload.buffers);
    }

    /// The next call failed, was cancelled or lost: what the error's kind stands for.
    pub fn failed(&mut self, error: &Error) {
        self.failed += 1;
        self.rows.push(ending(error), &error_bytes(error), &[]);
    }

    /// The next call ended so. A value that cannot leave its process is a failure.
    pub fn push(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Returned(Value::Encoded(Payload { encoding, bytes, buffers })) => {
                self.rows.push_beside_if_large(encoding as u8, bytes, &buffers);
            }
            Outcome::Returned(_) => self.failed(&crate::wire::stays_here()),
            Outcome::Failed(error) => self.end(FAILED, &error),
            Outcome::Cancelled(error) => self.end(CANCELLED, &error),
            Outcome::Lost(error) => self.end(LOST, &error),
        }
    }

    fn end(&mut self, ending: u8, error: &Error) {
        self.failed += 1;
        self.rows.push(ending, &error_bytes(error), &[]);
    }

    /// The next calls ended as these.
    pub fn extend(&mut self, items: &Items) {
        self.failed += items.iter().filter(|item| !matches!(item, Item::Returned(_))).count();
        let (bytes, buffers) = items.rows.parts();
        self.rows.append_all(&bytes, buffers, items.len());
    }

    /// How many calls there are so far.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All that was written.
    pub fn finish(self) -> Items {
        Items { rows: self.rows.finish(), failed: self.failed }
    }
}

/// How an error's kind ends a task, as rows say it.
pub(crate) fn ending(error: &Error) -> u8 {
    match error.kind() {
        crate::Kind::Cancelled => CANCELLED,
        crate::Kind::WorkerLost | crate::Kind::PlaceClosed => LOST,
        _ => FAILED,
    }
}

#[inline]
fn item(row: Row<'_>) -> Item<'_> {
    let Row { kind, bytes, buffers, .. } = row;
    match Encoding::from_number(kind) {
        Some(encoding) => Item::Returned(PayloadRef { encoding, bytes, buffers }),
        None => not_returned(kind, read_error_bytes(bytes)),
    }
}

#[cold]
fn not_returned(kind: u8, error: Error) -> Item<'static> {
    match kind {
        CANCELLED => Item::Cancelled(error),
        LOST => Item::Lost(error),
        _ => Item::Failed(error),
    }
}

/// The outcome that a row tells of.
pub(crate) fn outcome(row: Row<'_>) -> Outcome {
    match item(row) {
        Item::Returned(PayloadRef { encoding, buffers, .. }) => {
            let bytes = row.beside.map_or_else(|| Bytes::from(row.bytes), Bytes::clone);
            Outcome::Returned(Value::Encoded(Payload { encoding, bytes, buffers: buffers.to_vec() }))
        }
        ended => ended.into_outcome(),
    }
}

impl fmt::Debug for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Items({} calls, {} failed)", self.len(), self.failed)
    }
}

impl fmt::Debug for ItemsWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ItemsWriter({} calls, {} failed)", self.len(), self.failed)
    }
}
