//! An inbox: where files arrive from senders that may come in.

mod door;

use super::Terms;
use crate::address::Address;
use crate::error::{Error, Result};
use crate::keys::{KeyHash, Keys, Scope};
use crate::net::{Endpoint, Stream, listen};
use door::Door;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Listens for senders of files, and gives those that may come in, one after the other. Dropping it closes it; who has
/// arrived can go on.
///
/// At `tcp:` it is reached by TLS and by whoever has its ticket or a key that is known here, with the scope
/// [`FILES`](Scope::FILES) or one that includes it; at `unix:` by processes of the same user. Those that do not say who they
/// are have five seconds for it and hold up nobody.
///
/// For an example see [`reach`](crate::net::files::reach).
pub struct Inbox {
    door: Arc<Door>,
    address: Address,
    endpoint: Endpoint,
}

/// A sender that was let in. What it sends is received by [`Receiving`](crate::net::files::Receiving).
#[derive(Debug)]
#[non_exhaustive]
pub struct Arrival {
    /// Where its files come from.
    pub stream: Stream,
    /// Its key; `None` over a unix socket, where it is a process of the same user.
    pub key: Option<KeyHash>,
}

impl Inbox {
    /// A ticket for files and nothing else, for the first who comes within a day. The same sender may come again.
    pub const TERMS: Terms =
        Terms { scope: Scope::FILES, lasts: Some(Duration::from_secs(86_400)), once: true, ticket: true };

    /// Opens an inbox at `tcp://host:port` (port 0 is any free one) or `unix:/path`.
    ///
    /// # Errors
    /// `ConfigInvalid` for a wrong endpoint; what [`listen`] says, and [`Keys::issue`].
    pub fn open(endpoint: &str, keys: &Keys, terms: Terms) -> Result<Self> {
        let endpoint: Endpoint = endpoint.parse()?;
        if !matches!(endpoint, Endpoint::Tcp { .. } | Endpoint::Unix(_)) {
            return Err(Error::config(format!("no files are received at `{endpoint}`"))
                .at(&endpoint)
                .with_help("write `tcp://host:port`, or `unix:/path` for processes of the same user"));
        }
        let listener = listen(endpoint)?;
        let endpoint = listener.endpoint().clone();
        let address = terms.address(&endpoint, keys)?;
        Ok(Self { door: Door::open(listener, keys.clone())?, address, endpoint })
    }

    /// What a sender is to be told. Its ticket is a secret, which [`Address::reveal`] shows.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The next sender that was let in; `None` once the inbox is [closed](Self::close).
    pub fn accept(&self) -> Option<Arrival> {
        self.door.next()
    }

    /// Lets nobody in any more, and tells whoever waits for the [next](Self::accept) sender.
    pub fn close(&self) {
        self.door.close();
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
