//! How people write a length of time: `30s`, `250ms`, `1h30m`.
//!
//! | text | means |
//! |---|---|
//! | `30s`, `250ms`, `10us` | a number and its unit: `d`, `h`, `m`, `s`, `ms`, `us`, `ns` |
//! | `2.5s` | a decimal fraction of a unit |
//! | `1h30m` | parts from the longest unit to the shortest, added up |
//! | `90`, `0.5` | a bare number is seconds |

use crate::error::{Error, Result};
use std::time::Duration;

/// Units with their nanoseconds, the longest first.
const UNITS: [(&str, f64); 7] =
    [("d", 86_400e9), ("h", 3_600e9), ("m", 60e9), ("s", 1e9), ("ms", 1e6), ("us", 1e3), ("ns", 1.0)];

/// Reads a length of time, such as `30s`, `1h30m` or a bare number of seconds.
///
/// # Errors
/// `ConfigInvalid`, with what is accepted.
///
/// ```
/// use anyplace::duration::parse;
/// use std::time::Duration;
///
/// assert_eq!(parse("1h30m")?, Duration::from_secs(5400));
/// assert_eq!(parse("2.5s")?, Duration::from_millis(2500));
/// assert_eq!(parse("0.25")?, parse("250ms")?);
/// # Ok::<(), anyplace::Error>(())
/// ```
pub fn parse(text: &str) -> Result<Duration> {
    nanoseconds(text)
        .filter(|nanoseconds| *nanoseconds < u64::MAX as f64)
        .map(|nanoseconds| Duration::from_nanos(nanoseconds.round() as u64))
        .ok_or_else(|| {
            Error::config(format!("`{text}` is not a length of time"))
                .with_help("write one such as `30s`, `250ms`, `1h30m`, or a number of seconds")
        })
}

fn nanoseconds(text: &str) -> Option<f64> {
    let (mut rest, mut total, mut longest_next) = (text, 0.0, 0);
    while !rest.is_empty() {
        let (number, behind) = split(rest, |letter| letter.is_ascii_digit() || letter == '.');
        let (unit, behind) = split(behind, |letter| letter.is_ascii_alphabetic());
        let unit = if unit.is_empty() && longest_next == 0 && behind.is_empty() { "s" } else { unit };
        let at = UNITS.iter().position(|(name, _)| *name == unit)?;
        if at < longest_next {
            return None;
        }
        total += number.parse::<f64>().ok()? * UNITS[at].1;
        (rest, longest_next) = (behind, at + 1);
    }
    (!text.is_empty()).then_some(total)
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|letter| !belongs(letter)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_table_reads_as_it_says() {
        for (text, milliseconds) in [
            ("30s", 30_000),
            ("250ms", 250),
            ("2.5s", 2_500),
            (".5s", 500),
            ("1h30m", 5_400_000),
            ("1d", 86_400_000),
            ("1m1s1ms", 61_001),
            ("90", 90_000),
            ("0.5", 500),
            ("0", 0),
        ] {
            assert_eq!(parse(text).unwrap(), Duration::from_millis(milliseconds), "{text}");
        }
        assert_eq!(parse("10us").unwrap(), Duration::from_micros(10));
    }

    #[test]
    fn what_is_not_a_length_of_time_is_refused_with_what_is() {
        for text in
            ["", "s", "-1s", "1x", "30m1h", "1s1s", "1h30", "1.2.3s", "1e3", "1 s", "∞", "99999999999d"]
        {
            let error = parse(text).expect_err(text);
            assert!(error.message().contains(&format!("`{text}`")), "{error}");
            assert!(error.help().is_some_and(|help| help.contains("`1h30m`")), "{error:?}");
        }
    }

    proptest! {
        #[test]
        fn what_rust_prints_is_read_back(milliseconds in 0_u64..100_000_000) {
            let duration = Duration::from_millis(milliseconds);
            prop_assert_eq!(parse(&format!("{duration:?}")).unwrap(), duration);
        }
    }
}
