//! The first words of a conversation, before anything else is heard.

use crate::error::{Error, Kind as Wrong, Result, Retry};
use crate::net::Stream;
use crate::wire::peer::{Greeting, LONGEST_GREETING};
use crate::wire::{Inbox, Kind};
use std::time::Instant;

/// Says who we are, and hears who the other side is. Both sides speak at once.
///
/// # Errors
/// `VersionMismatch` if the two do not speak the same; `Unreachable` if the other side is no peer of anyplace; `Timeout`.
pub(crate) fn greet(stream: &Stream, mine: &Greeting, until: Option<Instant>) -> Result<Greeting> {
    stream.write(&mine.frame().to_vec(), until)?;
    let theirs = read(stream, until)?;
    if theirs.is_understood() {
        return Ok(theirs);
    }
    Err(Error::new(
        Wrong::VersionMismatch,
        format!(
            "`{}` has anyplace {}, whose conversations are not those of {} here",
            stream.endpoint(),
            theirs.engine,
            mine.engine
        ),
    )
    .at(stream.endpoint())
    .with_retry(Retry::Safe)
    .with_help("install the same version at both ends"))
}

fn read(stream: &Stream, until: Option<Instant>) -> Result<Greeting> {
    let mut inbox = Inbox::limited(LONGEST_GREETING);
    loop {
        // What follows the greeting belongs to the conversation, so not a byte more than it is taken.
        let mut byte = [0; 1];
        match stream.read(&mut byte, until)? {
            0 => return Err(stranger(stream, "it said nothing")),
            _ => inbox.feed(&byte),
        }
        match inbox.next() {
            Ok(None) => {}
            Ok(Some((Kind::Greet, body))) => {
                return Greeting::read(body).map_err(|malformed| stranger(stream, malformed));
            }
            Ok(Some(_)) => return Err(stranger(stream, "it did not greet")),
            Err(malformed) => return Err(stranger(stream, malformed)),
        }
    }
}

fn stranger(stream: &Stream, why: impl std::fmt::Display) -> Error {
    Error::new(
        Wrong::Unreachable,
        format!("who answers at `{}` is no place of anyplace: {why}", stream.endpoint()),
    )
    .at(stream.endpoint())
    .with_retry(Retry::Safe)
    .with_help("see which program listens there; places are served by `anyplace serve`")
}
