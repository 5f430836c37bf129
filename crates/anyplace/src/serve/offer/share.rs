//! What a client does with the shared objects of the place: README.md in `share/far` tells how it passes on the way.
//!
//! A client is a guest of the place: it holds what it holds in its own name. When it is lost, that passes on as if its process
//! had been killed.

mod line;
mod locks;
mod numbers;
mod opened;
mod pending;
mod queues;
mod returned;
mod session;
mod signals;

use super::account::Account;
use super::limits::ClientLimits;
use crate::peer::{Absence, Peer, Traffic};
use crate::place::Place;
use crate::wire::peer::share::read;
use crate::wire::{Kind, Malformed};
use session::Session;
use std::sync::{Arc, Mutex, PoisonError};

/// What one client shares with the others.
pub(super) struct Share {
    place: Place,
    limits: Mutex<ClientLimits>,
    account: Arc<Account>,
    session: Mutex<Option<Arc<Session>>>,
}

impl Share {
    pub(super) fn new(place: &Place, account: Arc<Account>) -> Arc<Self> {
        Arc::new(Self { place: place.clone(), limits: Mutex::default(), account, session: Mutex::default() })
    }

    /// The conversation that begins has these.
    pub(super) fn limit(&self, limits: ClientLimits) {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    /// That of this conversation: a new one knows nothing of those before.
    fn session(&self, peer: &Peer) -> Arc<Session> {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = *self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        session.get_or_insert_with(|| Session::new(&self.place, peer, limits, &self.account)).clone()
    }
}

impl Traffic for Share {
    fn family(&self) -> crate::driver::Family {
        crate::driver::Family::Share
    }

    fn hears(&self, kind: Kind) -> bool {
        kind == Kind::Share
    }

    fn begin(&self, _: &Peer) {}

    fn hear(self: Arc<Self>, peer: &Peer, _: Kind, body: &[u8]) -> Result<(), Malformed> {
        let heard = read(body)?;
        self.session(peer).hear(heard);
        Ok(())
    }

    /// What it held passes on at once: others wait for it.
    fn lost(&self, _: Absence) {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner).take();
        session.into_iter().for_each(|session| session.end());
    }
}
