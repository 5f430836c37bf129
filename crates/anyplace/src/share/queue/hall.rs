//! A queue between processes: values travel as messages, each with its large parts behind it in one block.
//!
//! | bytes | |
//! |---|---|
//! | 1 | how to read the value: its encoding |
//! | 3 | how many parts stand behind it |
//! | 4 | how many bytes the value has, or -1: then a list follows |
//! | 8 each | the list: how long the value is, and each part; only if there are parts, or the value is very long |
//! | n | the value |
//! | m each | the parts, each at a multiple of 64 bytes, as numbers like to lie |

use super::here::Shut;
use crate::error::{Error, Kind, Result};
use crate::share::body::Body;
use crate::share::halls;
use crate::share::item::Item;
use crate::share::site::Site;
use crate::share::travel::Travelling;
use crate::share::wait::Turn;
use crate::work::{Bytes, Encoding, Payload};
use anyplace_sync::ground::Monitor;
use anyplace_sync::shm::Full;
use anyplace_sync::shm::hall::{Message, PutError, Queue, Received};
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

/// Where a part begins.
const ALIGNED: usize = 64;
const HEAD: usize = 8;
/// In the place of the value's length: a list follows.
const LISTED: u32 = u32::MAX;

/// A queue, and whose it is.
pub(super) struct Shared {
    pub(super) site: Arc<Site>,
    pub(super) name: Arc<str>,
    pub(super) queue: Queue,
}

/// A value as it is put.
pub(super) enum Packed {
    Short(Vec<u8>),
    Long(Message<'static>),
}

impl Shared {
    /// Opens the queue of a handle that has arrived.
    pub(super) fn arrive(travelling: Travelling) -> Result<Self> {
        let (site, name, handle) = travelling.arrive()?;
        let queue = site.in_hall().open_queue(handle).map_err(|error| halls::told(error, &site.place))?;
        Ok(Self { site, name, queue })
    }

    /// Puts the value in `item` as soon as there is room, and takes it out of there then. It is packed once.
    pub(super) fn put<'a, T: Item>(
        &'a self,
        turn: &mut Turn<'a>,
        until: Option<Instant>,
        (rank, item): (i64, &mut Option<T>),
        packed: &mut Option<Packed>,
    ) -> Result<Option<Result<(), Shut>>> {
        if packed.is_none() {
            let Some(value) = item else { return Ok(None) };
            *packed = Some(pack(&self.queue, &value.pack()?).map_err(|full| self.full(full))?);
        }
        // The order of the keys is that of the ranks.
        let key = rank.cast_unsigned() ^ 1 << 63;
        let put = match packed {
            Some(Packed::Short(bytes)) => {
                let mut message = self.queue.message(bytes).map_err(|full| self.full(full))?;
                self.queue.put(turn, &mut message, key, until)
            }
            Some(Packed::Long(message)) => self.queue.put(turn, message, key, until),
            None => None,
        };
        Ok(match put {
            None => None,
            Some(Err(PutError::Full(full))) => return Err(self.full(full)),
            Some(Err(PutError::ShutDown)) => Some(Err(Shut)),
            Some(Ok(())) => {
                *item = None;
                Some(Ok(()))
            }
        })
    }

    fn full(&self, full: Full) -> Error {
        halls::told(full.into(), &self.site.place)
    }
}

/// Where everything in a message lies.
struct Plan {
    /// Whether there is a list of lengths.
    is_listed: bool,
    /// Where the parts lie, the value first.
    places: Vec<Range<usize>>,
}

impl Plan {
    fn new(is_listed: bool, lengths: impl ExactSizeIterator<Item = usize>) -> Self {
        let mut at = if is_listed { HEAD + 8 * lengths.len() } else { HEAD };
        let place = |length: usize| {
            let place = at..at.saturating_add(length);
            at = place.end.checked_next_multiple_of(ALIGNED).unwrap_or(usize::MAX);
            place
        };
        Self { is_listed, places: lengths.map(place).collect() }
    }

    fn of(payload: &Payload) -> Self {
        let is_listed = !payload.buffers.is_empty() || payload.bytes.len() >= LISTED as usize;
        let parts: Vec<usize> = parts(payload).map(|part| part.len()).collect();
        Self::new(is_listed, parts.into_iter())
    }

    fn length(&self) -> usize {
        self.places.last().map_or(HEAD, |last| last.end)
    }

    fn write(&self, payload: &Payload, to: &mut [u8]) {
        to[..4].copy_from_slice(&(payload.buffers.len() as u32).to_le_bytes());
        to[3] = payload.encoding as u8;
        let length = if self.is_listed { LISTED } else { payload.bytes.len() as u32 };
        to[4..HEAD].copy_from_slice(&length.to_le_bytes());
        if self.is_listed {
            let list = to[HEAD..].chunks_exact_mut(8);
            list.zip(parts(payload))
                .for_each(|(to, part)| to.copy_from_slice(&(part.len() as u64).to_le_bytes()));
        }
        self.places.iter().zip(parts(payload)).for_each(|(at, part)| to[at.clone()].copy_from_slice(part));
    }
}

/// The value, and what stands beside it.
fn parts(payload: &Payload) -> impl Iterator<Item = &Bytes> {
    std::iter::once(&payload.bytes).chain(&payload.buffers)
}

/// A value as a message: a long one is written where it will be read.
pub(super) fn pack(queue: &Queue, payload: &Payload) -> Result<Packed, Full> {
    let plan = Plan::of(payload);
    if plan.length() <= queue.inline() {
        return Ok(Packed::Short(to_bytes(payload)));
    }
    let mut block = queue.block(plan.length())?;
    plan.write(payload, &mut block);
    Ok(Packed::Long(block.into()))
}

/// A value as bytes that [`read`] reads.
pub(in crate::share) fn to_bytes(payload: &Payload) -> Vec<u8> {
    let plan = Plan::of(payload);
    let mut bytes = vec![0; plan.length()];
    plan.write(payload, &mut bytes);
    bytes
}

/// A message as a value. What is large in it stays where it is until the last who looks at it has gone.
pub(super) fn unpack(received: Received) -> Result<Payload> {
    let whole = match received {
        Received::Short(bytes) => Bytes::from(bytes),
        Received::Long(block) => {
            let length = block.len();
            Bytes::shared(Arc::new(Held(block)), 0..length)
        }
    };
    read(&whole)
        .ok_or_else(|| Error::new(Kind::NotSerializable, "a message in a shared queue cannot be read"))
}

/// The value that these bytes, as [`to_bytes`] makes them, are.
pub(in crate::share) fn read(whole: &Bytes) -> Option<Payload> {
    let (head, rest) = whole.split_first_chunk::<HEAD>()?;
    let [first, second, third, encoding, length @ ..] = *head;
    let beside = u32::from_le_bytes([first, second, third, 0]) as usize;
    let encoding = Encoding::from_number(encoding)?;
    let plan = match u32::from_le_bytes(length) {
        LISTED => {
            let list = rest.get(..8 * (beside + 1))?.as_chunks::<8>().0;
            Plan::new(true, list.iter().map(|length| u64::from_le_bytes(*length) as usize))
        }
        length => Plan::new(false, std::iter::once(length as usize)),
    };
    if plan.length() > whole.len() {
        return None;
    }
    let mut parts = plan.places.into_iter().map(|place| whole.slice(place));
    Some(Payload { encoding, bytes: parts.next()?, buffers: parts.collect() })
}

/// The bytes of a message that lie where they were written.
struct Held(anyplace_sync::shm::Block);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Body for Queue {
    fn lines(&self) -> Vec<&Monitor> {
        Self::lines(self).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyplace_sync::ground::Turn;
    use anyplace_sync::shm::hall::{Hall, Order};

    fn there_and_back(payload: &Payload) -> Payload {
        let hall = Hall::create().unwrap();
        let queue = hall.queue(None, Order::Fifo, 0).unwrap();
        let mut turn = Turn::new(&*hall);
        match pack(&queue, payload).unwrap() {
            Packed::Short(bytes) => {
                let mut message = queue.message(&bytes).unwrap();
                queue.put(&mut turn, &mut message, 0, None).unwrap().unwrap();
            }
            Packed::Long(mut message) => queue.put(&mut turn, &mut message, 0, None).unwrap().unwrap(),
        }
        unpack(queue.get(&mut turn, None).unwrap().unwrap()).unwrap()
    }

    #[test]
    fn a_value_comes_out_as_it_went_in_whatever_stands_beside_it() {
        for length in [0, 1, 7, 40, 3000, 100_000] {
            let bytes: Vec<u8> = (0..length).map(|number| number as u8).collect();
            let mut payload = Payload::new(Encoding::Pickle, bytes.clone());
            assert_eq!(there_and_back(&payload), payload);
            payload.buffers = vec![bytes.clone().into(), Bytes::default(), bytes.into()];
            assert_eq!(there_and_back(&payload), payload);
        }
    }

    #[test]
    fn parts_lie_as_numbers_like_to() {
        let mut payload = Payload::new(Encoding::Pickle, vec![1; 100]);
        payload.buffers = vec![vec![2; 10_000].into(), vec![3; 10_000].into()];
        let back = there_and_back(&payload);
        assert!(back.buffers.iter().all(|part| part.as_ptr().addr().is_multiple_of(ALIGNED)));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let whole = Bytes::from(vec![9, 0, 0, 0, 255, 255, 255, 255, 0, 0]);
        assert_eq!(read(&whole), None);
        assert_eq!(read(&Bytes::from(vec![0; 3])), None);
    }
}
