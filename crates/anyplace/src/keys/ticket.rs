//! A ticket: what lets somebody in who is not known yet, as one word of an address.

use super::{KeyHash, Moment, Scope, base32};
use crate::error::{Error, Result};
use ring::{digest, hmac};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Lets somebody into an offered place who is not known there yet: `ap1.` and 98 letters of base32.
///
/// | bytes | what |
/// |---|---|
/// | 32 | the hash of the server's key: the client talks to no other |
/// | 16 | a secret that only the server and the holders of the ticket know; it never crosses the wire |
/// | 1 | the scope |
/// | 8 | until when it is good, in seconds since 1970, big-endian; 0 is for ever |
/// | 4 | the first bytes of the SHA-256 of all before, for slips of the pen |
///
/// Whoever has it can do what its scope says, so it is shown by nothing but [`reveal`](Self::reveal).
///
/// ```
/// use anyplace::keys::{Keys, Scope, Ticket};
///
/// let ticket = Keys::in_memory().issue(Scope::RUN, None, false)?;
/// let same: Ticket = ticket.reveal().parse()?;
/// assert_eq!(same.scope(), Scope::RUN);
/// assert_eq!(same.to_string(), "ap1.***");
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    pub(super) key: KeyHash,
    secret: [u8; Self::SECRET],
    scope: Scope,
    until: Option<Moment>,
}

/// What a server keeps of a ticket's secret, and a client makes of it: enough to check a proof, not to print the ticket.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ProofKey(pub(super) [u8; 32]);

/// Which ticket; no secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TicketId(pub(super) [u8; 10]);

impl Ticket {
    const SECRET: usize = 16;
    const BODY: usize = KeyHash::LENGTH + Self::SECRET + 1 + 8;
    const CHECK: usize = 4;

    /// A new one, with a new secret.
    pub(super) fn new(key: KeyHash, scope: Scope, until: Option<Moment>) -> Result<Self> {
        Ok(Self { key, secret: crate::random::bytes()?, scope, until })
    }

    /// What stands before the `#` of an endpoint, and the ticket behind it, if there is one.
    ///
    /// # Errors
    /// As parsing a ticket; none of them shows it.
    ///
    /// ```
    /// use anyplace::keys::{Keys, Scope, Ticket};
    ///
    /// let ticket = Keys::in_memory().issue(Scope::RUN, None, false)?;
    /// let text = format!("tcp://host:7777#{}", ticket.reveal());
    /// assert_eq!(Ticket::split(&text)?, ("tcp://host:7777", Some(ticket)));
    /// # Ok::<(), anyplace::Error>(())
    /// ```
    pub fn split(endpoint: &str) -> Result<(&str, Option<Self>)> {
        match endpoint.split_once('#') {
            None => Ok((endpoint, None)),
            Some((endpoint, ticket)) => Ok((endpoint, Some(ticket.parse()?))),
        }
    }

    /// The key of the server that issued it.
    pub fn key(&self) -> KeyHash {
        self.key
    }

    /// What it allows.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Until when it is good; `None` is for ever.
    pub fn until(&self) -> Option<Moment> {
        self.until
    }

    /// The whole text, with its secret: for a program that hands it on, never for a log.
    pub fn reveal(&self) -> String {
        let mut bytes = self.body();
        bytes.extend(check(&bytes));
        format!("ap1.{}", base32::encode(&bytes))
    }

    pub(crate) fn id(&self) -> TicketId {
        let derived = self.derive("anyplace ticket id");
        TicketId(derived[..10].try_into().expect("10 of 32 bytes"))
    }

    pub(crate) fn proof_key(&self) -> ProofKey {
        ProofKey(self.derive("anyplace ticket proof"))
    }

    fn derive(&self, purpose: &str) -> [u8; 32] {
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.secret), purpose.as_bytes());
        derived.as_ref().try_into().expect("HMAC-SHA256 has 32 bytes")
    }

    fn body(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::BODY + Self::CHECK);
        bytes.extend(self.key.as_bytes());
        bytes.extend(self.secret);
        bytes.push(self.scope.bits());
        bytes.extend(self.until.map_or(0, Moment::seconds).to_be_bytes());
        bytes
    }

    fn of_body(body: &[u8]) -> Option<Self> {
        let (key, body) = body.split_first_chunk()?;
        let (secret, body) = body.split_first_chunk()?;
        let (scope, body) = body.split_first()?;
        let seconds = u64::from_be_bytes(body.try_into().ok()?);
        let until = if seconds == 0 { None } else { Some(Moment::from_seconds(seconds)?) };
        Some(Self {
            key: KeyHash::from_bytes(*key),
            secret: *secret,
            scope: Scope::from_bits(*scope)?,
            until,
        })
    }
}

/// The text with `***` for whatever may be the secret of a ticket, wherever in it: it may have come to the wrong place, such as
/// behind an option, and be quoted from there.
pub(crate) fn without_secrets(text: Cow<'static, str>) -> Cow<'static, str> {
    const BEGIN: &str = "ap1.";
    let secret = |rest: &str| rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let is_secret = |at: usize| secret(&text[at + BEGIN.len()..]) > SHORT;
    let Some(first) = text.match_indices(BEGIN).map(|(at, _)| at).find(|at| is_secret(*at)) else {
        return text;
    };
    let (before, rest) = (&text[..first], &text[first + BEGIN.len()..]);
    let after = without_secrets(rest[secret(rest)..].to_owned().into());
    format!("{before}{BEGIN}***{after}").into()
}

/// What has so few letters behind `ap1.` lets nobody in.
const SHORT: usize = 12;

/// The text with `***` for each ticket in it, and for what may be one with a slip of the pen.
pub(crate) fn without_tickets(text: &str) -> String {
    let mut parts = text.split('#');
    let mut shown = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let (ticket, rest) = part.split_at(part.find([',', '?', '/']).unwrap_or(part.len()));
        let is_ticket = ticket.get(..2).is_some_and(|begin| begin.eq_ignore_ascii_case("ap"));
        shown.push_str(if is_ticket { "#ap1.***" } else { "#" });
        shown.push_str(if is_ticket { rest } else { part });
    }
    shown
}

fn check(body: &[u8]) -> [u8; Ticket::CHECK] {
    let digest = digest::digest(&digest::SHA256, body);
    digest.as_ref()[..Ticket::CHECK].try_into().expect("4 of 32 bytes")
}

impl FromStr for Ticket {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let Some(letters) = text.strip_prefix("ap1.") else { return Err(no_ticket(text)) };
        let bytes = base32::decode_array::<{ Self::BODY + Self::CHECK }>(letters).ok_or_else(damaged)?;
        let (body, sum) = bytes.split_at(Self::BODY);
        if check(body) != sum {
            return Err(damaged());
        }
        Self::of_body(body).ok_or_else(newer)
    }
}

// None of them says a letter of the text: it may be a ticket with a slip of the pen.

fn no_ticket(text: &str) -> Error {
    let version = text.strip_prefix("ap").and_then(|rest| rest.split_once('.'));
    if version.is_some_and(|(version, _)| version.parse::<u32>().is_ok()) {
        return newer();
    }
    Error::config("what stands behind `#` is no ticket: it does not begin with `ap1.`")
        .with_help("copy the whole address that `anyplace serve` printed")
}

fn damaged() -> Error {
    Error::config("the ticket was damaged on its way here: letters are missing, or wrong")
        .with_help("copy the whole address that `anyplace serve` printed, to its last letter")
}

fn newer() -> Error {
    Error::new(crate::Kind::VersionMismatch, "the ticket is of a kind that this version does not know")
        .with_help("use the same version of anyplace on both machines")
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ap1.***")
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({}, {:?}, {:?}, ***)", self.key.short(), self.scope, self.until)
    }
}

impl ProofKey {
    /// For the file of the server, which nobody else reads.
    pub(super) fn letters(&self) -> String {
        base32::encode(&self.0)
    }
}

impl FromStr for ProofKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        base32::decode_array(text).map(Self).ok_or(())
    }
}

impl FromStr for TicketId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        base32::decode_array(text).map(Self).ok_or(())
    }
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProofKey(***)")
    }
}

impl fmt::Display for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32::encode(&self.0))
    }
}

impl fmt::Debug for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TicketId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use proptest::prelude::*;

    fn ticket() -> Ticket {
        let until = Moment::from_seconds(2_000_000_000);
        Ticket::new(KeyHash::of_spki(b"a key"), Scope::default(), until).unwrap()
    }

    #[test]
    fn a_ticket_reads_as_it_was_revealed() {
        for until in [None, Some(Moment::now())] {
            let ticket = Ticket { until, ..ticket() };
            let text = ticket.reveal();
            assert_eq!(text.len(), "ap1.".len() + 98);
            assert_eq!(text.parse::<Ticket>().unwrap(), ticket);
        }
    }

    /// Wherever it was written by mistake: whoever quotes that quotes no secret.
    #[test]
    fn no_error_tells_a_ticket() {
        let ticket = ticket().reveal();
        for wrong in ["threads:2#", "tcp://h:1?reconnect=foo#", "tcp://h:1/", "unix:/a/b#", "lambda:"] {
            let Err(error) = crate::open(format!("{wrong}{ticket}")) else { panic!("{wrong} was opened") };
            let shown = format!("{error:?} {error} {:?}", error.help());
            assert!(!shown.contains(&ticket[4..20]), "{shown}");
        }
        let error =
            Error::config(format!("{ticket} and {ticket}, `ap1.***`, ap1...")).with_help(ticket.clone());
        assert_eq!(error.message(), "ap1.*** and ap1.***, `ap1.***`, ap1...");
        assert_eq!(error.help(), Some("ap1.***"));
    }

    #[test]
    fn two_tickets_have_two_secrets() {
        assert_ne!(ticket().secret, ticket().secret);
    }

    #[test]
    fn a_ticket_is_shown_without_its_secret() {
        let ticket = ticket();
        let secret = base32::encode(&ticket.secret);
        for shown in [format!("{ticket}"), format!("{ticket:?}"), format!("{:?}", ticket.proof_key())] {
            assert!(shown.contains("***") && !shown.contains(&secret[..8]), "{shown}");
            assert!(
                !ticket.reveal().contains(shown.trim_end_matches("***")) || shown == "ap1.***",
                "{shown}"
            );
        }
    }

    #[test]
    fn every_slip_of_the_pen_is_found_and_no_letter_of_it_is_told() {
        let text = ticket().reveal();
        for at in "ap1.".len()..text.len() {
            let other = if &text[at..=at] == "a" { "b" } else { "a" };
            for wrong in [
                format!("{}{other}{}", &text[..at], &text[at + 1..]),
                format!("{}{}", &text[..at], &text[at + 1..]),
                format!("{}{other}{}", &text[..at], &text[at..]),
            ] {
                let error = wrong.parse::<Ticket>().unwrap_err();
                assert_eq!(error.message(), damaged().message());
            }
        }
    }

    #[test]
    fn the_tickets_in_an_address_are_never_shown() {
        let ticket = ticket().reveal();
        for (text, shown) in [
            ("//a:1#TICKET", "//a:1#ap1.***"),
            ("//a:1#TICKET,b:2#TICKET", "//a:1#ap1.***,b:2#ap1.***"),
            ("//a:1#TICKET?x=y#z", "//a:1#ap1.***?x=y#z"),
            ("//a:1#apl.abc", "//a:1#ap1.***"),
            ("//a:1", "//a:1"),
        ] {
            assert_eq!(without_tickets(&text.replace("TICKET", &ticket)), shown);
        }
        let address = format!("retry=3::tcp://host:7777#{ticket}?reconnect=1s");
        let parsed: crate::Address = address.parse().unwrap();
        assert_eq!(parsed.to_string(), "retry=3::tcp://host:7777#ap1.***?reconnect=1s");
        assert_eq!(parsed.reveal(), address);
        let error = format!("tcp://host#{ticket}").parse::<crate::net::Endpoint>().unwrap_err();
        assert!(!format!("{error:?}").contains(&ticket[..10]), "{error:?}");
    }

    #[test]
    fn a_ticket_of_another_version_is_said_to_be_one() {
        assert_eq!("ap2.abc".parse::<Ticket>().unwrap_err().kind(), Kind::VersionMismatch);
        assert_eq!("hunter2".parse::<Ticket>().unwrap_err().kind(), Kind::ConfigInvalid);
        let unknown = Ticket { scope: Scope::ADMIN, ..ticket() };
        let mut body = unknown.body();
        body[48] = 0x80;
        body.extend(check(&body));
        let text = format!("ap1.{}", base32::encode(&body));
        assert_eq!(text.parse::<Ticket>().unwrap_err().kind(), Kind::VersionMismatch);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange_to_be_refused(text in "(ap1\\.)?.{0,200}") {
            prop_assert!(text.parse::<Ticket>().is_err());
        }
    }
}
