//! `known_peers`: which key the server at an address has.

use super::table::{Line, Row};
use super::{KeyHash, Moment};
use std::fmt;

/// A server that was talked to before: `host:port KEY since=TIME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its host and port, as they were written.
    pub at: String,
    /// The key that it must have.
    pub key: KeyHash,
    /// Since when it is known.
    pub since: Moment,
}

impl Row for Known {
    const FILE: &'static str = "known_peers";
    const ABOUT: &'static str =
        "# Servers, and the keys by which they are known here: host:port KEY since=TIME\n";

    fn of(mut line: Line<'_>) -> Option<Self> {
        let known = Self { at: line.word()?, key: line.word()?, since: line.value("since")?? };
        line.end().map(|()| known)
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} since={}", self.at, self.key, self.since)
    }
}
