//! The operations that read.

use super::Stream;
use super::steps::blocking;
use crate::error::Error;
use crate::net::ahead::{Ahead, Found};
use crate::net::readiness::Interest;
use crate::net::waiting::{Awaited, Operation};
use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// The end came before all was read that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Incomplete {
    /// How many bytes came.
    pub read: usize,
    /// How many were asked for.
    pub wanted: usize,
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it ended after {} of {} bytes", self.read, self.wanted)
    }
}

impl std::error::Error for Incomplete {}

/// Whatever is there.
pub(super) struct ReadingSome<'a> {
    stream: &'a Stream,
    into: &'a mut [u8],
}

impl<'a> ReadingSome<'a> {
    pub(super) fn new(stream: &'a Stream, into: &'a mut [u8]) -> Self {
        Self { stream, into }
    }
}

impl Operation for ReadingSome<'_> {
    type Given = usize;

    fn step(&mut self) -> io::Result<Option<usize>> {
        self.stream.try_read(self.into).map(Some)
    }

    fn awaits(&self) -> Awaited<'_> {
        self.stream.awaited(Interest::Read)
    }

    fn told(&self, error: io::Error) -> Error {
        self.stream.told(error, "read from")
    }
}

/// As much as there is room for.
pub(super) struct ReadingExact<'a> {
    stream: &'a Stream,
    into: &'a mut [u8],
    filled: usize,
    /// Whether what came is the caller's.
    is_over: bool,
}

impl<'a> ReadingExact<'a> {
    pub(super) fn new(stream: &'a Stream, into: &'a mut [u8]) -> Self {
        Self { stream, into, filled: 0, is_over: false }
    }

    fn incomplete(&self) -> Incomplete {
        Incomplete { read: self.filled, wanted: self.into.len() }
    }
}

impl Operation for ReadingExact<'_> {
    type Given = ();

    fn step(&mut self) -> io::Result<Option<()>> {
        if self.filled < self.into.len() {
            let read = self.stream.try_read(&mut self.into[self.filled..])?;
            if read == 0 {
                self.is_over = true;
                return Err(io::Error::new(ErrorKind::UnexpectedEof, self.incomplete()));
            }
            self.filled += read;
        }
        self.is_over = self.filled == self.into.len();
        Ok(self.is_over.then_some(()))
    }

    fn awaits(&self) -> Awaited<'_> {
        self.stream.awaited(Interest::Read)
    }

    fn told(&self, error: io::Error) -> Error {
        let is_end = error.kind() == ErrorKind::UnexpectedEof;
        let error = self.stream.told(error, "read from");
        if is_end { error.with_source(self.incomplete()) } else { error }
    }
}

impl Drop for ReadingExact<'_> {
    /// Given up: what came is read next.
    fn drop(&mut self) {
        if !self.is_over && self.filled > 0 {
            self.stream.ahead(|ahead| ahead.put_back(&self.into[..self.filled]));
        }
    }
}

/// Up to something that the bytes themselves say.
pub(in crate::net) struct Gathering<'a, F, G> {
    stream: &'a Stream,
    /// Looks at what is there, and whether that is all.
    find: F,
    operation: &'static str,
    give: fn(Option<Vec<u8>>) -> G,
}

impl<'a, F, G> Gathering<'a, F, G>
where
    F: FnMut(&[u8], bool) -> io::Result<Found> + Send,
{
    pub(in crate::net) fn new(
        stream: &'a Stream,
        find: F,
        operation: &'static str,
        give: fn(Option<Vec<u8>>) -> G,
    ) -> Self {
        stream.0.gathering.fetch_add(1, Ordering::SeqCst);
        Self { stream, find, operation, give }
    }
}

/// Looks for a delimiter, or for the end.
pub(super) fn up_to(delimiter: &[u8], limit: usize) -> impl FnMut(&[u8], bool) -> io::Result<Found> + Send {
    let mut seen = 0;
    move |bytes, is_end| {
        // What was seen before is not looked at again, but for a delimiter that has begun.
        let start = seen.min(bytes.len()).saturating_sub(delimiter.len().saturating_sub(1));
        seen = bytes.len();
        match position(&bytes[start..], delimiter).map(|at| start + at + delimiter.len()) {
            Some(end) if end <= limit => Ok(Found::Whole(0, end)),
            None if is_end && bytes.len() <= limit => Ok(Found::Whole(0, bytes.len())),
            None if !is_end && bytes.len() < limit => Ok(Found::More(None)),
            _ => Err(too_long(limit)),
        }
    }
}

fn position(bytes: &[u8], delimiter: &[u8]) -> Option<usize> {
    match delimiter {
        [byte] => bytes.iter().position(|found| found == byte),
        // An empty delimiter is everywhere.
        [] => Some(0),
        _ => bytes.windows(delimiter.len()).position(|window| window == delimiter),
    }
}

/// Looks for the end.
pub(super) fn to_end(limit: usize) -> impl FnMut(&[u8], bool) -> io::Result<Found> + Send {
    move |bytes, is_end| match is_end {
        _ if bytes.len() > limit => Err(too_long(limit)),
        true => Ok(Found::Whole(0, bytes.len())),
        false => Ok(Found::More(None)),
    }
}

/// More came than was allowed.
pub(in crate::net) fn too_long(limit: usize) -> io::Error {
    io::Error::new(ErrorKind::QuotaExceeded, format!("it is longer than {limit} bytes"))
}

impl<F, G> Operation for Gathering<'_, F, G>
where
    F: FnMut(&[u8], bool) -> io::Result<Found> + Send,
{
    type Given = G;

    fn step(&mut self) -> io::Result<Option<G>> {
        self.stream.check_reading()?;
        let found = self.stream.ahead(|ahead| {
            // Under the lock: whoever has looked before us was counted by then.
            let is_alone = self.stream.0.gathering.load(Ordering::SeqCst) == 1;
            let needed = match (self.find)(ahead.bytes(), false)? {
                Found::More(needed) => needed,
                found => return Ok(Some(taken(ahead, &found))),
            };
            // Who waits for another message would not see it here, so then not a byte too much is read.
            let most = needed.filter(|needed| !is_alone || *needed > ahead.bytes().len());
            match ahead.fill(most, |into| self.stream.try_read_past(into))? {
                0 => match (self.find)(ahead.bytes(), true)? {
                    Found::More(_) => Err(io::Error::from(ErrorKind::UnexpectedEof)),
                    found => Ok(Some(taken(ahead, &found))),
                },
                _ => Ok(None),
            }
        })?;
        Ok(found.map(self.give))
    }

    fn awaits(&self) -> Awaited<'_> {
        self.stream.awaited(Interest::Read)
    }

    fn told(&self, error: io::Error) -> Error {
        self.stream.told(error, self.operation)
    }
}

fn taken(ahead: &mut Ahead, found: &Found) -> Option<Vec<u8>> {
    let &Found::Whole(skip, take) = found else { return None };
    ahead.skip(skip);
    Some(ahead.take(take))
}

impl<F, G> Drop for Gathering<'_, F, G> {
    fn drop(&mut self) {
        self.stream.0.gathering.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Stream {
    /// Reads what was read ahead, if anything was.
    #[inline]
    pub(in crate::net) fn read_ahead(&self, into: &mut [u8]) -> usize {
        let is_ahead = self.0.is_ahead.load(Ordering::Acquire);
        if is_ahead { self.ahead(|ahead| ahead.copy_to(into)) } else { 0 }
    }

    /// Does something with the bytes that were read ahead.
    pub(super) fn ahead<R>(&self, work: impl FnOnce(&mut Ahead) -> R) -> R {
        let mut ahead = self.0.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let result = work(&mut ahead);
        self.0.is_ahead.store(!ahead.bytes().is_empty(), Ordering::Release);
        result
    }
}

impl Stream {
    /// Gives bytes back that were read: they are read next.
    pub(in crate::net) fn put_back(&self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.ahead(|ahead| ahead.put_back(bytes));
        }
    }
}

impl Read for &Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        blocking(self, Interest::Read, || self.try_read(into))
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Read::read(&mut &*self, into)
    }
}
