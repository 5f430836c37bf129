//! What is known of one key or ticket, as a line of a table or an object.

use anyplace::keys::{Authorized, Issued, KeyHash, Keys, Known, Moment, Scope};
use serde_json::{Value, json};

use crate::report::Result;

/// A key or a ticket.
pub(super) enum Row {
    Own(KeyHash),
    Client(Authorized),
    Ticket(Issued),
    Server(Known),
}

/// This user, then clients, tickets and servers, each in the order of their file.
pub(super) fn rows(keys: &Keys) -> Result<Vec<Row>> {
    let mut rows = vec![Row::Own(keys.identity()?.hash())];
    rows.extend(keys.authorized()?.into_iter().map(Row::Client));
    rows.extend(keys.issued()?.into_iter().map(Row::Ticket));
    rows.extend(keys.known()?.into_iter().map(Row::Server));
    Ok(rows)
}

impl Row {
    fn who(&self) -> &'static str {
        match self {
            Self::Own(_) => "self",
            Self::Client(_) => "client",
            Self::Ticket(_) => "ticket",
            Self::Server(_) => "server",
        }
    }

    /// The whole of it; people need no more than its [first letters](KeyHash::short).
    fn key(&self) -> String {
        match self {
            Self::Own(key) => key.to_string(),
            Self::Client(client) => client.key.to_string(),
            Self::Ticket(ticket) => ticket.name(),
            Self::Server(server) => server.key.to_string(),
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Client(client) => Some(&client.name),
            Self::Server(server) => Some(&server.at),
            Self::Own(_) | Self::Ticket(_) => None,
        }
    }

    fn scope(&self) -> Option<Scope> {
        match self {
            Self::Client(client) => Some(client.scope),
            Self::Ticket(ticket) => Some(ticket.scope),
            Self::Own(_) | Self::Server(_) => None,
        }
    }

    fn since(&self) -> Option<Moment> {
        match self {
            Self::Own(_) => None,
            Self::Client(client) => Some(client.since),
            Self::Ticket(ticket) => Some(ticket.since),
            Self::Server(server) => Some(server.since),
        }
    }

    fn until(&self) -> Option<Moment> {
        match self {
            Self::Client(client) => client.until,
            Self::Ticket(ticket) => ticket.until,
            Self::Own(_) | Self::Server(_) => None,
        }
    }

    fn state(&self, now: Moment) -> String {
        let time = match self.until() {
            None => "good".to_owned(),
            Some(until) if until <= now => format!("over since {until}"),
            Some(until) => format!("good until {until}"),
        };
        match self {
            Self::Own(_) => String::new(),
            Self::Server(_) => "known".to_owned(),
            Self::Client(Authorized { revoked: Some(revoked), .. }) => format!("revoked {revoked}"),
            Self::Ticket(Issued { spent: Some(by), .. }) => format!("spent by {}", by.short()),
            Self::Ticket(Issued { once: true, .. }) => format!("{time}, for one"),
            Self::Client(_) | Self::Ticket(_) => time,
        }
    }

    pub(super) fn columns(&self, now: Moment) -> [String; 6] {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        [
            self.who().to_owned(),
            self.key().chars().take(16).collect(),
            or_dash(self.name().map(ToOwned::to_owned)),
            or_dash(self.scope().map(|scope| scope.to_string())),
            or_dash(self.since().map(|since| since.to_string())),
            self.state(now),
        ]
    }

    pub(super) fn json(&self) -> Value {
        let text = |moment: Option<Moment>| moment.map(|moment| moment.to_string());
        let (revoked, once, spent) = match self {
            Self::Client(client) => (text(client.revoked), None, None),
            Self::Ticket(ticket) => (None, Some(ticket.once), ticket.spent.map(|by| by.to_string())),
            Self::Own(_) | Self::Server(_) => (None, None, None),
        };
        json!({
            "v": 1,
            "who": self.who(),
            "key": self.key(),
            "name": self.name(),
            "scope": self.scope().map(|scope| scope.to_string()),
            "since": text(self.since()),
            "until": text(self.until()),
            "revoked": revoked,
            "once": once,
            "spent": spent,
        })
    }
}
