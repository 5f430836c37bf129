//! `tickets`: what is left here of the tickets that were given out.

use super::table::{Line, Row};
use super::ticket::{ProofKey, Ticket, TicketId};
use super::{KeyHash, Moment, Scope};
use std::fmt;

/// A ticket that was given out: `ID SCOPE proof=KEY since=TIME [until=TIME] [use=once] [spent=KEY]`. The ticket itself
/// cannot be made from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    pub(crate) id: TicketId,
    /// What it allows.
    pub scope: Scope,
    pub(crate) proof: ProofKey,
    /// When it was given out.
    pub since: Moment,
    /// Until when it is good; `None` is for ever.
    pub until: Option<Moment>,
    /// Whether only the first who comes is let in.
    pub once: bool,
    /// Who that was.
    pub spent: Option<KeyHash>,
}

impl Issued {
    pub(super) fn new(ticket: &Ticket, once: bool, since: Moment) -> Self {
        let (id, proof) = (ticket.id(), ticket.proof_key());
        Self { id, scope: ticket.scope(), proof, since, until: ticket.until(), once, spent: None }
    }

    /// Its name, for people and for `anyplace keys revoke`.
    pub fn name(&self) -> String {
        self.id.to_string()
    }

    /// Whether its time is over.
    pub fn is_over(&self, now: Moment) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl Row for Issued {
    const FILE: &'static str = "tickets";
    const ABOUT: &'static str =
        "# Tickets given out: ID SCOPE proof=KEY since=TIME [until=TIME] [use=once] [spent=KEY]\n";

    fn of(mut line: Line<'_>) -> Option<Self> {
        let row = Self {
            id: line.word()?,
            scope: line.word()?,
            proof: line.value("proof")??,
            since: line.value("since")??,
            until: line.value("until")?,
            once: line
                .value::<String>("use")?
                .map_or(Some(false), |word| (word == "once").then_some(true))?,
            spent: line.value("spent")?,
        };
        line.end().map(|()| row)
    }
}

impl fmt::Display for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} proof={} since={}", self.id, self.scope, self.proof.letters(), self.since)?;
        self.until.map_or(Ok(()), |until| write!(f, " until={until}"))?;
        f.write_str(if self.once { " use=once" } else { "" })?;
        self.spent.map_or(Ok(()), |spent| write!(f, " spent={spent}"))
    }
}
