//! The door of an offer: accepts, and lets in who may.
//!
//! Accepting takes no thread: the reactor calls. Whoever is accepted has a thread and five seconds to say who they are. So
//! many may be at it at once; when one more comes, the one who has been at it for longest has to go. So the slow and the
//! silent hold up nobody, however many they are: who has something to say says it in milliseconds.

use super::Shared;
use super::client::Client;
use crate::driver::Family;
use crate::error::{Error, Kind, Result};
use crate::keys::{Scope, admit};
use crate::net::reactor::{self, Registration, Source};
use crate::net::{Endpoint, Listener, Stream, listen};
use crate::peer::greet;
use crate::wire::peer::topic::{Offered, Wish, travelling};
use crate::wire::peer::{Greeting, NodeId};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// So long may it take to say who one is.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// So many may be at it at once.
const PENDING: usize = 256;

pub(super) struct Door {
    shared: Arc<Shared>,
    listening: Mutex<Option<(Listener, Registration)>>,
    pending: Mutex<Pending>,
    /// A thread looks at the keys of those who are in.
    is_looking: AtomicBool,
}

/// Those who say who they are.
#[derive(Default)]
struct Pending {
    /// By their numbers: the first came first.
    streams: BTreeMap<u64, Stream>,
    accepted: u64,
    /// Nobody is accepted before one of them is through, or the next tick, since there was no room.
    is_resting: bool,
}

impl Pending {
    /// Whether there is room for one more. If not, who came first makes some.
    fn has_room(&mut self) -> bool {
        if self.streams.len() < PENDING {
            return true;
        }
        self.is_resting = true;
        self.streams.values().next().into_iter().for_each(Stream::abort);
        false
    }

    fn add(&mut self, stream: &Stream) -> u64 {
        self.accepted += 1;
        self.streams.insert(self.accepted, stream.clone());
        self.accepted
    }
}

impl Door {
    /// Listens; `make` is told where.
    pub(super) fn open(
        endpoint: &Endpoint,
        make: impl FnOnce(Endpoint) -> Shared,
    ) -> Result<(Arc<Self>, Arc<Shared>)> {
        let listener = listen(endpoint.clone())?;
        let shared = Arc::new(make(listener.endpoint().clone()));
        let door = Arc::new(Self {
            shared: shared.clone(),
            listening: Mutex::default(),
            pending: Mutex::default(),
            is_looking: AtomicBool::new(false),
        });
        let registration = reactor::register(listener.fd(), door.clone())?;
        registration.want(true, false);
        *door.listening.lock().unwrap_or_else(PoisonError::into_inner) = Some((listener, registration));
        Ok((door, shared))
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
        while self.pending().has_room() {
            match listener.try_accept() {
                Ok(stream) => self.receive(stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return registration.want(true, false),
                // No descriptor is left: whoever waits can wait for one, and we do not turn in circles meanwhile.
                Err(_) => return self.pending().is_resting = true,
            }
        }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Accepts again, if nobody has since there was no room.
    fn go_on(self: &Arc<Self>) {
        let has_rested = std::mem::take(&mut self.pending().is_resting);
        if has_rested {
            self.accept();
        }
    }

    /// One of those at the door is through.
    fn leave(self: &Arc<Self>, number: u64) {
        let gone = self.pending().streams.remove(&number);
        drop(gone);
        self.go_on();
    }

    fn receive(self: &Arc<Self>, stream: Stream) {
        let number = self.pending().add(&stream);
        let door = self.clone();
        let handshake = move || {
            // Who may not come in has been told as much as they may know.
            drop(door.let_in(stream));
            door.leave(number);
        };
        if thread::Builder::new().name("anyplace-door".to_owned()).spawn(handshake).is_err() {
            // Not `leave`, which would accept: the caller does.
            let gone = self.pending().streams.remove(&number);
            drop(gone);
        }
    }

    /// Whether the keys of those who are in are still good. It is a file, perhaps of another machine, so not the reactor's
    /// thread reads it, and only one other.
    fn look_at_keys(self: &Arc<Self>) {
        if !self.shared.has_guests() || self.is_looking.swap(true, Ordering::AcqRel) {
            return;
        }
        let door = self.clone();
        let look = move || {
            door.shared.look_for_the_unwelcome();
            door.is_looking.store(false, Ordering::Release);
        };
        if thread::Builder::new().name("anyplace-keys".to_owned()).spawn(look).is_err() {
            // The next tick tries again.
            self.is_looking.store(false, Ordering::Release);
        }
    }

    fn let_in(&self, stream: Stream) -> Result<()> {
        let until = Instant::now() + HANDSHAKE;
        let admitted = admit(stream, &self.shared.keys, until)?;
        let theirs = greet(&admitted.stream, &self.greeting(admitted.scope), Some(until))?;
        let wish = Wish::read(&theirs.topic).map_err(|malformed| {
            Error::new(Kind::VersionMismatch, format!("a client wants what we do not know: {malformed}"))
        })?;
        let make = || Client::new(&self.shared, &wish, &admitted);
        let client = self.shared.client(wish.session, make)?;
        client.attach(admitted, theirs)?;
        // Who closes the offer tells those that are connected by then: this one might just have been too late.
        if self.shared.state().is_closed {
            client.close(&self.shared.closed(), until);
        }
        Ok(())
    }

    fn greeting(&self, scope: Scope) -> Greeting {
        let place = &self.shared.place;
        let families = place.families().into_iter().filter(|family| allows(scope, *family)).collect();
        let offered = Offered {
            takes: travelling(|kind| place.limits().takes(kind)),
            ..Offered::new(place.address().to_string(), place.limits(), families)
        };
        Greeting::new(place.language().to_owned(), NodeId(self.shared.node), offered.to_bytes())
    }
}

/// Whether who has this scope may use the family.
pub(super) fn allows(scope: Scope, family: Family) -> bool {
    match family {
        Family::Tasks => scope.allows(Scope::RUN),
        // What others publish may be called by all who share; making objects takes the right to run code.
        Family::Share | Family::Serve => scope.allows(Scope::SHARE),
        Family::Ranks | Family::Arrays => scope.allows(Scope::ADMIN),
    }
}

impl Source for Door {
    fn ready(self: Arc<Self>, _: bool, _: bool) {
        self.accept();
    }

    fn tick(self: Arc<Self>, now: Instant) {
        self.shared.look_for_the_gone(now);
        if self.shared.place.is_closed() {
            self.close();
            self.shared.abandon();
        }
        self.look_at_keys();
        self.go_on();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::connect;

    /// They keep their connections open for as long as they like; nobody else has to wait for that to be over.
    #[test]
    fn more_who_say_nothing_than_there_is_room_for_keep_nobody_out() {
        let offer = crate::open("threads:1").unwrap().offer("tcp://127.0.0.1:0").unwrap();
        let silent: Vec<_> =
            (0..PENDING + 44).map(|_| connect(offer.endpoint().clone(), None).unwrap()).collect();
        let began = Instant::now();
        let place = crate::open(offer.address()).unwrap();
        assert!(began.elapsed() < HANDSHAKE, "it waited until the silent had to go");
        place.close().unwrap();
        drop(silent);
    }
}
