//! A value as bytes in one piece, with its large parts behind it: what lies in memory that processes share.
//!
//! | bytes | |
//! |---|---|
//! | 3 | how many parts stand behind the value |
//! | 1 | how to read it: its encoding |
//! | 4 | how many bytes the value has, or -1: then a list follows |
//! | 8 each | the list: how long the value is, and each part; only if there are parts, or the value is very long |
//! | n | the value |
//! | m each | the parts, each at a multiple of 64 bytes, as numbers like to lie |

use crate::error::{Error, Kind, Result};
use crate::work::{Bytes, Encoding, Payload};
use std::ops::Range;

/// Where a part begins.
pub(super) const ALIGNED: usize = 64;
const HEAD: usize = 8;
/// In the place of the value's length: a list follows.
const LISTED: u32 = u32::MAX;

/// How many bytes the value takes.
pub(super) fn length(payload: &Payload) -> usize {
    if is_listed(payload) { Plan::of(payload).length() } else { HEAD + payload.bytes.len() }
}

/// The value in one piece of its own.
pub(super) fn to_bytes(payload: &Payload) -> Vec<u8> {
    if is_listed(payload) {
        let plan = Plan::of(payload);
        let mut bytes = vec![0; plan.length()];
        plan.write(payload, &mut bytes);
        return bytes;
    }
    let mut bytes = Vec::with_capacity(HEAD + payload.bytes.len());
    bytes.extend_from_slice(&head(payload));
    bytes.extend_from_slice(&payload.bytes);
    bytes
}

/// Writes the value to the front of `to`, which has [`length`] bytes.
pub(super) fn write(payload: &Payload, to: &mut [u8]) {
    if is_listed(payload) {
        return Plan::of(payload).write(payload, to);
    }
    to[..HEAD].copy_from_slice(&head(payload));
    to[HEAD..][..payload.bytes.len()].copy_from_slice(&payload.bytes);
}

/// A message of a value that `pack` appends, if it is short.
pub(super) fn short(pack: impl FnOnce(&mut Vec<u8>) -> Option<Encoding>) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(64);
    bytes.extend_from_slice(&[0; HEAD]);
    let encoding = pack(&mut bytes)?;
    let length = u32::try_from(bytes.len() - HEAD).ok().filter(|length| *length != LISTED)?;
    bytes[3] = encoding as u8;
    bytes[4..HEAD].copy_from_slice(&length.to_le_bytes());
    Some(bytes)
}

/// How to read the value in a message that nothing stands beside, and the value.
pub(super) fn read_short(whole: &[u8]) -> Option<(Encoding, &[u8])> {
    let (&[0, 0, 0, encoding, ref length @ ..], rest) = whole.split_first_chunk::<HEAD>()? else {
        return None;
    };
    let length = u32::from_le_bytes(*length);
    let value = rest.get(..length as usize).filter(|_| length != LISTED)?;
    Some((Encoding::from_number(encoding)?, value))
}

/// The value again; its parts are parts of `whole`.
///
/// # Errors
/// `NotSerializable` if it is no value.
pub(super) fn read(whole: &Bytes) -> Result<Payload> {
    try_read(whole).ok_or_else(|| Error::new(Kind::NotSerializable, "what lies in shared memory is no value"))
}

fn try_read(whole: &Bytes) -> Option<Payload> {
    let (head, rest) = whole.split_first_chunk::<HEAD>()?;
    let [first, second, third, encoding, length @ ..] = *head;
    let beside = u32::from_le_bytes([first, second, third, 0]) as usize;
    let encoding = Encoding::from_number(encoding)?;
    let length = u32::from_le_bytes(length);
    if length != LISTED {
        let end = HEAD.checked_add(length as usize).filter(|end| *end <= whole.len() && beside == 0)?;
        return Some(Payload { encoding, bytes: whole.slice(HEAD..end), buffers: Vec::new() });
    }
    let list = rest.get(..8 * (beside + 1))?.as_chunks::<8>().0;
    let plan = Plan::new(list.iter().map(|length| u64::from_le_bytes(*length) as usize));
    if plan.length() > whole.len() {
        return None;
    }
    let mut parts = plan.0.into_iter().map(|place| whole.slice(place));
    Some(Payload { encoding, bytes: parts.next()?, buffers: parts.collect() })
}

fn is_listed(payload: &Payload) -> bool {
    !payload.buffers.is_empty() || payload.bytes.len() >= LISTED as usize
}

fn head(payload: &Payload) -> [u8; HEAD] {
    let [first, second, third, _] = (payload.buffers.len() as u32).to_le_bytes();
    let length = if is_listed(payload) { LISTED } else { payload.bytes.len() as u32 };
    let [fourth, fifth, sixth, seventh] = length.to_le_bytes();
    [first, second, third, payload.encoding as u8, fourth, fifth, sixth, seventh]
}

/// Where everything lies in one with a list: the value first.
struct Plan(Vec<Range<usize>>);

impl Plan {
    fn new(lengths: impl ExactSizeIterator<Item = usize>) -> Self {
        let mut at = HEAD + 8 * lengths.len();
        let place = |length: usize| {
            let place = at..at.saturating_add(length);
            at = place.end.checked_next_multiple_of(ALIGNED).unwrap_or(usize::MAX);
            place
        };
        Self(lengths.map(place).collect())
    }

    fn of(payload: &Payload) -> Self {
        let lengths: Vec<usize> = parts(payload).map(|part| part.len()).collect();
        Self::new(lengths.into_iter())
    }

    fn length(&self) -> usize {
        self.0.last().map_or(HEAD, |last| last.end)
    }

    fn write(&self, payload: &Payload, to: &mut [u8]) {
        to[..HEAD].copy_from_slice(&head(payload));
        let list = to[HEAD..].chunks_exact_mut(8);
        list.zip(parts(payload))
            .for_each(|(to, part)| to.copy_from_slice(&(part.len() as u64).to_le_bytes()));
        self.0.iter().zip(parts(payload)).for_each(|(at, part)| to[at.clone()].copy_from_slice(part));
    }
}

/// The value, and what stands beside it.
fn parts(payload: &Payload) -> impl Iterator<Item = &Bytes> {
    std::iter::once(&payload.bytes).chain(&payload.buffers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_it_was_written_whatever_stands_beside_it() {
        for length in [0, 1, 7, 40, 3000, 100_000] {
            let bytes: Vec<u8> = (0..length).map(|number| number as u8).collect();
            let mut payload = Payload::new(Encoding::Pickle, bytes.clone());
            assert_eq!(read(&to_bytes(&payload).into()).unwrap(), payload);
            payload.buffers = vec![bytes.clone().into(), Bytes::default(), bytes.into()];
            let written = to_bytes(&payload);
            assert_eq!(written.len(), super::length(&payload));
            assert_eq!(read(&written.into()).unwrap(), payload);
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        let cut = |bytes: &[u8]| try_read(&Bytes::from(bytes));
        assert_eq!(cut(&[9, 0, 0, 0, 255, 255, 255, 255, 0, 0]), None, "the list is cut off");
        assert_eq!(cut(&[0, 0, 0, 0, 9, 0, 0, 0, 1]), None, "the value is");
        assert_eq!(cut(&[0; 3]), None);
        let mut endless = [255; 32];
        endless[..4].copy_from_slice(&[1, 0, 0, 1]);
        assert_eq!(cut(&endless), None, "no memory has so many");
    }
}
