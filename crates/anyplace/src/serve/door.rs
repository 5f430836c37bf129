//! A door: accepts whoever comes, and has them let in who may.
//!
//! Accepting takes no thread: the reactor calls. Whoever is accepted has a thread and five seconds to say who they are, so
//! the slow and the silent hold up nobody; so many may be at it at once, and others wait in the kernel's line.

use crate::context::caught;
use crate::error::Result;
use crate::net::reactor::{self, Registration, Source};
use crate::net::{Listener, Stream};
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// So long may it take to say who one is.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// So many may be at it at once.
const PENDING: usize = 256;

/// Whoever stands behind a door.
pub(super) trait Keeper: Send + Sync {
    /// Lets somebody in, or not, by `until`. On a thread of its own. Who may not come in is told as much as they may know.
    fn let_in(&self, stream: Stream, until: Instant);

    /// About a second is over since the last time. On the reactor's thread.
    fn tick(self: Arc<Self>, now: Instant, door: &Arc<Door>);
}

pub(super) struct Door {
    keeper: Arc<dyn Keeper>,
    listening: Mutex<Option<(Listener, Registration)>>,
    pending: AtomicUsize,
    /// Nobody is accepted before the next tick, since there was no room.
    is_resting: AtomicBool,
}

impl Door {
    pub(super) fn open(listener: Listener, keeper: Arc<dyn Keeper>) -> Result<Arc<Self>> {
        let door = Arc::new(Self {
            keeper,
            listening: Mutex::default(),
            pending: AtomicUsize::new(0),
            is_resting: AtomicBool::new(false),
        });
        let registration = reactor::register(listener.fd(), door.clone())?;
        registration.want(true, false);
        *door.listening.lock().unwrap_or_else(PoisonError::into_inner) = Some((listener, registration));
        Ok(door)
    }

    /// Lets nobody in any more.
    pub(super) fn close(&self) {
        let listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(listening);
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
            caught(|| door.keeper.let_in(stream, Instant::now() + HANDSHAKE));
            door.pending.fetch_sub(1, Ordering::AcqRel);
        };
        if thread::Builder::new().name("anyplace-door".to_owned()).spawn(handshake).is_err() {
            self.pending.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Source for Door {
    fn ready(self: Arc<Self>, _: bool, _: bool) {
        self.accept();
    }

    fn tick(self: Arc<Self>, now: Instant) {
        self.keeper.clone().tick(now, &self);
        if self.is_resting.swap(false, Ordering::AcqRel) {
            self.accept();
        }
    }
}
