//! What is said of a meeting that failed: to its user at the client, to its owner at the server. None of it goes over the wire.

use super::verdict::Refusal;
use super::{KeyHash, Moment, Ticket};
use crate::error::{Error, Kind, Retry};
use crate::net::tls::pinned;
use crate::wire::Malformed;
use std::io::{self, ErrorKind};

const NEW_TICKET: &str = "ask whoever offers the place for a new ticket, and open the address with that";

pub(super) fn ended() -> Error {
    Error::new(Kind::ConnectionLost, "the other end closed the connection before it said who it is")
        .with_retry(Retry::Safe)
}

pub(super) fn garbled(malformed: Malformed) -> Error {
    Error::new(Kind::Unexpected, format!("the other end does not speak as peers do: {malformed}"))
}

pub(super) fn denied(message: String) -> Error {
    Error::new(Kind::PermissionDenied, message)
}

/// What went wrong before a word was said.
pub(super) fn unspoken(error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::TimedOut => Error::new(Kind::Timeout, "the other end took too long to say who it is"),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => ended(),
        ErrorKind::InvalidData => {
            Error::new(Kind::PermissionDenied, format!("the other end cannot be agreed with: {error}"))
        }
        _ => return Error::from(error),
    }
    .with_source(error)
}

pub(super) fn not_agreed(error: io::Error, at: &str, ticket: Option<&Ticket>, is_known: bool) -> Error {
    let Some(found) = pinned::found_key(&error) else {
        return unspoken(error)
            .with_help("see whether a place is offered there, by the same version of anyplace");
    };
    let message = match ticket {
        Some(ticket) => format!(
            "`{at}` is not the server that issued the ticket: it has the key {}, not {}",
            found.short(),
            ticket.key().short()
        ),
        None if is_known => format!("`{at}` has another key than before: {}", found.short()),
        None => format!("`{at}` is not known here: it has the key {}", found.short()),
    };
    let help = match ticket.is_some() || is_known {
        true => {
            "nothing was sent to it. If its key was changed on purpose, open the address with a new ticket; if not, somebody may stand in between"
        }
        false => {
            "nothing was sent to it. Open the address with its ticket, `tcp://host:port#ap1...`, as `anyplace serve` printed it"
        }
    };
    denied(message).with_help(help)
}

/// What the server's refusal means to us.
pub(super) fn refused(refusal: Refusal, at: &str, ticket: Option<&Ticket>) -> Error {
    let over = ticket.and_then(Ticket::until).filter(|until| *until <= Moment::now());
    let (message, help) = match (refusal, over) {
        (Refusal::Revoked, _) => (
            format!("`{at}` has revoked this user's key"),
            "ask whoever offers the place; `anyplace keys rotate` makes a new key, which needs a new ticket",
        ),
        (Refusal::Over, _) => (format!("this user's time at `{at}` is over"), NEW_TICKET),
        (Refusal::TicketSpent, _) => {
            (format!("the ticket for `{at}` was for one, and somebody else has used it"), NEW_TICKET)
        }
        (Refusal::TicketOver, Some(until)) | (Refusal::Unknown, Some(until)) => {
            (format!("the ticket for `{at}` was good until {until}"), NEW_TICKET)
        }
        (Refusal::TicketOver, None) => (format!("the time of the ticket for `{at}` is over"), NEW_TICKET),
        (Refusal::Unknown, None) if ticket.is_some() => {
            (format!("`{at}` does not know this ticket: it was revoked"), NEW_TICKET)
        }
        (Refusal::Unknown, None) => (
            format!("`{at}` does not know this user's key"),
            "open the address with a ticket, `tcp://host:port#ap1...`, as `anyplace serve` prints it",
        ),
    };
    denied(message).with_help(help)
}

/// The server did not prove to know the ticket's secret.
pub(super) fn not_its_ticket(at: &str) -> Error {
    denied(format!("`{at}` did not issue this ticket")).with_help(NEW_TICKET)
}

/// For who offers the place.
pub(super) fn turned_away(peer: KeyHash, refusal: Refusal) -> Error {
    denied(format!("the client {peer} was refused: {}", logged(refusal)))
        .with_help("`anyplace keys list` shows who may come in")
}

fn logged(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Unknown => "it has no key that is known here, and no ticket",
        Refusal::Revoked => "its key was revoked",
        Refusal::Over => "its time is over",
        Refusal::TicketOver => "the time of its ticket is over",
        Refusal::TicketSpent => "its ticket was for one, and is spent",
    }
}
