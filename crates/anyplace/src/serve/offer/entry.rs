//! Who comes in to an offer, and who has to leave.

use super::Shared;
use super::client::Client;
use crate::driver::Family;
use crate::error::{Error, Kind, Result};
use crate::keys::{Scope, admit};
use crate::net::Stream;
use crate::peer::greet;
use crate::serve::door::{Door, Keeper};
use crate::wire::peer::topic::{Offered, Wish, travelling};
use crate::wire::peer::{Greeting, NodeId, bye};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

/// Keeps the door of an offer.
pub(super) struct Entry {
    shared: Arc<Shared>,
    /// A thread looks at the keys of those who are in.
    is_looking: AtomicBool,
}

impl Entry {
    pub(super) fn new(shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self { shared, is_looking: AtomicBool::new(false) })
    }

    /// Whether the keys of those who are in are still good. It is a file, perhaps of another machine, so not the reactor's
    /// thread reads it, and only one other.
    fn look_at_keys(self: Arc<Self>) {
        if !self.shared.has_guests() || self.is_looking.swap(true, Ordering::AcqRel) {
            return;
        }
        let entry = self.clone();
        let look = move || {
            entry.shared.look_for_the_unwelcome();
            entry.is_looking.store(false, Ordering::Release);
        };
        if thread::Builder::new().name("anyplace-keys".to_owned()).spawn(look).is_err() {
            // The next tick tries again.
            self.is_looking.store(false, Ordering::Release);
        }
    }

    fn meet(&self, stream: Stream, until: Instant) -> Result<()> {
        let admitted = admit(stream, &self.shared.keys, until)?;
        let theirs = greet(&admitted.stream, &self.greeting(admitted.scope), Some(until))?;
        let wish = Wish::read(&theirs.topic).map_err(|malformed| {
            Error::new(Kind::VersionMismatch, format!("a client wants what we do not know: {malformed}"))
        })?;
        let make = || Client::new(&self.shared, &wish, &admitted);
        let stream = admitted.stream.clone();
        let client =
            self.shared.client(wish.session, make).inspect_err(|refusal| tell(&stream, refusal, until))?;
        client.attach(admitted, theirs).inspect_err(|refusal| tell(&stream, refusal, until))?;
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
        let message = self.shared.limits.for_scope(scope).message as u64;
        let most = offered.max_payload.map_or(message, |most| most.min(message));
        let offered = Offered { max_payload: Some(most), ..offered };
        Greeting::new(place.language().to_owned(), NodeId(self.shared.node), offered.to_bytes())
    }
}

/// Says why the conversation ends that was to begin.
fn tell(stream: &Stream, refusal: &Error, until: Instant) {
    // Who is gone already need not know.
    if stream.write(&bye(refusal).to_vec(), Some(until)).is_err() || stream.finish(Some(until)).is_err() {
        return;
    }
    // A stream that is closed with something unread in it takes along what the other side has not read yet.
    let mut room = [0; 4096];
    while stream.read(&mut room, Some(until)).is_ok_and(|read| read > 0) {}
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

impl Keeper for Entry {
    fn let_in(&self, stream: Stream, until: Instant) {
        drop(self.meet(stream, until));
    }

    fn tick(self: Arc<Self>, now: Instant, door: &Arc<Door>) {
        self.shared.look_for_the_gone(now);
        if self.shared.place.is_closed() {
            door.close();
            self.shared.abandon();
        }
        self.look_at_keys();
    }
}
