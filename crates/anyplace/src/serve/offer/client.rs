//! One who was let in, through all the conversations that it has one after the other.
//!
//! Each kind of traffic is in [`Client::new`], and hears what is its own.

use super::Shared;
use super::account::Seat;
use super::entry::allows;
use super::limits::ClientLimits;
use super::share::Share;
use super::tasks::Tasks;
use crate::error::{Error, Kind as Wrong, Result};
use crate::keys::{Admitted, KeyHash, Scope, Standing};
use crate::peer::{self, Absence, Bounds, Handler, Peer, Traffic};
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
    limits: ClientLimits,
    _seat: Seat,
    /// By which it was let in; `None` for a process of our own user.
    key: Option<KeyHash>,
    tasks: Arc<Tasks>,
    share: Arc<Share>,
    objects: Arc<Objects>,
    traffics: Vec<Arc<dyn Traffic>>,
    presence: Mutex<Presence>,
}

struct Presence {
    whereabouts: Whereabouts,
    /// What it was let in for last.
    scope: Scope,
}

/// Whether the client is connected.
enum Whereabouts {
    Here(Peer),
    Away(Instant),
}

/// One of a client's conversations. What it may do may be more than in those before, since it has shown another ticket.
struct Conversation {
    client: Arc<Client>,
    scope: Scope,
}

impl Client {
    pub(super) fn new(shared: &Arc<Shared>, wish: &Wish, admitted: &Admitted) -> Result<Arc<Self>> {
        let limits = shared.limits.for_scope(admitted.scope);
        let seat = shared.account(admitted.key).sit(&limits)?;
        let tasks = Tasks::new(&shared.place, wish.keep);
        let objects = Objects::of_client(shared.place.serve());
        let share = Share::new(&shared.place, seat.account().clone());
        Ok(Arc::new(Self {
            shared: Arc::downgrade(shared),
            limits: shared.limits,
            _seat: seat,
            wish: wish.clone(),
            key: admitted.key,
            traffics: vec![tasks.clone(), share.clone(), objects.clone()],
            tasks,
            share,
            objects,
            presence: Mutex::new(Presence {
                whereabouts: Whereabouts::Away(Instant::now()),
                scope: admitted.scope,
            }),
        }))
    }

    /// Begins a conversation with the client. One that it still seems to have is over: it knows better.
    pub(super) fn attach(self: &Arc<Self>, admitted: Admitted, greeting: Greeting) -> Result<()> {
        if admitted.key != self.key {
            return Err(Error::new(Wrong::PermissionDenied, "the session is another client's"));
        }
        if !admitted.scope.allows(self.presence().scope) {
            // Nobody would tell what became of what it may do no more: it has to leave first, at the next look at the keys.
            return Err(Error::new(Wrong::PermissionDenied, "the session was let in for more than that"));
        }
        if let Some(before) = self.peer() {
            before.close(&replaced());
        }
        let conversation = Conversation { client: self.clone(), scope: admitted.scope };
        Peer::start(admitted.stream, greeting, Arc::new(conversation)).map(drop)
    }

    fn presence(&self) -> std::sync::MutexGuard<'_, Presence> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn peer(&self) -> Option<Peer> {
        match &self.presence().whereabouts {
            Whereabouts::Here(peer) => Some(peer.clone()),
            Whereabouts::Away(_) => None,
        }
    }

    /// Whether it has been away for longer than it said it would.
    pub(super) fn is_gone(&self, now: Instant) -> bool {
        let patience = self.wish.patience.min(PATIENCE);
        matches!(self.presence().whereabouts, Whereabouts::Away(since) if now.saturating_duration_since(since) > patience)
    }

    /// Whether it has a key, so that it may lose what that is good for.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Whether it may still do all that it was let in for.
    pub(super) fn is_welcome(&self, standing: &Standing) -> bool {
        let scope = self.presence().scope;
        self.key.is_none_or(|key| standing.of(key).is_some_and(|has| has.allows(scope)))
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
        if let Some(peer) = self.peer() {
            peer.part(why, until);
        }
        self.leave();
    }
}

impl Conversation {
    fn limits(&self) -> ClientLimits {
        self.client.limits.for_scope(self.scope)
    }

    /// The kinds of traffic that its scope allows.
    fn traffics(&self) -> impl Iterator<Item = &Arc<dyn Traffic>> {
        self.client.traffics.iter().filter(|traffic| allows(self.scope, traffic.family()))
    }
}

impl Handler for Conversation {
    fn began(&self, peer: &Peer) {
        // Held meanwhile, as in `ended`: or what is told of one conversation could undo what is told of the next.
        let mut presence = self.client.presence();
        *presence = Presence { whereabouts: Whereabouts::Here(peer.clone()), scope: self.scope };
        let limits = self.limits();
        self.client.objects.allow(self.scope, limits.of_objects());
        self.client.share.limit(limits);
        self.traffics().for_each(|traffic| traffic.begin(peer));
    }

    fn hear(&self, peer: &Peer, kind: Kind, body: &[u8]) -> Result<(), Malformed> {
        peer::hear(self.traffics(), peer, kind, body)
    }

    fn bounds(&self) -> Bounds {
        let ClientLimits { message, untaken, .. } = self.limits();
        Bounds { message, untaken }
    }

    /// Whoever asks and never reads costs no more than that: a client always reads.
    fn hears_who_is_deaf(&self) -> bool {
        false
    }

    fn ended(&self, peer: &Peer, why: &Error) {
        let client = &self.client;
        // Who says goodbye does not come back.
        let is_over = why.kind() == Wrong::PlaceClosed;
        {
            let mut presence = client.presence();
            match &presence.whereabouts {
                Whereabouts::Here(current) if !current.is(peer) => return,
                _ => presence.whereabouts = Whereabouts::Away(Instant::now()),
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
