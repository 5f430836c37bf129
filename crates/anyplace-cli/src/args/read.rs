//! What the engine reads. The parser of the command line shows one line of an error, so the help is in it.

use std::time::Duration;

use anyplace::Error;
use anyplace::serve::ClientLimits;

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    anyplace::duration::parse(text).map_err(said)
}

pub(crate) fn size(text: &str) -> Result<u64, String> {
    anyplace::size::parse(text).map_err(said)
}

pub(crate) fn limits(text: &str) -> Result<ClientLimits, String> {
    text.parse().map_err(said)
}

#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn said(error: Error) -> String {
    match error.help() {
        Some(help) => format!("{}; {help}", error.message()),
        None => error.message().to_owned(),
    }
}
