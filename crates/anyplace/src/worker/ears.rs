//! Where a worker's messages come in.

use crate::handover;
use crate::wire::{Inbox, ToWorker};
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

/// Where messages come in.
#[derive(Debug)]
pub(super) struct Ears {
    socket: UnixStream,
    inbox: Inbox,
    descriptors: Vec<OwnedFd>,
    buffer: Box<[u8]>,
}

impl Ears {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self { socket, inbox: Inbox::default(), descriptors: Vec::new(), buffer: vec![0; 64 * 1024].into() }
    }

    /// Waits until there is a message, or until none can come any more.
    pub(super) fn wait(&mut self) {
        while !self.inbox.is_ready() {
            match handover::receive(&self.socket, &mut self.buffer, &mut self.descriptors) {
                Ok(0) => return,
                Ok(length) => self.inbox.feed(&self.buffer[..length]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    /// The message that was waited for; nothing when the place is gone, or says what no place says.
    pub(super) fn next(&mut self) -> Option<ToWorker<'_>> {
        let (kind, body) = self.inbox.next().ok()??;
        ToWorker::read(kind, body).ok()
    }

    /// The descriptors that have come so far.
    pub(super) fn take_descriptors(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.descriptors)
    }
}
