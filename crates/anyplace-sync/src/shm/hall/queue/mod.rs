//! A [`Queue`] between processes: messages of any size, from any of them to any other.
//!
//! Nothing stands between who puts and who gets: no thread that feeds, no pipe. Short messages lie in the queue's own block;
//! a long one is written into a block of its own before anybody is kept from the queue, and read there by who gets it. A
//! process that is killed in the middle of anything has put its message or has not, and has taken one or has not.

mod body;
mod error;
mod heap;
mod message;
mod ring;
mod wait;
mod within;

pub use body::{Order, QueueBody};
pub use error::{DoneTooOften, PutError, ShutDown};
pub use message::{Message, Received};

use super::Hall;
use super::error::HallError;
use super::kind::Kind;
use super::object::{Body, Handle, Object};
use crate::ground::{Ground, Monitor, Turn};
use crate::shm::{BlockMut, Full};
pub(super) use body::make;
use message::Content;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;
use within::Within;

/// A queue that processes share. Cloning it is cheap.
///
/// Waiting is done in a [`Turn`] on the hall, or on a ground that stands for it: `None` says that the deadline came first, and
/// the next call with the same turn goes on waiting from the same place in the line.
///
/// ```
/// use anyplace_sync::ground::Turn;
/// use anyplace_sync::shm::hall::{Hall, Order, ShutDown};
///
/// let hall = Hall::create()?;
/// let queue = hall.queue(Some("letters"), Order::Fifo, 10)?;
/// for word in ["one", "two"] {
///     let mut message = queue.message(word.as_bytes())?;
///     queue.put(&mut Turn::new(&*hall), &mut message, 0, None).expect("no deadline")?;
/// }
/// queue.shut_down(false);
/// let mut get = || queue.get(&mut Turn::new(&*hall), None).expect("no deadline");
/// assert_eq!(*get()?, *b"one");
/// assert_eq!(*get()?, *b"two");
/// assert_eq!(get().unwrap_err(), ShutDown);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Queue(Object<QueueBody>);

impl Body for QueueBody {
    fn suits(kind: Kind) -> bool {
        matches!(kind, Kind::Queue | Kind::Lifo | Kind::Priority)
    }
}

impl Hall {
    /// A queue for at most `capacity` messages, or without a limit if that is 0.
    ///
    /// # Errors
    /// As for all objects: see [`lock`](Self::lock).
    pub fn queue(
        self: &Arc<Self>,
        name: Option<&str>,
        order: Order,
        capacity: usize,
    ) -> Result<Queue, HallError> {
        let kind = match order {
            Order::Fifo => Kind::Queue,
            Order::Lifo => Kind::Lifo,
            Order::Priority => Kind::Priority,
        };
        self.find_or_make(name, kind, |making| make(making, order, capacity)).map(Queue)
    }

    /// Opens the queue of a handle that came from another process.
    ///
    /// # Errors
    /// [`HallError::Gone`] if it has ended.
    pub fn open_queue(self: &Arc<Self>, handle: Handle) -> Result<Queue, HallError> {
        self.open(handle).map(Queue)
    }
}

impl Queue {
    /// Where it lies, and under which name.
    pub fn object(&self) -> &Object<QueueBody> {
        &self.0
    }

    /// In which order messages come out.
    pub fn order(&self) -> Order {
        self.0.order()
    }

    /// How many messages it takes; 0 if there is no limit.
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// How many messages are in it at this moment.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it takes no more at this moment.
    pub fn is_full(&self) -> bool {
        self.capacity() > 0 && self.len() >= self.capacity()
    }

    /// Whether it was shut down.
    pub fn is_shut(&self) -> bool {
        self.0.is_shut()
    }

    /// How many messages were put and are not [done with](Self::task_done).
    pub fn unfinished(&self) -> usize {
        self.enter().unfinished()
    }

    /// Where others wait for a message, for room, and for all to be done with.
    pub fn lines(&self) -> [&Monitor; 3] {
        [&self.0.items, &self.0.room, &self.0.rest]
    }

    /// A message of these bytes: short ones are copied when they are put, long ones at once.
    ///
    /// # Errors
    /// [`Full`] if there is no memory for a long one.
    pub fn message<'a>(&self, bytes: &'a [u8]) -> Result<Message<'a>, Full> {
        if bytes.len() <= self.0.inline() {
            return Ok(Message(Content::Short(bytes)));
        }
        let mut block = self.block(bytes.len())?;
        block.copy_from_slice(bytes);
        Ok(block.into())
    }

    /// Room for a message of `len` bytes, to be written in place.
    ///
    /// # Errors
    /// As [`Memory::allocate`](crate::shm::Memory::allocate).
    pub fn block(&self, len: usize) -> Result<BlockMut, Full> {
        self.0.hall().memory().allocate(len)
    }

    /// The longest message that is copied into the queue, in bytes; for longer ones, a [block](Self::block) saves a copy.
    pub fn inline(&self) -> usize {
        self.0.inline()
    }

    /// Puts a message as soon as there is room; `None` if there was none by `until`. `key` counts in a priority queue.
    pub fn put<'g, G: Ground>(
        &'g self,
        turn: &mut Turn<'g, G>,
        message: &mut Message<'_>,
        key: u64,
        until: Option<Instant>,
    ) -> Option<Result<(), PutError>> {
        let mut put = 0;
        self.put_many(turn, &mut [(key, message)], &mut put, until)
    }

    /// Puts all messages, from number `put` on, as soon as there is room, each with its key; `put` tells how many are in the
    /// queue, also when `until` comes first.
    pub fn put_many<'g, G: Ground>(
        &'g self,
        turn: &mut Turn<'g, G>,
        messages: &mut [(u64, &mut Message<'_>)],
        put: &mut usize,
        until: Option<Instant>,
    ) -> Option<Result<(), PutError>> {
        loop {
            let before = *put;
            let result = self.wait(turn, &self.0.room, until, |within| Self::put_some(within, messages, put));
            self.call(&self.0.items, *put - before);
            match result? {
                Ok(()) if *put < messages.len() => {}
                ended => return Some(ended),
            }
        }
    }

    /// As many as there is room for; `None` if there is for none.
    fn put_some(
        within: &Within<'_>,
        messages: &mut [(u64, &mut Message<'_>)],
        put: &mut usize,
    ) -> Option<Result<(), PutError>> {
        let before = *put;
        while let Some((key, message)) = messages.get_mut(*put) {
            if within.is_shut() {
                return Some(Err(PutError::ShutDown));
            }
            if within.is_full() {
                return (*put > before).then_some(Ok(()));
            }
            if let Err(full) = within.put(message, *key) {
                return Some(Err(full.into()));
            }
            *put += 1;
        }
        Some(Ok(()))
    }

    /// Gets the next message as soon as there is one; `None` if there was none by `until`.
    ///
    /// `Some(Err(_))` says that there will be none: the queue was shut down.
    pub fn get<'g, G: Ground>(
        &'g self,
        turn: &mut Turn<'g, G>,
        until: Option<Instant>,
    ) -> Option<Result<Received, ShutDown>> {
        let received = self.wait(turn, &self.0.items, until, |within| match within.get() {
            Some(message) => Some(Ok(message)),
            None => within.is_shut().then_some(Err(ShutDown)),
        });
        self.got(usize::from(received.as_ref()?.is_ok()));
        received
    }

    /// Gets at most `most` messages, as soon as there is one.
    pub fn get_many<'g, G: Ground>(
        &'g self,
        turn: &mut Turn<'g, G>,
        most: usize,
        until: Option<Instant>,
    ) -> Option<Result<Vec<Received>, ShutDown>> {
        let received = self.wait(turn, &self.0.items, until, |within| {
            let messages: Vec<_> = (0..most).map_while(|_| within.get()).collect();
            if !messages.is_empty() || most == 0 {
                return Some(Ok(messages));
            }
            within.is_shut().then_some(Err(ShutDown))
        });
        self.got(received.as_ref()?.as_ref().map_or(0, Vec::len));
        received
    }

    /// Says that `count` messages that were got are done with.
    ///
    /// # Errors
    /// If there were not as many.
    pub fn task_done(&self, count: u64) -> Result<(), DoneTooOften> {
        let within = self.enter();
        let (fits, is_at_rest) = (within.finish(count), within.unfinished() == 0);
        drop(within);
        if is_at_rest {
            self.call(&self.0.rest, usize::MAX);
        }
        fits.then_some(()).ok_or(DoneTooOften)
    }

    /// Waits until all messages that were put are done with; false if they were not by `until`.
    ///
    /// A message that a process took and died over is done with, unless another has said so of as many.
    pub fn join<'g, G: Ground>(&'g self, turn: &mut Turn<'g, G>, until: Option<Instant>) -> bool {
        let rested = || (self.unfinished() == 0).then_some(());
        turn.wait(&self.0.rest, until, |_, _| rested()).is_some()
    }

    /// Lets nothing be put any more. What is in it can still be got, unless it is shut down `immediate`ly: then it is
    /// thrown away.
    pub fn shut_down(&self, immediate: bool) {
        self.0.shut_down(self.0.hall(), self.0.entry(), immediate);
    }

    fn enter(&self) -> Within<'_> {
        self.0.enter(self.0.hall(), self.0.entry())
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("name", &self.0.name())
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
