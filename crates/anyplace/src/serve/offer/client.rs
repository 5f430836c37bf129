//! One who was let in, through all the conversations that it has one after the other.
//!
//! Each kind of traffic is in [`Client::new`], and hears what is its own.

use super::Shared;
use super::entry::allows;
use super::share::Share;
use super::tasks::Tasks;
use crate::error::{Error, Kind as Wrong, Result};
use crate::keys::{Admitted, KeyHash, Scope, Standing};
use crate::peer::{self, Absence, Handler, Peer, Traffic};
use crate::serve::objects::Objects;
use crate::wire::peer::Greeting;
use crate::wire::peer::topic::Wish;
use crate::wire::{Kind, Malformed};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Nobody is waited for longer than this, whatever they wish.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

pub(super) struct Client {
    shared: Weak<Shared>,
    wish: Wish,
    /// By which it was let in; `None` for a process of our own user.
    key: Option<KeyHash>,
    scope: Scope,
    tasks: Arc<Tasks>,
    traffics: Vec<Arc<dyn Traffic>>,
    presence: Mutex<Presence>,
}

/// Whether the client is connected.
enum Presence {
    Here(Peer),
    Away(Instant),
}

/// One of a client's conversations.
struct Conversation(Arc<Client>);

impl Client {
    pub(super) fn new(shared: &Arc<Shared>, wish: &Wish, admitted: &Admitted) -> Arc<Self> {
        let tasks = Tasks::new(&shared.place, wish.keep);
        let objects = Objects::of_client(shared.place.serve(), admitted.scope);
        let all: [Arc<dyn Traffic>; 3] = [tasks.clone(), Share::new(&shared.place), objects];
        let is_allowed = |traffic: &Arc<dyn Traffic>| allows(admitted.scope, traffic.family());
        let traffics = all.into_iter().filter(is_allowed).collect();
        Arc::new(Self {
            shared: Arc::downgrade(shared),
            wish: wish.clone(),
            key: admitted.key,
            scope: admitted.scope,
            traffics,
            tasks,
            presence: Mutex::new(Presence::Away(Instant::now())),
        })
    }

    /// Begins a conversation with the client. One that it still seems to have is over: it knows better.
    pub(super) fn attach(self: &Arc<Self>, admitted: Admitted, greeting: Greeting) -> Result<()> {
        if admitted.key != self.key {
            return Err(Error::new(Wrong::PermissionDenied, "the session is another client's"));
        }
        let before = match &*self.presence() {
            Presence::Here(peer) => Some(peer.clone()),
            Presence::Away(_) => None,
        };
        if let Some(before) = before {
            before.close(&replaced());
        }
        Peer::start(admitted.stream, greeting, Arc::new(Conversation(self.clone()))).map(drop)
    }

    fn presence(&self) -> std::sync::MutexGuard<'_, Presence> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it has been away for longer than it said it would.
    pub(super) fn is_gone(&self, now: Instant) -> bool {
        let patience = self.wish.patience.min(PATIENCE);
        matches!(*self.presence(), Presence::Away(since) if now.saturating_duration_since(since) > patience)
    }

    /// Whether it has a key, so that it may lose what that is good for.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Whether it may still do all that it was let in for.
    pub(super) fn is_welcome(&self, standing: &Standing) -> bool {
        self.key.is_none_or(|key| standing.of(key).is_some_and(|scope| scope.allows(self.scope)))
    }

    /// Takes no more work.
    pub(super) fn refuse(&self) {
        self.tasks.refuse();
    }

    /// Waits until its work is done; what is not by then is ended.
    pub(super) fn finish(&self, until: Option<Instant>) {
        self.tasks.finish(until);
    }

    /// It will not be back: nothing of it is left.
    pub(super) fn leave(&self) {
        self.traffics.iter().for_each(|traffic| traffic.lost(Absence::Gone));
    }

    /// Tells it that this is the end, once it has been told all else.
    pub(super) fn close(&self, why: &Error, until: Instant) {
        let peer = match &*self.presence() {
            Presence::Here(peer) => Some(peer.clone()),
            Presence::Away(_) => None,
        };
        if let Some(peer) = peer {
            peer.part(why, until);
        }
        self.leave();
    }
}

impl Handler for Conversation {
    fn began(&self, peer: &Peer) {
        let client = &self.0;
        // Held meanwhile, as in `ended`: or what is told of one conversation could undo what is told of the next.
        let mut presence = client.presence();
        *presence = Presence::Here(peer.clone());
        client.traffics.iter().for_each(|traffic| traffic.begin(peer));
    }

    fn hear(&self, peer: &Peer, kind: Kind, body: &[u8]) -> Result<(), Malformed> {
        peer::hear(&self.0.traffics, peer, kind, body)
    }

    /// Whoever asks and never reads costs no more than that: a client always reads.
    fn hears_who_is_deaf(&self) -> bool {
        false
    }

    fn ended(&self, peer: &Peer, why: &Error) {
        let client = &self.0;
        // Who says goodbye does not come back.
        let is_over = why.kind() == Wrong::PlaceClosed;
        {
            let mut presence = client.presence();
            match &*presence {
                Presence::Here(current) if !current.is(peer) => return,
                _ => *presence = Presence::Away(Instant::now()),
            }
            let absence = if is_over { Absence::Gone } else { Absence::Away { goes_on: client.wish.keep } };
            client.traffics.iter().for_each(|traffic| traffic.lost(absence));
        }
        if is_over && let Some(shared) = client.shared.upgrade() {
            shared.forget(client.wish.session);
        }
    }
}

fn replaced() -> Error {
    Error::new(Wrong::ConnectionLost, "the client has begun another conversation")
}
