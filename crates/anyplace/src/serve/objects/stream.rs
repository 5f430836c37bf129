//! Values that an object makes one by one, as the caller takes them.

use super::object::Verb;
use super::pending::Pending;
use super::proxy::Proxy;
use super::replies::Replied;
use super::typed;
use crate::error::{Error, Kind, Result};
use crate::outcome::{Item, Items, Outcome, Value};
use crate::wire::beside::Apart;
use crate::wire::reply;
use crate::work::Payload;
use std::fmt;
use std::task::{Context, Poll};
use std::time::Instant;

/// How many values may be ahead of those taken: the object makes no more until there is room.
const ROOM: u32 = 1024;

/// Values that an object makes one by one. It rests while nobody takes them, but for those that are on their way.
pub struct Values {
    stream: Proxy,
    ahead: Option<Pending>,
    items: Items,
    /// The object may make more.
    more: bool,
}

/// What came of looking for the next value.
#[derive(Debug)]
pub enum Taken {
    /// It is this.
    Value(Payload),
    /// There is none any more.
    End,
    /// It has not come in time.
    NotYet,
}

impl Values {
    pub(super) fn new(stream: Proxy) -> Self {
        Self { stream, ahead: None, items: Items::default(), more: true }
    }

    /// The next value, waiting for it until `until`.
    ///
    /// # Errors
    /// What the object failed with; that is its end, too.
    pub fn next_until(&mut self, until: Option<Instant>) -> Result<Taken> {
        self.take(|ahead| ahead.wait_until(until))
    }

    /// The next value, for who awaits it: nothing at the end.
    pub fn poll_next(&mut self, context: &Context<'_>) -> Poll<Option<Result<Payload>>> {
        let taken = self.take(|ahead| match ahead.poll(context) {
            Poll::Ready(replied) => Some(replied),
            Poll::Pending => None,
        });
        match taken {
            Ok(Taken::Value(value)) => Poll::Ready(Some(Ok(value))),
            Ok(Taken::End) => Poll::Ready(None),
            Ok(Taken::NotYet) => Poll::Pending,
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }

    fn take(&mut self, look: impl Fn(&Pending) -> Option<Result<Replied>>) -> Result<Taken> {
        loop {
            match self.items.advance() {
                Some(Item::Returned(value)) => return Ok(Taken::Value(value.to_owned())),
                Some(Item::Failed(error) | Item::Cancelled(error) | Item::Lost(error)) => return Err(error),
                None if !self.more => return Ok(Taken::End),
                None => {}
            }
            if !self.refill(&look)? {
                return Ok(Taken::NotYet);
            }
        }
    }

    /// Takes what has come; false if nothing has.
    fn refill(&mut self, look: impl Fn(&Pending) -> Option<Result<Replied>>) -> Result<bool> {
        let ahead = match self.ahead.take() {
            Some(ahead) => ahead,
            None => self.ask()?,
        };
        let Some(replied) = look(&ahead) else {
            self.ahead = Some(ahead);
            return Ok(false);
        };
        self.more = false;
        let value = replied?.value;
        self.more = value.bytes.first() == Some(&1);
        self.items = value.buffers.first().map_or_else(|| Err(unreadable()), |rows| read(rows))?;
        if self.more {
            self.ahead = Some(self.ask()?);
        }
        Ok(true)
    }

    fn ask(&self) -> Result<Pending> {
        self.stream.begin(Verb::Next, "next", typed::encode(&ROOM)?.as_ref(), None)
    }
}

fn read(rows: &[u8]) -> Result<Items> {
    match reply::read(rows, &Apart) {
        Ok(Outcome::Returned(Value::Items(items))) => Ok(items),
        _ => Err(unreadable()),
    }
}

fn unreadable() -> Error {
    Error::new(Kind::Unexpected, "these bytes are no values of a stream")
}

impl Iterator for Values {
    type Item = Result<Payload>;

    fn next(&mut self) -> Option<Result<Payload>> {
        loop {
            match self.next_until(None) {
                Ok(Taken::Value(value)) => return Some(Ok(value)),
                Ok(Taken::End) => return None,
                Ok(Taken::NotYet) => {}
                Err(error) => {
                    self.more = false;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Values({:?}, more: {})", self.items, self.more)
    }
}
