//! A queue between processes: values travel as messages.

use super::here::Shut;
use crate::error::{Error, Result};
use crate::share::body::Body;
use crate::share::halls;
use crate::share::item::Item;
use crate::share::message;
use crate::share::site::Site;
use crate::share::wait::Turn;
use crate::work::{Bytes, Payload};
use anyplace_sync::ground::Monitor;
use anyplace_sync::shm::Full;
use anyplace_sync::shm::hall::{Handle, Message, PutError, Queue, Received};
use std::sync::Arc;
use std::time::Instant;

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
    pub(super) fn arrive(site: Arc<Site>, name: Arc<str>, handle: Handle) -> Result<Self> {
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
            let plain = message::short(|out| value.pack_short(out));
            let made = match plain {
                Some(bytes) if bytes.len() <= self.queue.inline() => Ok(Packed::Short(bytes)),
                Some(bytes) => written(&self.queue, bytes.len(), |to| to.copy_from_slice(&bytes)),
                None => pack(&self.queue, &value.pack()?),
            };
            *packed = Some(made.map_err(|full| self.full(full))?);
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

    /// Waits until there is something to get, or nothing will come.
    pub(super) fn look<'a>(&'a self, turn: &mut Turn<'a>, until: Option<Instant>) -> Option<()> {
        let [items, _, _] = self.queue.lines();
        let is_ready = || !self.queue.is_empty() || self.queue.is_shut();
        turn.wait(items, until, |inside, number| {
            let ready = is_ready().then_some(());
            if ready.is_some() && inside.others_wait(number) {
                // What is there stays there, so the next in line may look, too.
                inside.wake(2);
            }
            ready
        })
    }

    fn full(&self, full: Full) -> Error {
        halls::told(full.into(), &self.site.place)
    }
}

/// A value as a message: a long one is written where it will be read.
fn pack(queue: &Queue, payload: &Payload) -> Result<Packed, Full> {
    let length = message::length(payload);
    if length <= queue.inline() {
        return Ok(Packed::Short(message::to_bytes(payload)));
    }
    written(queue, length, |to| message::write(payload, to))
}

fn written(queue: &Queue, length: usize, write: impl FnOnce(&mut [u8])) -> Result<Packed, Full> {
    let mut block = queue.block(length)?;
    write(&mut block);
    Ok(Packed::Long(block.into()))
}

/// A message as a value. What is large in it stays where it is until the last who looks at it has gone.
pub(super) fn unpack<T: Item>(received: Received) -> Result<T> {
    if let Received::Short(bytes) = &received
        && let Some((encoding, value)) = message::read_short(bytes)
        && let Some(item) = T::unpack_short(encoding, value)
    {
        return Ok(item);
    }
    T::unpack(payload(received)?)
}

fn payload(received: Received) -> Result<Payload> {
    match received {
        Received::Short(bytes) => message::read(&bytes.into()),
        Received::Long(block) => {
            let length = block.len();
            message::read(&Bytes::shared(Arc::new(Held(block)), 0..length))
        }
    }
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
    use crate::work::Encoding;
    use anyplace_sync::ground::Turn;
    use anyplace_sync::shm::hall::{Hall, Order};

    /// A message's own block begins where numbers like to lie, so its parts do, too.
    #[test]
    fn parts_of_a_message_lie_as_numbers_like_to() {
        let hall = Hall::create().unwrap();
        let queue = hall.queue(None, Order::Fifo, 0).unwrap();
        let mut payload = Payload::new(Encoding::Pickle, vec![1; 100]);
        payload.buffers = vec![vec![2; 10_000].into(), vec![3; 10_000].into()];
        let Packed::Long(mut message) = pack(&queue, &payload).unwrap() else { panic!("it is long") };
        let mut turn = Turn::new(&*hall);
        queue.put(&mut turn, &mut message, 0, None).unwrap().unwrap();
        let back = unpack::<Payload>(queue.get(&mut turn, None).unwrap().unwrap()).unwrap();
        assert_eq!(back, payload);
        assert!(back.buffers.iter().all(|part| part.as_ptr().addr().is_multiple_of(message::ALIGNED)));
    }
}
