//! Meeting: what turns a connected stream into one whose other end is known and may be here.
//!
//! Over TCP it is TLS and then one message each way; over a unix socket the kernel says who is there, and nobody has to
//! say anything.

use super::proof::{Bound, Role};
use super::refused::{denied, ended, garbled, not_agreed, not_its_ticket, refused, turned_away, unspoken};
use super::verdict::{Grant, Refusal};
use super::{KeyHash, Keys, Moment, Scope, Ticket};
use crate::error::Result;
use crate::net::tls::pinned::{self, Pinned};
use crate::net::{Endpoint, Stream};
use crate::wire::Malformed;
use crate::wire::admission::{Answer, Hello, length};
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
    let exported = tls.exported(EXPORTER).map_err(unspoken)?;
    let bound = Bound { exported, client: peer, server: identity.hash() };
    let stream = tls.into_stream();
    let hello = Hello::read(&message(&stream, until)?).map_err(garbled)?;
    let verdict = keys.enter(&bound, &hello)?;
    stream.write(&answer(&verdict).bytes(), Some(until))?;
    match verdict {
        Ok(grant) => Ok(Admitted { stream, key: Some(peer), scope: grant.scope, until: grant.until }),
        Err(refusal) => {
            // So that it hears the answer, and not only that the connection was closed.
            stream.finish(Some(until))?;
            Err(turned_away(peer, refusal))
        }
    }
}

fn answer(verdict: &std::result::Result<Grant, Refusal>) -> Answer {
    match verdict {
        Err(refusal) => Answer::Refused(refusal.number()),
        Ok(Grant { scope, until, proof, .. }) => {
            let until = until.map_or(0, Moment::seconds);
            Answer::Welcome { scope: scope.bits(), until, proof: *proof }
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
    let (stream, bound) = recognise(stream, keys, &at, ticket, until)?;
    let shown = ticket.map(|ticket| (ticket.id().0, ticket.proof_key().prove(Role::Client, &bound)));
    stream.write(&Hello { name: own_name(), ticket: shown }.bytes(), Some(until))?;
    let (scope, until, proof) = match Answer::read(&message(&stream, until)?).map_err(garbled)? {
        Answer::Refused(number) => return Err(refused(Refusal::of_number(number), &at, ticket)),
        Answer::Welcome { scope, until, proof } => (scope, until, proof),
    };
    if let (Some(ticket), Some(proof)) = (ticket, proof)
        && !ticket.proof_key().is_proved(&proof, Role::Server, &bound)
    {
        return Err(not_its_ticket(&at));
    }
    keys.remember(&at, bound.server)?;
    let scope = Scope::from_bits(scope).ok_or_else(|| garbled(Malformed("a scope")))?;
    let until = if until == 0 { None } else { Moment::from_seconds(until) };
    Ok(Joined { stream, key: Some(bound.server), scope, until })
}

/// Agrees on keys with the server, if it is the right one.
fn recognise(
    stream: Stream,
    keys: &Keys,
    at: &str,
    ticket: Option<&Ticket>,
    until: Instant,
) -> Result<(Stream, Bound)> {
    let identity = keys.identity()?;
    let pins = keys.pins(at, ticket)?;
    let is_known = pins.len() > 1;
    let Pinned { tls, peer } = pinned::client(stream, &identity, pins, Some(until))
        .map_err(|error| not_agreed(error, at, ticket, is_known))?;
    let exported = tls.exported(EXPORTER).map_err(unspoken)?;
    Ok((tls.into_stream(), Bound { exported, client: identity.hash(), server: peer }))
}

/// `host:port`: what a server is remembered by.
fn authority(endpoint: &Endpoint) -> String {
    let text = endpoint.to_string();
    text.split_once("://").map_or(text.as_str(), |(_, authority)| authority).to_owned()
}

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
