//! `authorized_peers`: whose key opens the places that are offered here.

use super::table::{Line, Row};
use super::ticket::TicketId;
use super::{KeyHash, Moment, Scope};
use std::fmt;

/// A client that may, or may no more, use the places offered here:
/// `KEY SCOPE name=NAME since=TIME [until=TIME] [ticket=ID] [revoked=TIME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorized {
    /// Its key.
    pub key: KeyHash,
    /// What it may do.
    pub scope: Scope,
    /// How it calls itself. Nobody has checked that.
    pub name: String,
    /// When it came first.
    pub since: Moment,
    /// Until when it may come; `None` is for ever.
    pub until: Option<Moment>,
    /// By which ticket it came.
    pub(crate) ticket: Option<TicketId>,
    /// Since when it may come no more, whatever ticket it shows.
    pub revoked: Option<Moment>,
}

impl Authorized {
    /// Whether it may come in now.
    pub fn is_good(&self, now: Moment) -> bool {
        self.revoked.is_none() && self.until.is_none_or(|until| now < until)
    }
}

impl Row for Authorized {
    const FILE: &'static str = "authorized_peers";
    const ABOUT: &'static str = "# Clients of the places offered here: KEY SCOPE name=NAME since=TIME [until=TIME] [ticket=ID] [revoked=TIME]\n";

    fn of(mut line: Line<'_>) -> Option<Self> {
        let row = Self {
            key: line.word()?,
            scope: line.word()?,
            name: line.value("name")??,
            since: line.value("since")??,
            until: line.value("until")?,
            ticket: line.value("ticket")?,
            revoked: line.value("revoked")?,
        };
        line.end().map(|()| row)
    }
}

impl fmt::Display for Authorized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} name={} since={}", self.key, self.scope, self.name, self.since)?;
        self.until.map_or(Ok(()), |until| write!(f, " until={until}"))?;
        self.ticket.map_or(Ok(()), |ticket| write!(f, " ticket={ticket}"))?;
        self.revoked.map_or(Ok(()), |revoked| write!(f, " revoked={revoked}"))
    }
}
