//! The operations that write.

use super::steps::blocking;
use super::{CUT, Stream};
use crate::error::Error;
use crate::net::readiness::Interest;
use crate::net::waiting::{Awaited, Operation};
use std::io::{self, ErrorKind, IoSlice, Write};

/// All of some slices.
pub(in crate::net) struct Writing<'a, S> {
    stream: &'a Stream,
    slices: S,
    /// The first slice that has not gone.
    first: usize,
    has_begun: bool,
    is_over: bool,
}

impl<'a, 's, S: AsMut<[IoSlice<'s>]>> Writing<'a, S> {
    pub(super) fn new(stream: &'a Stream, slices: S) -> Self {
        let mut writing = Self { stream, slices, first: 0, has_begun: false, is_over: false };
        writing.advance(0);
        writing
    }

    /// Of which some has gone already.
    pub(in crate::net) fn begun(stream: &'a Stream, slices: S, written: usize) -> Self {
        let mut writing = Self::new(stream, slices);
        writing.has_begun = true;
        writing.advance(written);
        writing
    }

    fn left(&mut self) -> &mut [IoSlice<'s>] {
        &mut self.slices.as_mut()[self.first..]
    }

    /// Goes past what has gone, and past slices that are empty.
    fn advance(&mut self, written: usize) {
        let mut left = self.left();
        let before = left.len();
        IoSlice::advance_slices(&mut left, written);
        let gone = before - left.len();
        self.first += gone;
        self.is_over = self.left().is_empty();
    }
}

impl<'s, S: AsMut<[IoSlice<'s>]> + Send> Operation for Writing<'_, S> {
    type Given = ();

    fn step(&mut self) -> io::Result<Option<()>> {
        if !self.is_over {
            let stream = self.stream;
            let written = stream.try_write(self.left())?;
            if written == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
            self.has_begun = true;
            self.advance(written);
        }
        if self.is_over { self.stream.try_flush().map(Some) } else { Ok(None) }
    }

    fn awaits(&self) -> Awaited<'_> {
        self.stream.awaited(Interest::Write)
    }

    fn told(&self, error: io::Error) -> Error {
        self.stream.told(error, "write to")
    }
}

impl<S> Drop for Writing<'_, S> {
    fn drop(&mut self) {
        if self.has_begun && !self.is_over {
            self.stream.cut_off();
        }
    }
}

impl Stream {
    /// Nobody knows how much has gone, so nothing may follow.
    pub(in crate::net) fn cut_off(&self) {
        self.leave_open(CUT);
    }
}

impl Write for &Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        blocking(self, Interest::Write, || self.try_write(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        blocking(self, Interest::Write, || self.try_flush())
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(&mut &*self, bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Write::write_vectored(&mut &*self, slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Write::flush(&mut &*self)
    }
}
