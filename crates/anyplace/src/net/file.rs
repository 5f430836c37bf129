//! Files that go out of a stream, and come in.

use super::Stream;
use super::readiness::Interest;
use super::transport::again;
use super::waiting::{Awaited, Operation, Waiting};
use crate::error::{Error, Result};
use crate::share::Wait;
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::time::Instant;

/// How much is copied at once, where the kernel does not do it.
const BLOCK: usize = 256 << 10;
/// How much the kernel is asked to do at once, so that a deadline is looked at now and then.
const STEP: u64 = 4 << 20;

/// Parts of files. The file's own position is neither used nor moved, so several threads may send parts of one file.
impl Stream {
    /// Sends `count` bytes of a file from `offset` on: how many there were, fewer only if the file ends before. A socket is
    /// given them by the kernel (`sendfile`); through TLS and pipes they are copied.
    ///
    /// # Errors
    /// As [`write`](Self::write), and those of reading the file.
    pub fn send_file(&self, file: &File, offset: u64, count: u64, until: Option<Instant>) -> Result<u64> {
        Waiting::new(Sending::new(self, file, offset, count)).by(until)
    }

    /// [`send_file`](Self::send_file), as a value to wait for.
    pub fn sending_file<'a>(
        &'a self,
        file: &'a File,
        offset: u64,
        count: u64,
    ) -> impl Wait<Given = u64> + use<'a> {
        Waiting::new(Sending::new(self, file, offset, count))
    }

    /// Receives `count` bytes into a file, from `offset` on: how many came, fewer only if the stream ends before.
    ///
    /// # Errors
    /// As [`read`](Self::read), and those of writing the file. What came by then is in the file.
    pub fn recv_file(&self, file: &File, offset: u64, count: u64, until: Option<Instant>) -> Result<u64> {
        Waiting::new(Receiving::new(self, file, offset, count)).by(until)
    }

    /// [`recv_file`](Self::recv_file), as a value to wait for.
    pub fn receiving_file<'a>(
        &'a self,
        file: &'a File,
        offset: u64,
        count: u64,
    ) -> impl Wait<Given = u64> + use<'a> {
        Waiting::new(Receiving::new(self, file, offset, count))
    }
}

struct Sending<'a> {
    stream: &'a Stream,
    file: &'a File,
    /// By which the kernel sends by itself.
    socket: Option<BorrowedFd<'a>>,
    offset: u64,
    sent: u64,
    count: u64,
    /// Where bytes are that the kernel does not send by itself.
    block: Vec<u8>,
    is_over: bool,
}

impl<'a> Sending<'a> {
    fn new(stream: &'a Stream, file: &'a File, offset: u64, count: u64) -> Self {
        let socket = stream.socket();
        Self { stream, file, socket, offset, sent: 0, count, block: vec![], is_over: false }
    }

    fn send(&mut self) -> io::Result<u64> {
        let Some(socket) = self.socket else { return self.copy() };
        self.stream.check_writing()?;
        self.stream.outgoing().go_on(self.stream)?;
        let count = (self.count - self.sent).min(STEP) as usize;
        let mut offset = self.offset + self.sent;
        match again(|| rustix::fs::sendfile(socket, self.file.as_fd(), Some(&mut offset), count)) {
            // Not every file system can.
            Err(error) if is_incapable(&error) => {
                self.socket = None;
                self.copy()
            }
            sent => sent.map(|sent| sent as u64),
        }
    }

    /// A block is read again for what of it has not gone, which is seldom much.
    fn copy(&mut self) -> io::Result<u64> {
        let count = (self.count - self.sent).min(BLOCK as u64) as usize;
        self.block.resize(count, 0);
        let read = self.file.read_at(&mut self.block, self.offset + self.sent)?;
        match &self.block[..read] {
            [] => Ok(0),
            block => self.stream.try_write(&[IoSlice::new(block)]).map(|sent| sent as u64),
        }
    }
}

fn is_incapable(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(errno, Some(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP))
}

impl Operation for Sending<'_> {
    type Given = u64;

    fn step(&mut self) -> io::Result<Option<u64>> {
        if !self.is_over {
            let sent = if self.sent < self.count { self.send()? } else { 0 };
            self.sent += sent;
            self.is_over = sent == 0;
        }
        if self.is_over { self.stream.try_flush().map(|()| Some(self.sent)) } else { Ok(None) }
    }

    fn awaits(&self) -> Awaited<'_> {
        self.stream.awaited(Interest::Write)
    }

    fn told(&self, error: io::Error) -> Error {
        self.stream.told(error, "send a file to")
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        if self.sent > 0 && self.sent < self.count && !self.is_over {
            self.stream.cut_off();
        }
    }
}

struct Receiving<'a> {
    stream: &'a Stream,
    file: &'a File,
    offset: u64,
    received: u64,
    count: u64,
    block: Vec<u8>,
}

impl<'a> Receiving<'a> {
    fn new(stream: &'a Stream, file: &'a File, offset: u64, count: u64) -> Self {
        Self { stream, file, offset, received: 0, count, block: vec![] }
    }
}

impl Operation for Receiving<'_> {
    type Given = u64;

    fn step(&mut self) -> io::Result<Option<u64>> {
        let left = self.count - self.received;
        if left == 0 {
            return Ok(Some(self.received));
        }
        self.block.resize(left.min(BLOCK as u64) as usize, 0);
        match self.stream.try_read(&mut self.block)? {
            0 => Ok(Some(self.received)),
            read => {
                let at = self.offset + self.received;
                self.received += read as u64;
                // A disk that is slow or full is none of the stream's affairs.
                self.file.write_all_at(&self.block[..read], at).map_err(|error| match error.kind() {
                    ErrorKind::WouldBlock => io::Error::other(error),
                    _ => error,
                })?;
                Ok(None)
            }
        }
    }

    fn awaits(&self) -> Awaited<'_> {
        self.stream.awaited(Interest::Read)
    }

    fn told(&self, error: io::Error) -> Error {
        self.stream.told(error, "receive a file from")
    }
}
