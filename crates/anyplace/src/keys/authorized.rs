//! `authorized_peers`: whose key opens the places that are offered here.

use super::table::{Line, Row};
use super::ticket::TicketId;
use super::{KeyHash, Moment, Scope};
use std::fmt;

/// What a client was given once, in the places offered here:
/// `KEY SCOPE name=NAME since=TIME [until=TIME] [ticket=ID] [revoked=TIME]`. A client that has shown several tickets has
/// several rows, each of which is good for what its ticket said, until when that said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorized {
    /// Its key.
    pub key: KeyHash,
    /// What it may do.
    pub scope: Scope,
    /// How it calls itself. Nobody has checked that.
    pub name: String,
    /// When it came with that.
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

/// What the rows of one key allow together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowance {
    pub(super) scope: Scope,
    /// Until when all of that; `None` is for ever.
    pub(super) until: Option<Moment>,
}

impl Allowance {
    /// Nothing, if none of them is good. A row that was revoked takes all others of its key along.
    pub(super) fn of(rows: &[&Authorized], now: Moment) -> Option<Self> {
        if rows.iter().any(|row| row.revoked.is_some()) {
            return None;
        }
        let scope = allowed_after(rows, now)?;
        let mut ends: Vec<_> = rows.iter().filter_map(|row| row.until).filter(|until| now < *until).collect();
        ends.sort_unstable();
        let is_less = |end: &Moment| !allowed_after(rows, *end).is_some_and(|left| left.allows(scope));
        Some(Self { scope, until: ends.into_iter().find(is_less) })
    }
}

/// What those of the rows allow that are good then.
fn allowed_after(rows: &[&Authorized], then: Moment) -> Option<Scope> {
    let good = rows.iter().filter(|row| row.is_good(then));
    good.map(|row| row.scope).reduce(|all, scope| all | scope)
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
