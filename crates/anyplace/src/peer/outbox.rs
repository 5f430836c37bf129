//! What is said to a peer, on its way: see README.md for the states.

use crate::net::Stream;
use crate::wire::Frame;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) struct Outbox {
    queue: Mutex<Queue>,
    /// So much may wait at most.
    most: usize,
}

#[derive(Default)]
struct Queue {
    state: State,
    /// What the kernel had no room for, and how much of that is written.
    rest: (Vec<u8>, usize),
    /// What comes after that, or after what is being written.
    waiting: Vec<u8>,
}

impl Queue {
    /// How many bytes wait.
    fn length(&self) -> usize {
        let (rest, sent) = &self.rest;
        rest.len() - sent + self.waiting.len()
    }
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

/// Who has not taken so much of what it was told gets no more for the asking.
const FULL: usize = 4 << 20;

impl Outbox {
    /// One in which so many bytes may wait.
    pub(super) fn limited(most: usize) -> Self {
        Self { queue: Mutex::default(), most }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether all is written that was to be.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().state == State::Idle
    }

    /// Whether the kernel has no room, and the reactor is to call when it has.
    pub(super) fn is_blocked(&self) -> bool {
        self.lock().state == State::Blocked
    }

    /// Whether it is [blocked](Self::is_blocked), and holds so much that nobody should ask for more.
    pub(super) fn is_full(&self) -> bool {
        let queue = self.lock();
        queue.state == State::Blocked && queue.length() > FULL
    }

    /// Sends a frame, or leaves it to whoever writes now. True if the kernel had no room: then
    /// [`go_on`](Self::go_on) has to be called when there is some.
    pub(super) fn send(&self, stream: &Stream, mut frame: Frame<'_>) -> io::Result<bool> {
        let mut queue = self.lock();
        if queue.state != State::Idle {
            if queue.length() > self.most {
                return Err(io::Error::other(
                    "it takes nothing of what it is told, and too much waits for it",
                ));
            }
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
                    queue.rest = (Vec::new(), 0);
                    frame.append_to(&mut queue.rest.0);
                    queue.state = State::Blocked;
                    return Ok(true);
                }
                Err(error) => return Err(error),
            }
        }
        self.write_waiting(stream)?;
        Ok(self.is_blocked())
    }

    /// Goes on with what the kernel had no room for. True if it has taken some of it.
    pub(super) fn go_on(&self, stream: &Stream) -> io::Result<bool> {
        let mut queue = self.lock();
        if queue.state != State::Blocked {
            return Ok(false);
        }
        queue.state = State::Writing;
        drop(queue);
        self.write_waiting(stream)
    }

    /// Writes what waits, until nothing does or the kernel has no room. The caller is who writes. True if something was written.
    fn write_waiting(&self, stream: &Stream) -> io::Result<bool> {
        let mut has_written = false;
        loop {
            let mut queue = self.lock();
            let (bytes, sent) = match std::mem::take(&mut queue.rest) {
                (rest, sent) if sent < rest.len() => (rest, sent),
                _ => (std::mem::take(&mut queue.waiting), 0),
            };
            if bytes.is_empty() {
                match stream.try_flush() {
                    Ok(()) => queue.state = State::Idle,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => queue.state = State::Blocked,
                    Err(error) => return Err(error),
                }
                return Ok(has_written);
            }
            drop(queue);
            let written = write(stream, &bytes[sent..])?;
            has_written |= written > 0;
            let mut queue = self.lock();
            if sent + written < bytes.len() {
                queue.rest = (bytes, sent + written);
                queue.state = State::Blocked;
                return Ok(has_written);
            }
            // Its memory serves again, if there is not too much of it.
            if queue.waiting.capacity() == 0 && bytes.capacity() <= KEPT {
                queue.waiting = bytes;
                queue.waiting.clear();
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
