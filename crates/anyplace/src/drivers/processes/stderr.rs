//! What a worker writes on its standard error: passed on to ours, and its end kept for the error if it dies.

use rustix::fs::{OFlags, fcntl_setfl};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// So much is kept: a traceback's length.
const TAIL: usize = 4096;

#[derive(Debug)]
pub(super) struct Stderr {
    pipe: Option<OwnedFd>,
    tail: Vec<u8>,
}

impl Stderr {
    pub(super) fn new(pipe: OwnedFd) -> io::Result<Self> {
        fcntl_setfl(&pipe, OFlags::NONBLOCK)?;
        Ok(Self { pipe: Some(pipe), tail: Vec::new() })
    }

    /// What to wait on, while the worker or its children hold the other end.
    pub(super) fn pipe(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Passes on what is there; `buffer` is only a place to work. `false` when there is no more now.
    pub(super) fn pass_on(&mut self, buffer: &mut [u8]) -> bool {
        let Some(pipe) = &self.pipe else { return false };
        match rustix::io::read(pipe, &mut *buffer) {
            Ok(0) => {
                self.pipe = None;
                false
            }
            Ok(length) => {
                self.keep(&buffer[..length]);
                true
            }
            Err(_) => false,
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        // If ours is closed, nobody wants to read it.
        drop(io::stderr().write_all(bytes));
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
        let spare = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..spare);
    }

    /// The last lines.
    pub(super) fn tail(&self) -> String {
        String::from_utf8_lossy(&self.tail).trim_end().to_owned()
    }
}
