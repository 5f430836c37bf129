//! The arguments of many calls, one behind the other.

use super::{Encoding, Payload, PayloadRef};
use crate::wire::rows::{Rows, RowsRef, Writer};
use std::fmt;

/// The arguments of many calls in one piece of memory. A clone or a tail shares it.
///
/// ```
/// use anyplace::work::{Encoding, Packer, PayloadRef};
///
/// let mut packer = Packer::default();
/// for text in ["1", "22", "333"] {
///     packer.push(PayloadRef { encoding: Encoding::Json, bytes: text.as_bytes(), buffers: &[] });
/// }
/// let rest = packer.finish().tail(1);
/// assert_eq!(rest.iter().map(|item| item.bytes.len()).collect::<Vec<_>>(), [2, 3]);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Packed(pub(crate) Rows);

/// Puts arguments into one [`Packed`]; an item costs no allocation.
#[derive(Default)]
pub struct Packer(Writer);

impl Packer {
    /// Adds the arguments of one more call.
    #[inline]
    pub fn push(&mut self, payload: PayloadRef<'_>) {
        self.0.push(payload.encoding as u8, payload.bytes, payload.buffers);
    }

    /// Adds arguments that `write` appends to what it is given; nothing is added if that fails.
    ///
    /// # Errors
    /// What `write` fails with.
    pub fn push_with<E>(
        &mut self,
        encoding: Encoding,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.0.push_with(encoding as u8, write)
    }

    /// Adds the arguments of one more call; if they are large, their bytes stay where they are.
    pub fn push_payload(&mut self, payload: Payload) {
        let Payload { encoding, bytes, buffers } = payload;
        self.0.push_beside_if_large(encoding as u8, bytes, &buffers);
    }

    /// How many calls there are so far.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The arguments of all calls.
    pub fn finish(self) -> Packed {
        Packed(self.0.finish())
    }
}

impl Packed {
    /// How many calls.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The arguments of each call, in order.
    pub fn iter(&self) -> Payloads<'_> {
        Payloads(self.0.iter())
    }

    /// Those from call `from` on. The calls before are walked over, the bytes are shared.
    #[must_use]
    pub fn tail(&self, from: usize) -> Self {
        Self(self.0.tail(from))
    }
}

impl<'a> IntoIterator for &'a Packed {
    type Item = PayloadRef<'a>;
    type IntoIter = Payloads<'a>;

    fn into_iter(self) -> Payloads<'a> {
        self.iter()
    }
}

impl<'a> FromIterator<PayloadRef<'a>> for Packed {
    fn from_iter<I: IntoIterator<Item = PayloadRef<'a>>>(payloads: I) -> Self {
        let mut packer = Packer::default();
        payloads.into_iter().for_each(|payload| packer.push(payload));
        packer.finish()
    }
}

/// The arguments of calls, where they lie.
#[derive(Clone, Debug)]
pub struct Payloads<'a>(pub(crate) RowsRef<'a>);

impl<'a> Iterator for Payloads<'a> {
    type Item = PayloadRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<PayloadRef<'a>> {
        let row = self.0.next()?;
        let encoding = Encoding::from_number(row.kind)?;
        Some(PayloadRef { encoding, bytes: row.bytes, buffers: row.buffers })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Payloads<'_> {}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({} calls)", self.len())
    }
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packer({} calls)", self.len())
    }
}
