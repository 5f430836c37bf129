//! Accepts senders, and lets in who may.
//!
//! As at the door of an offered place, accepting takes no thread, and whoever is accepted has a thread and five seconds to
//! say who they are. Those who were let in wait in a line until somebody receives from them.

use super::Arrival;
use crate::error::Result;
use crate::keys::{Keys, Scope, admit};
use crate::net::reactor::{self, Registration, Source};
use crate::net::{Listener, Stream};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// So long may it take to say who one is.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// So many may be at it at once; others wait in the kernel's line.
const PENDING: usize = 256;

pub(super) struct Door {
    keys: Keys,
    listening: Mutex<Option<(Listener, Registration)>>,
    pending: AtomicUsize,
    /// Nobody is accepted before the next tick, since there was no room.
    is_resting: AtomicBool,
    line: Mutex<Line>,
    changed: Condvar,
}

#[derive(Default)]
struct Line {
    arrivals: VecDeque<Arrival>,
    is_closed: bool,
}

impl Door {
    pub(super) fn open(listener: Listener, keys: Keys) -> Result<Arc<Self>> {
        let door = Arc::new(Self {
            keys,
            listening: Mutex::default(),
            pending: AtomicUsize::new(0),
            is_resting: AtomicBool::new(false),
            line: Mutex::default(),
            changed: Condvar::new(),
        });
        let registration = reactor::register(listener.fd(), door.clone())?;
        registration.want(true, false);
        *door.listening.lock().unwrap_or_else(PoisonError::into_inner) = Some((listener, registration));
        Ok(door)
    }

    /// Whoever is next in the line.
    pub(super) fn next(&self) -> Option<Arrival> {
        let mut line = self.line();
        loop {
            if let Some(arrival) = line.arrivals.pop_front() {
                return Some(arrival);
            }
            if line.is_closed {
                return None;
            }
            line = self.changed.wait(line).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets nobody in any more. Whoever stands in the line is told by the end of the stream.
    pub(super) fn close(&self) {
        let listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(listening);
        let mut line = self.line();
        line.is_closed = true;
        let left = std::mem::take(&mut line.arrivals);
        drop(line);
        drop(left);
        self.changed.notify_all();
    }

    /// Accepts all who wait, as long as there is room.
    fn accept(self: &Arc<Self>) {
        let listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((listener, registration)) = &*listening else { return };
        while self.pending.load(Ordering::Acquire) < PENDING {
            match listener.try_accept() {
                Ok(stream) => self.receive(stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return registration.want(true, false),
                // No descriptor is left: whoever waits can wait for one, and we do not turn in circles meanwhile.
                Err(_) => break,
            }
        }
        self.is_resting.store(true, Ordering::Release);
    }

    fn receive(self: &Arc<Self>, stream: Stream) {
        self.pending.fetch_add(1, Ordering::AcqRel);
        let door = self.clone();
        let handshake = move || {
            // Who may not come in has been told as much as they may know.
            if let Some(arrival) = door.let_in(stream) {
                door.line_up(arrival);
            }
            door.pending.fetch_sub(1, Ordering::AcqRel);
        };
        if thread::Builder::new().name("anyplace-door".to_owned()).spawn(handshake).is_err() {
            self.pending.fetch_sub(1, Ordering::AcqRel);
        }
    }

    fn let_in(&self, stream: Stream) -> Option<Arrival> {
        let admitted = admit(stream, &self.keys, Instant::now() + HANDSHAKE).ok()?;
        if !admitted.scope.allows(Scope::FILES) {
            admitted.stream.abort();
            return None;
        }
        Some(Arrival { stream: admitted.stream, key: admitted.key })
    }

    fn line_up(&self, arrival: Arrival) {
        let mut line = self.line();
        if !line.is_closed {
            line.arrivals.push_back(arrival);
            self.changed.notify_one();
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        // No code of others runs under this lock, so a poisoned one is still whole.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Door {
    fn ready(self: Arc<Self>, _: bool, _: bool) {
        self.accept();
    }

    fn tick(self: Arc<Self>, _: Instant) {
        if self.is_resting.swap(false, Ordering::AcqRel) {
            self.accept();
        }
    }
}
