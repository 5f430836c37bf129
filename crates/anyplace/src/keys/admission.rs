//! Meeting: what turns a connected stream into one whose other end is known and may be here.
//!
//! Over TCP it is TLS and then one message each way; over a unix socket the kernel says who is there, and nobody has to
//! say anything.

use super::proof::{Bound, Role};
use super::verdict::Refusal;
use super::{KeyHash, Keys, Moment, Scope, Ticket};
use crate::error::{Error, Kind, Result, Retry};
use crate::net::tls::pinned::{self, Pinned};
use crate::net::{Endpoint, Stream};
use crate::wire::admission::{Answer, Hello, length};
use std::io::{self, ErrorKind};
use std::time::Instant;

/// What only the two ends of a session can compute; the label makes it different from what others compute of it.
const EXPORTER: &[u8] = b"EXPORTER-anyplace";

/// A client that was let in.
#[derive(Debug)]
#[non_exhaustive]
pub struct Admitted {
    /// What to talk to it by.
    pub stream: Stream,
    /// Its key; `None` over a unix socket, where it is a process of the same user.
    pub key: Option<KeyHash>,
    /// What it may do.
    pub scope: Scope,
    /// Until when it may; `None` is for ever.
    pub until: Option<Moment>,
}

/// A server that let us in.
#[derive(Debug)]
#[non_exhaustive]
pub struct Joined {
    /// What to talk to it by.
    pub stream: Stream,
    /// Its key; `None` over a unix socket, where it is a process of the same user.
    pub key: Option<KeyHash>,
    /// What we may do there.
    pub scope: Scope,
    /// Until when we may; `None` is for ever.
    pub until: Option<Moment>,
}

/// Lets the client at the other end of a stream in, if its key or its ticket is good, until `until`: a peer that says
/// nothing, or says it slowly, takes no longer. Wants a thread of its own, since it waits for the peer.
///
/// # Errors
/// `PermissionDenied` if it may not come in; `Timeout`, `ConnectionLost`, or `Unexpected` if it does not speak as it should.
/// Whatever it is, the stream is closed, and the client was told no more than that it was refused, unless it proved that it
/// was once welcome.
pub fn admit(stream: Stream, keys: &Keys, until: Instant) -> Result<Admitted> {
    if let Endpoint::Unix(_) = stream.endpoint() {
        check_user(&stream)?;
        return Ok(Admitted { stream, key: None, scope: Scope::ADMIN, until: None });
    }
    let identity = keys.identity()?;
    let Pinned { tls, peer } = pinned::server(stream, &identity, Some(until)).map_err(unspoken)?;
    let bound =
        Bound { exported: tls.exported(EXPORTER).map_err(unspoken)?, client: peer, server: identity.hash() };
    let stream = tls.into_stream();
    let hello = Hello::read(&message(&stream, until)?).map_err(garbled)?;
    match keys.enter(&bound, &hello)? {
        Err(refusal) => {
            stream.write(&Answer::Refused(refusal.number()).bytes(), Some(until))?;
            stream.finish(Some(until))?;
            Err(Error::new(
                Kind::PermissionDenied,
                format!("the client {peer} was refused: {}", logged(refusal)),
            ))
        }
        Ok(grant) => {
            let until_then = grant.until.map_or(0, Moment::seconds);
            let welcome =
                Answer::Welcome { scope: grant.scope.bits(), until: until_then, proof: grant.proof };
            stream.write(&welcome.bytes(), Some(until))?;
            Ok(Admitted { stream, key: Some(peer), scope: grant.scope, until: grant.until })
        }
    }
}

/// Comes in at the other end of a connected stream. The server must have the key on the ticket; without one, the key that it
/// had when it was met before, or our own. Nothing of ours is sent before that is certain.
///
/// # Errors
/// `PermissionDenied` if it is another server, or if this one refuses us, with what is known of why; `Timeout`;
/// `ConnectionLost`; `VersionMismatch`.
pub fn join(stream: Stream, keys: &Keys, ticket: Option<&Ticket>, until: Instant) -> Result<Joined> {
    if let Endpoint::Unix(_) = stream.endpoint() {
        check_user(&stream)?;
        return Ok(Joined { stream, key: None, scope: Scope::ADMIN, until: None });
    }
    let at = authority(stream.endpoint());
    let identity = keys.identity()?;
    let pins = keys.pins(&at, ticket)?;
    let is_known = pins.len() > 1;
    let Pinned { tls, peer } = pinned::client(stream, &identity, pins, Some(until))
        .map_err(|error| not_agreed(error, &at, ticket, is_known))?;
    let bound =
        Bound { exported: tls.exported(EXPORTER).map_err(unspoken)?, client: identity.hash(), server: peer };
    let stream = tls.into_stream();
    let shown = ticket.map(|ticket| (ticket.id().0, ticket.proof_key().prove(Role::Client, &bound)));
    stream.write(&Hello { name: own_name(), ticket: shown }.bytes(), Some(until))?;
    let answer = Answer::read(&message(&stream, until)?).map_err(garbled)?;
    let Answer::Welcome { scope, until: then, proof } = answer else {
        return Err(refused(&answer, &at, ticket));
    };
    if let (Some(ticket), Some(proof)) = (ticket, proof)
        && !ticket.proof_key().is_proved(&proof, Role::Server, &bound)
    {
        return Err(denied(format!("`{at}` did not issue this ticket")).with_help(NEW_TICKET));
    }
    keys.remember(&at, peer)?;
    let scope = Scope::from_bits(scope).ok_or_else(|| garbled(crate::wire::Malformed("a scope")))?;
    let until = if then == 0 { None } else { Moment::from_seconds(then) };
    Ok(Joined { stream, key: Some(peer), scope, until })
}

/// `host:port`: what a server is remembered by.
fn authority(endpoint: &Endpoint) -> String {
    let text = endpoint.to_string();
    text.split_once("://").map_or(text.as_str(), |(_, authority)| authority).to_owned()
}

const NEW_TICKET: &str = "ask whoever offers the place for a new ticket, and open the address with that";

/// The kernel says whose process is at the other end of a unix socket.
fn check_user(stream: &Stream) -> Result<()> {
    let ours = rustix::process::geteuid().as_raw();
    let theirs = stream.credentials()?.map(|credentials| credentials.uid);
    if theirs == Some(ours) {
        return Ok(());
    }
    let theirs = theirs.map_or_else(|| "nobody".to_owned(), |user| format!("user {user}"));
    let endpoint = stream.endpoint();
    Err(denied(format!(
        "the process at the other end of `{endpoint}` is of {theirs}, and this one of user {ours}"
    ))
    .with_help("unix sockets are for processes of one user; others are let in over tcp, with a ticket"))
}

/// How this machine is called: what the server's table says of us.
fn own_name() -> String {
    let name = rustix::system::uname();
    super::verdict::plain(&name.nodename().to_string_lossy())
}

/// One message, never more than the limit, however much is announced.
fn message(stream: &Stream, until: Instant) -> Result<Vec<u8>> {
    let mut head = [0; 2];
    fill(stream, &mut head, until)?;
    let mut body = vec![0; length(head).map_err(garbled)?];
    fill(stream, &mut body, until)?;
    Ok(body)
}

fn fill(stream: &Stream, mut into: &mut [u8], until: Instant) -> Result<()> {
    while !into.is_empty() {
        match stream.read(into, Some(until))? {
            0 => return Err(ended()),
            read => into = &mut into[read..],
        }
    }
    Ok(())
}

fn ended() -> Error {
    Error::new(Kind::ConnectionLost, "the other end closed the connection before it said who it is")
        .with_retry(Retry::Safe)
}

fn garbled(malformed: crate::wire::Malformed) -> Error {
    Error::new(Kind::Unexpected, format!("the other end does not speak as peers do: {malformed}"))
}

fn denied(message: String) -> Error {
    Error::new(Kind::PermissionDenied, message)
}

/// What went wrong before a word was said.
fn unspoken(error: io::Error) -> Error {
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

fn not_agreed(error: io::Error, at: &str, ticket: Option<&Ticket>, is_known: bool) -> Error {
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
fn refused(answer: &Answer, at: &str, ticket: Option<&Ticket>) -> Error {
    let Answer::Refused(number) = answer else { return garbled(crate::wire::Malformed("a refusal")) };
    let over = ticket.and_then(Ticket::until).filter(|until| *until <= Moment::now());
    let (message, help) = match (Refusal::of_number(*number), over) {
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

/// For the server's own log.
fn logged(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Unknown => "it has no key that is known here, and no ticket",
        Refusal::Revoked => "its key was revoked",
        Refusal::Over => "its time is over",
        Refusal::TicketOver => "the time of its ticket is over",
        Refusal::TicketSpent => "its ticket was for one, and is spent",
    }
}
