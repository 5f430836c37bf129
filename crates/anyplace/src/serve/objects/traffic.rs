//! Objects in the conversations of a place that is offered: on the server's side for one client, on the client's for one server.

use super::conversation::{Conversation, Rights};
use super::desk::Far;
use super::gate::Most;
use super::here::here;
use super::names::closed;
use super::proxy::Proxy;
use crate::Address;
use crate::driver::{Recipe, Serve};
use crate::error::{Error, Kind as Wrong, Result, Retry};
use crate::keys::Scope;
use crate::peer::{Absence, Peer, Traffic};
use crate::wire::peer::objects as messages;
use crate::wire::{Kind, Malformed};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Objects in all the conversations with somebody, one after the other.
///
/// What the other side has of ours goes with each conversation, and so do the names of what it has published: who comes back
/// finds objects anew.
pub(crate) struct Objects {
    rights: Mutex<Rights>,
    current: Mutex<Option<(Peer, Conversation)>>,
    /// Why nothing is asked any more, once the place is closed.
    closed: OnceLock<Error>,
}

impl Objects {
    /// For a client of an offered place.
    pub(crate) fn of_client(place: Result<Arc<dyn Serve>>) -> Arc<Self> {
        Self::new(Rights { desk: place.ok(), forwards: true, ..Rights::default() })
    }

    /// What the other side may do and have, in conversations that begin from now on.
    pub(crate) fn allow(&self, scope: Scope, most: Most) {
        let mut rights = self.rights();
        rights.trusted = scope.allows(Scope::RUN);
        rights.hints = scope.allows(Scope::ADMIN);
        rights.most = most;
    }

    /// For a server whose place this process has opened: what we publish there is called by its other clients, and what we ask
    /// for may be in any process that it knows.
    pub(crate) fn of_server() -> Arc<Self> {
        Self::new(Rights { gateway: true, ..Rights::default() })
    }

    fn new(rights: Rights) -> Arc<Self> {
        Arc::new(Self { rights: Mutex::new(rights), current: Mutex::default(), closed: OnceLock::new() })
    }

    fn rights(&self) -> MutexGuard<'_, Rights> {
        self.rights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> MutexGuard<'_, Option<(Peer, Conversation)>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place of these objects is closed.
    pub(crate) fn close(&self, place: &Address) {
        self.closed.get_or_init(|| closed(&place.to_string()));
    }

    fn far(&self) -> Result<Far> {
        self.closed.get().map_or(Ok(()), |closed| Err(closed.clone()))?;
        match &*self.current() {
            Some((peer, _)) => Ok(Far::new(peer.clone())),
            None => Err(away()),
        }
    }
}

fn away() -> Error {
    Error::new(Wrong::ConnectionLost, "the server of the place is away")
        .with_retry(Retry::Safe)
        .with_help("it is sought for as long as `reconnect` in the place's address says; try again")
}

impl Traffic for Objects {
    fn family(&self) -> crate::driver::Family {
        crate::driver::Family::Serve
    }

    fn hears(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Node | Kind::Call | Kind::Withdraw | Kind::Hold | Kind::Release)
    }

    fn begin(&self, peer: &Peer) {
        let Ok(node) = here() else { return };
        let conversation = Conversation::new(&node, self.rights().clone());
        let before = self.current().replace((peer.clone(), conversation.clone()));
        if let Some((peer, conversation)) = before {
            conversation.end(&peer);
        }
        // If it is over already, that is told, too.
        drop(peer.send(messages::node(node.id)));
        conversation.begin(peer);
    }

    fn hear(self: Arc<Self>, peer: &Peer, kind: Kind, body: &[u8]) -> Result<(), Malformed> {
        let conversation = match &*self.current() {
            Some((current, conversation)) if current.is(peer) => conversation.clone(),
            _ => return Ok(()),
        };
        conversation.take(peer, kind, body).map(drop)
    }

    fn lost(&self, _: Absence) {
        let current = self.current().take();
        if let Some((peer, conversation)) = current {
            conversation.end(&peer);
        }
    }
}

impl Serve for Objects {
    fn create(&self, recipe: Recipe) -> Result<Proxy> {
        self.far()?.create(recipe)
    }

    fn publish(&self, name: &str, object: &Proxy) -> Result<()> {
        self.far()?.publish(name, object)
    }

    fn unpublish(&self, name: &str) -> Result<bool> {
        self.far()?.unpublish(name)
    }

    fn find(&self, name: &str) -> Result<Proxy> {
        self.far()?.find(name)
    }

    fn names(&self) -> Result<Vec<String>> {
        self.far()?.names()
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.current().is_some() { "Objects" } else { "Objects(away)" })
    }
}
