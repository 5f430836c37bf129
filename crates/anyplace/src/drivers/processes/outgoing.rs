//! What a worker is sent before it is ready, and the descriptors that go along with it.

use crate::handover;
use crate::wire::Frame;
use std::io::{ErrorKind, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// Bytes on their way to a worker, in order. Sending never waits.
#[derive(Debug)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
    /// They go with the first byte.
    along: Vec<Arc<OwnedFd>>,
}

impl Outgoing {
    pub(super) fn new(first: Frame<'_>, along: Vec<Arc<OwnedFd>>) -> Self {
        Self { bytes: first.to_vec(), sent: 0, along }
    }

    pub(super) fn push(&mut self, frame: Frame<'_>) {
        self.bytes.extend(frame.to_vec());
    }

    pub(super) fn is_sent(&self) -> bool {
        self.sent == self.bytes.len()
    }

    /// Sends as much as goes without waiting. A worker that does not read any more will be found dead.
    pub(super) fn send(&mut self, socket: &UnixStream) {
        while !self.is_sent() {
            let along: Vec<BorrowedFd<'_>> = self.along.iter().map(|descriptor| descriptor.as_fd()).collect();
            match handover::send(socket, &[IoSlice::new(&self.bytes[self.sent..])], &along) {
                Ok(length) => {
                    self.sent += length;
                    self.along.clear();
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.sent = self.bytes.len(),
            }
        }
    }
}
