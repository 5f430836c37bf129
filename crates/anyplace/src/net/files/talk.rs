//! One end of the conversation: messages, and the bytes of files between them.

use crate::error::{Error, Kind, Result};
use crate::net::Stream;
use crate::wire::Malformed;
use crate::wire::files::length;
use std::fs::File;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

/// How much is read ahead: messages are short, and the bytes of files are read to where they belong.
const GULP: usize = 16 << 10;

/// How much of a file is sent at once.
const STEP: u64 = 1 << 20;

/// Messages are sent together, up to so many bytes.
const TOGETHER: usize = 64 << 10;

/// How often who works for long without a word says that it is still there.
const STILL: Duration = Duration::from_secs(2);

/// The bytes of a message's length.
const HEAD: usize = 4;

/// One end of a conversation. What is said goes out when something is waited for, or when there is enough of it.
pub(super) struct Talk<'a> {
    stream: &'a Stream,
    /// How long the other end may be silent.
    patience: Duration,
    input: Vec<u8>,
    /// What of `input` was not taken yet.
    start: usize,
    end: usize,
    output: Vec<u8>,
    said: Instant,
}

impl<'a> Talk<'a> {
    pub(super) fn new(stream: &'a Stream, patience: Duration) -> Self {
        let (input, output) = (vec![0; GULP], Vec::with_capacity(TOGETHER));
        Self { stream, patience, input, start: 0, end: 0, output, said: Instant::now() }
    }

    /// Says something, soon.
    pub(super) fn say(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        write(&mut self.output);
        if self.output.len() < TOGETHER { Ok(()) } else { self.flush() }
    }

    /// Says it now.
    pub(super) fn flush(&mut self) -> Result<()> {
        if !self.output.is_empty() {
            self.said = Instant::now();
            self.stream.write(&self.output, self.until()).map_err(|error| self.gone(error))?;
            self.output.clear();
        }
        Ok(())
    }

    /// Says that we are at it, if nothing was said for a while.
    pub(super) fn still(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        if self.said.elapsed() < STILL {
            return Ok(());
        }
        write(&mut self.output);
        self.flush()
    }

    /// The next message.
    pub(super) fn next<M>(&mut self, read: fn(&[u8]) -> Result<M, Malformed>) -> Result<M> {
        self.flush()?;
        loop {
            match self.parsed(read)? {
                Some(message) => return Ok(message),
                None => self.fill()?,
            }
        }
    }

    /// The next message, if it is here already.
    pub(super) fn try_next<M>(&mut self, read: fn(&[u8]) -> Result<M, Malformed>) -> Result<Option<M>> {
        match self.stream.try_read(self.room()) {
            Ok(read) if read > 0 => self.end += read,
            // What is wrong with the stream is told by who waits for it.
            _ => {}
        }
        self.parsed(read)
    }

    /// The next bytes that are no message, as many as there are: how many.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let there = &self.input[self.start..self.end];
        if !there.is_empty() {
            let count = there.len().min(into.len());
            into[..count].copy_from_slice(&there[..count]);
            self.start += count;
            return Ok(count);
        }
        self.flush()?;
        match self.stream.read(into, self.until()).map_err(|error| self.gone(error))? {
            0 => Err(self.gone(Error::from(std::io::Error::from(ErrorKind::UnexpectedEof)))),
            read => Ok(read),
        }
    }

    /// Whether the kernel sends files by itself.
    pub(super) fn can_hand_over(&self) -> bool {
        self.stream.socket().is_some()
    }

    /// Sends `count` bytes of a file from `offset` on. If the file ends before, zeros take their place: they were announced.
    pub(super) fn send_file(
        &mut self,
        file: &File,
        offset: u64,
        count: u64,
        mut tell: impl FnMut(u64),
    ) -> Result<()> {
        self.flush()?;
        let mut sent = 0;
        while sent < count {
            // In steps: who is slow is not silent.
            let step = (count - sent).min(STEP);
            match self.stream.send_file(file, offset + sent, step, self.until()) {
                Ok(0) => break,
                Ok(more) => {
                    tell(more);
                    sent += more;
                }
                Err(error) => return Err(self.gone(error)),
            }
        }
        let zeros = vec![0; usize::try_from(count - sent).expect("a piece is short")];
        self.send(&zeros)
    }

    /// Sends bytes that are here.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        if self.output.len() + bytes.len() <= TOGETHER {
            self.output.extend_from_slice(bytes);
            return Ok(());
        }
        self.flush()?;
        self.stream.write(bytes, self.until()).map_err(|error| self.gone(error))
    }

    /// The conversation is over: what came behind it is the stream's again.
    pub(super) fn end(mut self) -> Result<()> {
        self.flush()?;
        self.stream.put_back(&self.input[self.start..self.end]);
        Ok(())
    }

    fn parsed<M>(&mut self, read: fn(&[u8]) -> Result<M, Malformed>) -> Result<Option<M>> {
        let there = &self.input[self.start..self.end];
        let Some((head, rest)) = there.split_first_chunk::<HEAD>() else { return Ok(None) };
        let length = length(*head).map_err(garbled)?;
        let Some(body) = rest.get(..length) else { return Ok(None) };
        let message = read(body).map_err(garbled)?;
        self.start += HEAD + length;
        Ok(Some(message))
    }

    /// Reads on.
    fn fill(&mut self) -> Result<()> {
        let (stream, until) = (self.stream, self.until());
        match stream.read(self.room(), until).map_err(|error| self.gone(error))? {
            0 => Err(self.gone(Error::from(std::io::Error::from(ErrorKind::UnexpectedEof)))),
            read => {
                self.end += read;
                Ok(())
            }
        }
    }

    /// Where to read to: at least one byte.
    fn room(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.input.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.input.len() {
            // A long list of groups; no message is longer than its limit.
            self.input.resize(self.input.len() * 2, 0);
        }
        &mut self.input[self.end..]
    }

    fn until(&self) -> Option<Instant> {
        Instant::now().checked_add(self.patience)
    }

    fn gone(&self, error: Error) -> Error {
        let (kind, why) = match error.kind() {
            Kind::Timeout => (Kind::Timeout, "was silent for too long"),
            _ => (Kind::ConnectionLost, "has gone away"),
        };
        Error::new(kind, format!("the other end of `{}` {why}", self.stream.endpoint()))
            .at(self.stream.endpoint())
            .with_retry(crate::error::Retry::Safe)
            .with_help("send the same again: what has arrived is not sent twice")
            .with_source(error)
    }
}

/// The other end does not keep to the protocol.
pub(super) fn garbled(malformed: Malformed) -> Error {
    Error::new(Kind::VersionMismatch, format!("the other end does not send files as we do: {malformed}"))
        .with_help("use `anyplace send` and `anyplace receive` of the same version at the two ends")
}

/// The other end says at this point what it may say at others.
pub(super) fn unexpected() -> Error {
    garbled(Malformed("what is said at this point"))
}
