//! Kinds of traffic: what runs side by side in one conversation, each in its own words.

use super::Peer;
use crate::driver::Family;
use crate::wire::{Kind, Malformed};
use std::sync::Arc;

/// One kind of traffic with somebody, through all the conversations that they have one after the other.
///
/// Everything is called on the reactor's thread, or on one that has just connected: it must be short, and never wait.
pub(crate) trait Traffic: Send + Sync {
    /// What it is for: a server that does not offer that ends a conversation in which it is spoken of.
    fn family(&self) -> Family;

    /// Whether these messages are its own.
    fn hears(&self, kind: Kind) -> bool;

    /// A conversation begins. What was said in the one before may not have been heard.
    fn begin(&self, peer: &Peer);

    /// A message of its own.
    fn hear(self: Arc<Self>, peer: &Peer, kind: Kind, body: &[u8]) -> Result<(), Malformed>;

    /// The other side is away.
    fn lost(&self, absence: Absence);
}

/// How somebody is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absence {
    /// It may come back. What it had begun goes on meanwhile, if it wished so.
    Away {
        /// Whether it wished so.
        goes_on: bool,
    },
    /// It said goodbye, or was away for too long.
    Gone,
}

/// Tells a message to those whose own it is.
pub(crate) fn hear<'t>(
    mut traffics: impl Iterator<Item = &'t Arc<dyn Traffic>>,
    peer: &Peer,
    kind: Kind,
    body: &[u8],
) -> Result<(), Malformed> {
    match traffics.find(|traffic| traffic.hears(kind)) {
        Some(traffic) => traffic.clone().hear(peer, kind, body),
        None => Err(Malformed("something that is said in this conversation")),
    }
}
