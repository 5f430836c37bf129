//! What is said to a peer, on its way: see README.md for the states.

use crate::net::Stream;
use crate::wire::Frame;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Default)]
pub(super) struct Outbox(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    state: State,
    /// What comes after that which is being written.
    waiting: Vec<u8>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    Writing,
    Blocked,
}

/// An empty outbox keeps no more memory than this.
const KEPT: usize = 1 << 16;

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether all is written that was to be.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().state == State::Idle
    }

    /// Whether the kernel has no room, and the reactor is to call when it has.
    pub(super) fn is_blocked(&self) -> bool {
        self.lock().state == State::Blocked
    }

    /// Sends a frame, or leaves it to whoever writes now. True if the kernel had no room: then
    /// [`go_on`](Self::go_on) has to be called when there is some.
    pub(super) fn send(&self, stream: &Stream, mut frame: Frame<'_>) -> io::Result<bool> {
        let mut queue = self.lock();
        if queue.state != State::Idle {
            frame.append_to(&mut queue.waiting);
            return Ok(false);
        }
        queue.state = State::Writing;
        drop(queue);
        while !frame.is_sent() {
            match stream.try_write(&frame.slices()) {
                Ok(written) => frame.advance(written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let mut queue = self.lock();
                    let behind = std::mem::take(&mut queue.waiting);
                    frame.append_to(&mut queue.waiting);
                    queue.waiting.extend_from_slice(&behind);
                    queue.state = State::Blocked;
                    return Ok(true);
                }
                Err(error) => return Err(error),
            }
        }
        self.write_waiting(stream)
    }

    /// Goes on with what the kernel had no room for. True if it again has none.
    pub(super) fn go_on(&self, stream: &Stream) -> io::Result<bool> {
        let mut queue = self.lock();
        if queue.state != State::Blocked {
            return Ok(false);
        }
        queue.state = State::Writing;
        drop(queue);
        self.write_waiting(stream)
    }

    /// Writes what waits, for as long as something does. The caller is who writes.
    fn write_waiting(&self, stream: &Stream) -> io::Result<bool> {
        loop {
            let mut queue = self.lock();
            if queue.waiting.is_empty() {
                match stream.try_flush() {
                    Ok(()) => queue.state = State::Idle,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => queue.state = State::Blocked,
                    Err(error) => return Err(error),
                }
                queue.waiting.shrink_to(KEPT);
                return Ok(queue.state == State::Blocked);
            }
            let bytes = std::mem::take(&mut queue.waiting);
            drop(queue);
            let written = write(stream, &bytes)?;
            if written < bytes.len() {
                let mut queue = self.lock();
                let behind = std::mem::replace(&mut queue.waiting, bytes[written..].to_vec());
                queue.waiting.extend_from_slice(&behind);
                queue.state = State::Blocked;
                return Ok(true);
            }
        }
    }
}

/// Writes as much as there is room for.
fn write(stream: &Stream, bytes: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while written < bytes.len() {
        match stream.try_write(&[IoSlice::new(&bytes[written..])]) {
            Ok(more) => written += more,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}
