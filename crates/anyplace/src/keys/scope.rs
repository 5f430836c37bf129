//! What a peer may do.

use crate::error::{Error, Result};
use std::fmt;
use std::ops::BitOr;
use std::str::FromStr;

/// What a peer may do in a place that is offered: a set of words, written with commas between them.
///
/// | word | allows |
/// |---|---|
/// | `status` | to ask how the place is; every scope includes it |
/// | `run` | to run tasks: that is to run any code, as the user who offers the place, and so to send files, too |
/// | `share` | to use locks, queues and all else that tasks have in common |
/// | `files` | to send files to whoever receives them here |
/// | `admin` | all of these, and to close the place |
///
/// ```
/// use anyplace::keys::Scope;
///
/// let scope: Scope = "run,share".parse()?;
/// assert!(scope.allows(Scope::RUN) && scope.allows(Scope::STATUS) && !scope.allows(Scope::ADMIN));
/// assert_eq!(scope.to_string(), "run,share");
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope(u8);

impl Scope {
    /// To ask how the place is.
    pub const STATUS: Self = Self(1);
    /// To run tasks.
    pub const RUN: Self = Self(2);
    /// To use what tasks have in common.
    pub const SHARE: Self = Self(4);
    /// Everything.
    pub const ADMIN: Self = Self(8);
    /// To send files to whoever receives them.
    pub const FILES: Self = Self(16);

    const WORDS: [(&str, Self); 5] = [
        ("status", Self::STATUS),
        ("run", Self::RUN),
        ("share", Self::SHARE),
        ("files", Self::FILES),
        ("admin", Self::ADMIN),
    ];

    /// Whether it allows all of `asked`.
    pub fn allows(self, asked: Self) -> bool {
        // Whoever runs code can write files by it.
        let files = if self.0 & Self::RUN.0 != 0 { Self::FILES.0 } else { 0 };
        let given = if self.0 & Self::ADMIN.0 != 0 { u8::MAX } else { self.0 | Self::STATUS.0 | files };
        given & asked.0 == asked.0
    }

    /// As one byte; [`from_bits`](Self::from_bits) reads it.
    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    /// A scope of known words, and at least one.
    pub(crate) fn from_bits(bits: u8) -> Option<Self> {
        (1..32).contains(&bits).then_some(Self(bits))
    }
}

impl Default for Scope {
    /// What a ticket grants unless it says otherwise: `run,share`.
    fn default() -> Self {
        Self::RUN | Self::SHARE
    }
}

impl BitOr for Scope {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromStr for Scope {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let word = |word: &str| Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, scope)| *scope);
        let scope = text.split(',').try_fold(0, |bits, part| Some(bits | word(part.trim())?.0));
        scope.map(Self).ok_or_else(|| {
            Error::config(format!("`{}` is no scope", text.escape_default())).with_help(
                "write one or several of status, run, share, files, admin, with commas between them",
            )
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = Self::WORDS.iter().filter(|(_, scope)| self.0 & scope.0 != 0).map(|(word, _)| *word);
        f.write_str(&words.collect::<Vec<_>>().join(","))
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_reads_as_it_prints() {
        for bits in 1..32 {
            let scope = Scope::from_bits(bits).unwrap();
            assert_eq!(scope.to_string().parse::<Scope>().unwrap(), scope);
        }
        assert!(Scope::from_bits(0).is_none() && Scope::from_bits(32).is_none());
    }

    #[test]
    fn a_scope_allows_its_words_and_no_more() {
        assert!(Scope::ADMIN.allows(Scope::RUN | Scope::SHARE));
        assert!(Scope::RUN.allows(Scope::STATUS) && !Scope::RUN.allows(Scope::SHARE));
        assert!(Scope::ADMIN.allows(Scope::FILES) && Scope::RUN.allows(Scope::FILES));
        assert!(!Scope::SHARE.allows(Scope::FILES) && !Scope::STATUS.allows(Scope::FILES));
        assert!(!Scope::FILES.allows(Scope::RUN) && !Scope::FILES.allows(Scope::SHARE));
        assert!(!Scope::RUN.allows(Scope::RUN | Scope::SHARE) && !Scope::STATUS.allows(Scope::RUN));
    }

    #[test]
    fn what_is_no_scope_is_said_with_help() {
        for text in ["", "run,", "everything", "run share", "RUN"] {
            let error = text.parse::<Scope>().unwrap_err();
            assert!(error.help().unwrap().contains("status, run, share, files, admin"), "{text}");
        }
    }
}
