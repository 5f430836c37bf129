//! On which terms a place is offered.

use super::limits::ClientLimits;
use crate::address::Address;
use crate::error::{Error, Result};
use crate::keys::{Keys, Scope};
use crate::net::Endpoint;
use std::time::Duration;

/// On which terms a place is offered at `tcp:`: what the ticket in the offer's address is good for. At `unix:` there is
/// none, since the kernel says who comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What its holder may do.
    pub scope: Scope,
    /// How long it is good; `None` is for ever, or until it is revoked.
    pub lasts: Option<Duration>,
    /// It is good for the first who comes, and no other.
    pub once: bool,
    /// Without one, only those are let in whose keys are known here.
    pub ticket: bool,
    /// What one client may take of the place.
    pub limits: ClientLimits,
}

impl Default for Terms {
    /// A ticket for tasks and all that they share, good until it is revoked.
    fn default() -> Self {
        Self {
            scope: Scope::default(),
            lasts: None,
            once: false,
            ticket: true,
            limits: ClientLimits::DEFAULT,
        }
    }
}

impl Terms {
    /// The address by which others come in.
    pub(in crate::serve) fn address(&self, endpoint: &Endpoint, keys: &Keys) -> Result<Address> {
        let Endpoint::Tcp { host, port } = endpoint else {
            return Address::try_from(escaped(&endpoint.to_string()));
        };
        // Tables that cannot be read would let nobody in: better said now than by silence at the door.
        keys.standing()?;
        let at = Endpoint::Tcp { host: reachable(host), port: *port };
        if !self.ticket {
            return Address::try_from(at.to_string());
        }
        let ticket = keys.issue(self.scope, self.lasts, self.once)?;
        Address::try_from(format!("{at}#{}", ticket.reveal()))
    }

    /// Whether places are offered at such an endpoint.
    pub(super) fn check(endpoint: &Endpoint) -> Result<()> {
        match endpoint {
            Endpoint::Tcp { .. } | Endpoint::Unix(_) => Ok(()),
            _ => Err(Error::config(format!("no place is offered at `{endpoint}`"))
                .at(endpoint)
                .during("offer")
                .with_help("write `tcp://host:port`, or `unix:/path` for processes of the same user")),
        }
    }
}

/// Who listens at all addresses is reached by the machine's name.
fn reachable(host: &str) -> String {
    match host {
        "0.0.0.0" | "::" => rustix::system::uname().nodename().to_string_lossy().into_owned(),
        host => host.to_owned(),
    }
}

/// A path may hold what ends a part of an address.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('?', "%3F")
}
