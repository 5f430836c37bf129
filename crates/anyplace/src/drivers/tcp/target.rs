//! Whom an address names: one server, or several with commas between them, each perhaps with its ticket.

use crate::address::Address;
use crate::error::{Error, Result};
use crate::keys::Ticket;
use crate::net::Endpoint;

/// A server, and what lets us in there.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) ticket: Option<Ticket>,
}

impl Target {
    /// All that the address names.
    pub(super) fn all(address: &Address) -> Result<Vec<Self>> {
        let servers = address.target().strip_prefix("//").filter(|servers| !servers.is_empty());
        let servers = servers.ok_or_else(|| {
            Error::config(format!("`{address}` names no server"))
                .at(address)
                .during("open")
                .with_help("write `tcp://host:port`, with `#` and the ticket behind it if you have one")
        })?;
        servers.split(',').map(Self::one).collect()
    }

    fn one(server: &str) -> Result<Self> {
        let text = format!("tcp://{server}");
        let (endpoint, ticket) = Ticket::split(&text)?;
        Ok(Self { endpoint: endpoint.parse()?, ticket })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Keys, Scope};

    fn targets(text: &str) -> Result<Vec<Target>> {
        Target::all(&text.parse()?)
    }

    #[test]
    fn every_server_has_its_own_ticket() -> Result<()> {
        let ticket = Keys::in_memory().issue(Scope::RUN, None, false)?;
        let all = targets(&format!("tcp://a:1#{},[::1]:2", ticket.reveal()))?;
        assert_eq!(all[0].ticket, Some(ticket));
        assert_eq!((all[1].endpoint.to_string(), all[1].ticket.as_ref()), ("tcp://[::1]:2".to_owned(), None));
        Ok(())
    }

    #[test]
    fn a_wrong_address_is_refused_without_its_secret() {
        for text in ["tcp:", "tcp://", "tcp://host", "tcp:host:1", "tcp://a:1,", "tcp://a:1#ap1.secret"] {
            let error = targets(text).unwrap_err();
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
            assert!(error.help().is_some(), "{text}: {error:?}");
        }
    }
}
