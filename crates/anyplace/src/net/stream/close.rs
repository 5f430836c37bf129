//! The operations that end a stream in order.

use super::{CLOSED, Stream};
use crate::error::Error;
use crate::net::readiness::Interest;
use crate::net::waiting::{Awaited, Operation};
use std::io::{self, ErrorKind};

/// The end of our direction.
pub(super) struct Finishing<'a>(pub(super) &'a Stream);

impl Operation for Finishing<'_> {
    type Given = ();

    fn step(&mut self) -> io::Result<Option<()>> {
        self.0.check_writing()?;
        self.0.try_finish().map(Some)
    }

    fn awaits(&self) -> Awaited<'_> {
        self.0.awaited(Interest::Write)
    }

    fn told(&self, error: io::Error) -> Error {
        self.0.told(error, "finish")
    }
}

/// The end of both directions: ours, then theirs.
pub(super) struct Closing<'a> {
    stream: &'a Stream,
    is_finished: bool,
}

impl<'a> Closing<'a> {
    pub(super) fn new(stream: &'a Stream) -> Self {
        stream.leave_open(CLOSED);
        Self { stream, is_finished: false }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// Does what can be done now. At most so much is thrown away: who sends more is cut off.
    pub(super) fn hurry(&mut self) {
        for _ in 0..64 {
            if !matches!(self.step(), Ok(None)) {
                break;
            }
        }
    }

    /// Throws away some of what the other side sends; true at the end, however it came.
    fn hear_out(&self) -> io::Result<bool> {
        let mut scratch = [0; 4096];
        match self.stream.0.transport.try_read(&mut scratch) {
            Ok(read) => Ok(read == 0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Err(error),
            Err(_) => Ok(true),
        }
    }
}

impl Operation for Closing<'_> {
    type Given = ();

    fn step(&mut self) -> io::Result<Option<()>> {
        if !self.is_finished {
            match self.stream.try_finish() {
                // The other end is gone, so there is nothing left to say to it.
                Err(error) if error.kind() == ErrorKind::NotConnected => {}
                finished => finished?,
            }
            self.is_finished = true;
        }
        Ok(self.hear_out()?.then_some(()))
    }

    fn awaits(&self) -> Awaited<'_> {
        self.stream.awaited(if self.is_finished { Interest::Read } else { Interest::Write })
    }

    fn told(&self, error: io::Error) -> Error {
        self.stream.told(error, "close")
    }
}

impl Drop for Closing<'_> {
    /// Wakes whoever still reads.
    fn drop(&mut self) {
        self.stream.0.transport.end_reading();
    }
}

impl Stream {
    fn try_finish(&self) -> io::Result<()> {
        self.0.outgoing.go_on(self)?;
        self.0.transport.try_flush()?;
        self.0.transport.try_finish()
    }
}
