//! Whole messages in a stream of bytes.

use super::Stream;
use super::ahead::Found;
use super::outgoing::Ticket;
use super::readiness::Interest;
use super::stream::{Gathering, too_long};
use super::waiting::{Awaited, Operation, Waiting};
use crate::error::{Error, Kind, Result};
use crate::share::Wait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, ErrorKind};
use std::time::Instant;

/// The length of a message stands before it, in four bytes, the highest first.
const HEAD: usize = 4;

/// Messages: each is received as it was sent, whole, whatever the stream. On the wire a message is its length, in four
/// bytes with the highest first, and its bytes.
impl Stream {
    /// Sends a message. Any threads may do so at once.
    ///
    /// # Errors
    /// `ConnectionLost`; `Timeout`: the message may still go out, whole, before whatever is sent next. `ConfigInvalid` if
    /// it has 4 GiB or more.
    pub fn send(&self, message: &[u8], until: Option<Instant>) -> Result<()> {
        Waiting::new(Sending::new(self, message)).by(until)
    }

    /// [`send`](Self::send), as a value to wait for.
    pub fn sending<'a>(&'a self, message: &'a [u8]) -> impl Wait<Given = ()> + use<'a> {
        Waiting::new(Sending::new(self, message))
    }

    /// Receives a message of at most `limit` bytes; `None` is the end. Each of several threads that receive at once gets
    /// whole messages.
    ///
    /// # Errors
    /// `ResourceExhausted` if it is longer; it stays in the stream. `ConnectionLost` if the stream ends within a message;
    /// `Timeout`.
    pub fn recv(&self, limit: usize, until: Option<Instant>) -> Result<Option<Vec<u8>>> {
        Waiting::new(Gathering::new(self, find(limit), "receive from", |message| message)).by(until)
    }

    /// [`recv`](Self::recv), as a value to wait for.
    pub fn receiving(&self, limit: usize) -> impl Wait<Given = Option<Vec<u8>>> + use<'_> {
        Waiting::new(Gathering::new(self, find(limit), "receive from", |message| message))
    }

    /// Sends a value, encoded by [postcard](https://postcard.jamesmunns.com).
    ///
    /// # Errors
    /// As [`send`](Self::send); `NotSerializable`.
    pub fn send_value<T: Serialize + ?Sized>(&self, value: &T, until: Option<Instant>) -> Result<()> {
        let bytes = postcard::to_stdvec(value).map_err(|error| unfit("send", &error))?;
        self.send(&bytes, until)
    }

    /// Receives a value that was sent by [`send_value`](Self::send_value) in at most `limit` bytes; `None` is the end.
    ///
    /// # Errors
    /// As [`recv`](Self::recv); `NotSerializable` if the message is no such value.
    pub fn recv_value<T: DeserializeOwned>(&self, limit: usize, until: Option<Instant>) -> Result<Option<T>> {
        let message = self.recv(limit, until)?;
        message
            .map(|bytes| postcard::from_bytes(&bytes).map_err(|error| unfit("receive", &error)))
            .transpose()
    }
}

fn unfit(operation: &'static str, error: &postcard::Error) -> Error {
    Error::new(Kind::NotSerializable, format!("cannot {operation} this value: {error}"))
        .during(operation)
        .with_help("both ends have to name the same type, and its fields have to be data")
}

struct Sending<'a> {
    stream: &'a Stream,
    message: &'a [u8],
    progress: Progress,
}

enum Progress {
    Nothing,
    /// Some of it has gone, and the rest is kept by the stream.
    Some(Ticket),
    /// All of it is with the transport.
    All,
}

impl<'a> Sending<'a> {
    fn new(stream: &'a Stream, message: &'a [u8]) -> Self {
        Self { stream, message, progress: Progress::Nothing }
    }

    fn begin(&self) -> io::Result<Progress> {
        let length = u32::try_from(self.message.len())
            .map_err(|_| io::Error::new(ErrorKind::InvalidInput, "a message has less than 4 GiB"))?;
        self.stream.check_writing()?;
        let ticket = self.stream.outgoing().begin(self.stream, &length.to_be_bytes(), self.message)?;
        Ok(ticket.map_or(Progress::All, Progress::Some))
    }
}

impl Operation for Sending<'_> {
    type Given = ();

    fn step(&mut self) -> io::Result<Option<()>> {
        if let Progress::Nothing = self.progress {
            self.progress = self.begin()?;
        }
        if let Progress::Some(ticket) = self.progress {
            self.stream.check_writing()?;
            self.stream.outgoing().end(self.stream, ticket)?;
            self.progress = Progress::All;
        }
        self.stream.try_flush().map(Some)
    }

    fn awaits(&self) -> Awaited<'_> {
        self.stream.awaited(Interest::Write)
    }

    fn told(&self, error: io::Error) -> Error {
        self.stream.told(error, "send to")
    }
}

/// Looks for a message: its length, then as many bytes.
fn find(limit: usize) -> impl FnMut(&[u8], bool) -> io::Result<Found> + Send {
    move |bytes, is_end| match bytes.split_first_chunk::<HEAD>() {
        None if is_end && bytes.is_empty() => Ok(Found::End),
        None => Ok(Found::More(Some(HEAD - bytes.len()))),
        Some((head, body)) => match u32::from_be_bytes(*head) as usize {
            length if length > limit => Err(too_long(limit)),
            length if body.len() >= length => Ok(Found::Whole(HEAD, length)),
            length => Ok(Found::More(Some(length - body.len()))),
        },
    }
}
