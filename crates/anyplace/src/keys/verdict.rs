//! Whether a peer may come in: decided from what it says and what the tables say, without a look at anything else.

use super::authorized::{Allowance, Authorized};
use super::issued::Issued;
use super::proof::{Bound, Role};
use super::ticket::TicketId;
use super::{KeyHash, Moment, Scope};
use crate::wire::admission::{Hello, Proof};

/// What a peer that may come in may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) scope: Scope,
    /// Until when it may do all of that.
    pub(crate) until: Option<Moment>,
    /// That we know the ticket's secret, too; where it showed a good one.
    pub(crate) proof: Option<Proof>,
    /// The row that the tables have from now on beside those they had, if they do not say all of it yet.
    pub(crate) enrol: Option<Authorized>,
}

/// Why a peer may not come in. Only [`Unknown`](Self::Unknown) is told to one that has proved nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Unknown,
    /// Its key was good once: it has proved to have it.
    Revoked,
    Over,
    /// Its ticket was good once: it has proved to know it.
    TicketOver,
    TicketSpent,
}

impl Refusal {
    const ALL: [Self; 5] = [Self::Unknown, Self::Revoked, Self::Over, Self::TicketOver, Self::TicketSpent];

    pub(crate) fn number(self) -> u8 {
        self as u8
    }

    /// What we do not know is a refusal like any other.
    pub(crate) fn of_number(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Unknown)
    }
}

/// What the tables say.
pub(super) struct Tables<'a> {
    pub(super) own: KeyHash,
    pub(super) authorized: &'a [Authorized],
    pub(super) issued: &'a [Issued],
}

impl Tables<'_> {
    /// Decides. That the client has the key in `bound` was proved by the handshake.
    pub(super) fn judge(&self, bound: &Bound, hello: &Hello, now: Moment) -> Result<Grant, Refusal> {
        if bound.client == self.own {
            // The same user.
            return Ok(Grant { scope: Scope::ADMIN, until: None, proof: None, enrol: None });
        }
        let known: Vec<_> = self.authorized.iter().filter(|row| row.key == bound.client).collect();
        if known.iter().any(|row| row.revoked.is_some()) {
            return Err(Refusal::Revoked);
        }
        match (Allowance::of(&known, now), self.ticket(bound, hello, now)) {
            (None, Err(Refusal::Unknown)) if !known.is_empty() => Err(Refusal::Over),
            (None, Err(refusal)) => Err(refusal),
            (Some(has), Err(_)) => Ok(by_key(has, None)),
            (Some(has), Ok(ticket)) if covers(&known, ticket, now) => {
                Ok(by_key(has, Some(prove(ticket, bound))))
            }
            (_, Ok(ticket)) => {
                let new = enrolled(ticket, bound, &hello.name, now);
                Ok(by_ticket(&known, new, prove(ticket, bound)))
            }
        }
    }

    /// The ticket that it has shown and proved to know, if that is still good for it.
    fn ticket(&self, bound: &Bound, hello: &Hello, now: Moment) -> Result<&Issued, Refusal> {
        let (id, proof) = hello.ticket.as_ref().ok_or(Refusal::Unknown)?;
        let issued = self.issued.iter().find(|row| row.id == TicketId(*id)).ok_or(Refusal::Unknown)?;
        if !issued.proof.is_proved(proof, Role::Client, bound) {
            return Err(Refusal::Unknown);
        }
        match issued.spent {
            _ if issued.is_over(now) => Err(Refusal::TicketOver),
            Some(key) if key != bound.client => Err(Refusal::TicketSpent),
            _ => Ok(issued),
        }
    }
}

fn by_key(has: Allowance, proof: Option<Proof>) -> Grant {
    Grant { scope: has.scope, until: has.until, proof, enrol: None }
}

/// What the ticket gives is added to what its holder has: nobody loses anything by showing one.
fn by_ticket(known: &[&Authorized], new: Authorized, proof: Proof) -> Grant {
    let rows: Vec<_> = known.iter().copied().chain([&new]).collect();
    // The ticket is good, so the new row is.
    let Allowance { scope, until } =
        Allowance::of(&rows, new.since).unwrap_or(Allowance { scope: new.scope, until: new.until });
    Grant { scope, until, proof: Some(proof), enrol: Some(new) }
}

fn prove(ticket: &Issued, bound: &Bound) -> Proof {
    ticket.proof.prove(Role::Server, bound)
}

/// Whether the ticket would give nothing that its holder has not for as long.
fn covers(known: &[&Authorized], ticket: &Issued, now: Moment) -> bool {
    let lasts =
        |row: &&Authorized| row.until.is_none_or(|until| ticket.until.is_some_and(|end| end <= until));
    let lasting: Vec<_> = known.iter().copied().filter(lasts).collect();
    Allowance::of(&lasting, now).is_some_and(|has| has.scope.allows(ticket.scope))
}

fn enrolled(ticket: &Issued, bound: &Bound, name: &str, now: Moment) -> Authorized {
    let (key, scope, until, ticket) = (bound.client, ticket.scope, ticket.until, Some(ticket.id));
    Authorized { key, scope, name: plain(name), since: now, until, ticket, revoked: None }
}

/// A name that can do no harm in a table or on a terminal.
pub(super) fn plain(name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "@._-".contains(letter);
    let plain: String =
        name.chars().take(64).map(|letter| if is_plain(letter) { letter } else { '-' }).collect();
    if plain.is_empty() { "unnamed".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::super::ticket::Ticket;
    use super::*;
    use std::time::Duration;

    const HOUR: Duration = Duration::from_secs(3600);

    fn hash(text: &str) -> KeyHash {
        KeyHash::of_spki(text.as_bytes())
    }

    fn bound(client: &str) -> Bound {
        Bound { exported: [7; 32], client: hash(client), server: hash("server") }
    }

    fn ticket(scope: Scope, until: Option<Moment>) -> Ticket {
        Ticket::new(hash("server"), scope, until).unwrap()
    }

    fn shown(ticket: &Ticket, by: &Bound) -> Hello {
        let proof = ticket.proof_key().prove(Role::Client, by);
        Hello { name: "ada@laptop".into(), ticket: Some((ticket.id().0, proof)) }
    }

    fn nothing() -> Hello {
        Hello { name: "ada".into(), ticket: None }
    }

    fn judge(
        authorized: &[Authorized],
        issued: &[Issued],
        by: &Bound,
        hello: &Hello,
    ) -> Result<Grant, Refusal> {
        Tables { own: hash("server"), authorized, issued }.judge(by, hello, now())
    }

    fn now() -> Moment {
        Moment::from_seconds(1_800_000_000).unwrap()
    }

    fn row(client: &str, until: Option<Moment>, revoked: Option<Moment>) -> Authorized {
        let (key, name) = (hash(client), client.to_owned());
        Authorized { key, scope: Scope::RUN, name, since: now(), until, ticket: None, revoked }
    }

    #[test]
    fn nobody_is_let_in_for_nothing() {
        assert_eq!(judge(&[], &[], &bound("ada"), &nothing()), Err(Refusal::Unknown));
        let unknown = ticket(Scope::ADMIN, None);
        assert_eq!(judge(&[], &[], &bound("ada"), &shown(&unknown, &bound("ada"))), Err(Refusal::Unknown));
    }

    #[test]
    fn the_same_user_is_let_in_with_everything() {
        let grant = judge(&[], &[], &bound("server"), &nothing()).unwrap();
        assert!(grant.scope.allows(Scope::ADMIN) && grant.enrol.is_none());
    }

    #[test]
    fn a_ticket_enrols_its_holder_on_its_terms() {
        let until = Some(now().after(HOUR));
        let ticket = ticket(Scope::SHARE, until);
        let issued = [Issued::new(&ticket, false, now())];
        let grant = judge(&[], &issued, &bound("ada"), &shown(&ticket, &bound("ada"))).unwrap();
        let row = grant.enrol.unwrap();
        assert_eq!((row.key, row.scope, row.until), (hash("ada"), Scope::SHARE, until));
        assert!(ticket.proof_key().is_proved(&grant.proof.unwrap(), Role::Server, &bound("ada")));
        let again = judge(&[row], &[], &bound("ada"), &nothing()).unwrap();
        assert_eq!((again.scope, again.until, again.enrol), (Scope::SHARE, until, None));
    }

    #[test]
    fn whoever_saw_a_proof_cannot_use_it() {
        let ticket = ticket(Scope::RUN, None);
        let issued = [Issued::new(&ticket, false, now())];
        let seen = shown(&ticket, &bound("ada"));
        assert_eq!(judge(&[], &issued, &bound("mallory"), &seen), Err(Refusal::Unknown));
    }

    #[test]
    fn a_ticket_for_one_is_spent_by_the_first_and_stays_theirs() {
        let ticket = ticket(Scope::RUN, None);
        let issued = [Issued { spent: Some(hash("ada")), ..Issued::new(&ticket, true, now()) }];
        let late = shown(&ticket, &bound("bob"));
        assert_eq!(judge(&[], &issued, &bound("bob"), &late), Err(Refusal::TicketSpent));
        let again = shown(&ticket, &bound("ada"));
        assert!(judge(&[row("ada", None, None)], &issued, &bound("ada"), &again).is_ok());
    }

    #[test]
    fn what_is_over_is_told_to_who_had_it_and_to_nobody_else() {
        let ticket = ticket(Scope::RUN, Some(now()));
        let issued = [Issued::new(&ticket, false, now())];
        let ada = bound("ada");
        assert_eq!(judge(&[], &issued, &ada, &shown(&ticket, &ada)), Err(Refusal::TicketOver));
        let wrong = Hello { ticket: Some((ticket.id().0, [0; 32])), ..nothing() };
        assert_eq!(judge(&[], &issued, &ada, &wrong), Err(Refusal::Unknown));
        assert_eq!(judge(&[row("ada", Some(now()), None)], &[], &ada, &nothing()), Err(Refusal::Over));
    }

    #[test]
    fn no_ticket_brings_a_revoked_key_back() {
        let ticket = ticket(Scope::RUN, None);
        let issued = [Issued::new(&ticket, false, now())];
        let gone = [row("ada", None, Some(now()))];
        let hello = shown(&ticket, &bound("ada"));
        assert_eq!(judge(&gone, &issued, &bound("ada"), &hello), Err(Refusal::Revoked));
    }

    #[test]
    fn a_smaller_ticket_takes_nothing_away_and_a_larger_one_adds() {
        let known = [row("ada", None, None)];
        let judged = |ticket: &Ticket| {
            let issued = [Issued::new(ticket, false, now())];
            judge(&known, &issued, &bound("ada"), &shown(ticket, &bound("ada"))).unwrap()
        };
        let smaller = judged(&ticket(Scope::STATUS, Some(now().after(HOUR))));
        assert_eq!((smaller.scope, smaller.until, smaller.enrol), (Scope::RUN, None, None));
        let larger = judged(&ticket(Scope::ADMIN, None));
        assert!(larger.scope.allows(Scope::ADMIN));
        assert_eq!(larger.enrol.unwrap().scope, Scope::ADMIN);
    }

    /// What each gave ends when that says, and no sooner or later for the other.
    #[test]
    fn tickets_of_several_scopes_add_up_and_each_ends_in_its_own_time() {
        let until = now().after(HOUR);
        let ticket = ticket(Scope::FILES, Some(until));
        let issued = [Issued::new(&ticket, false, now())];
        let share = Authorized { scope: Scope::SHARE, ..row("ada", None, None) };
        let ada = bound("ada");
        let both = judge(std::slice::from_ref(&share), &issued, &ada, &shown(&ticket, &ada)).unwrap();
        assert_eq!((both.scope, both.until), (Scope::SHARE | Scope::FILES, Some(until)));
        let rows = [share, both.enrol.unwrap()];
        assert_eq!(rows[1].scope, Scope::FILES, "the ticket did not make what it says last longer");
        let more = [row("ada", Some(until), None), rows[0].clone()];
        let known_already = judge(&more, &issued, &ada, &shown(&ticket, &ada)).unwrap();
        assert_eq!(known_already.enrol, None, "who may run may send files for as long");
        let later = |then| {
            Tables { own: hash("server"), authorized: &rows, issued: &[] }.judge(&ada, &nothing(), then)
        };
        assert_eq!(later(now()).unwrap().scope, Scope::SHARE | Scope::FILES);
        let left = later(until).unwrap();
        assert_eq!((left.scope, left.until), (Scope::SHARE, None));
    }

    #[test]
    fn one_row_that_is_revoked_takes_all_of_its_key_along() {
        let rows = [row("ada", None, None), row("ada", None, Some(now()))];
        assert_eq!(judge(&rows, &[], &bound("ada"), &nothing()), Err(Refusal::Revoked));
        let standing = super::super::Standing { own: hash("server"), authorized: rows.into(), now: now() };
        assert_eq!(standing.of(hash("ada")), None);
    }

    #[test]
    fn a_name_does_no_harm_in_a_table() {
        assert_eq!(plain("ada@laptop"), "ada@laptop");
        assert_eq!(plain("a b\n# \x1b[2Jrevoked=x"), "a-b-----2Jrevoked-x");
        assert_eq!(plain(""), "unnamed");
        assert_eq!(plain(&"x".repeat(1000)).len(), 64);
    }

    #[test]
    fn a_refusal_is_read_as_it_was_told() {
        for refusal in Refusal::ALL {
            assert_eq!(Refusal::of_number(refusal.number()), refusal);
        }
        assert_eq!(Refusal::of_number(200), Refusal::Unknown);
    }
}
