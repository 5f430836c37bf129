//! How people write a number of bytes: `500MB`, `2GiB`.
//!
//! | text | means |
//! |---|---|
//! | `500`, `500B` | bytes |
//! | `20kB`, `500MB`, `3GB` | of a thousand |
//! | `20KiB`, `2GiB`, `2G` | of 1024 |

use crate::error::{Error, Result};

/// Reads a number of bytes, such as `500`, `500MB` (of a thousand), `2GiB` or `2G` (of 1024), as dd does.
///
/// # Errors
/// `ConfigInvalid`, with what is accepted.
///
/// ```
/// use anyplace::size::parse;
///
/// assert_eq!(parse("500MB")?, 500_000_000);
/// assert_eq!(parse("2GiB")?, parse("2G")?);
/// # Ok::<(), anyplace::Error>(())
/// ```
pub fn parse(text: &str) -> Result<u64> {
    bytes(text).ok_or_else(|| {
        Error::config(format!("`{text}` is not a size"))
            .with_help("write one such as `500MB`, `2GiB` or `4096`")
    })
}

fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    number.parse::<u64>().ok()?.checked_mul(unit_of(unit)?)
}

fn unit_of(text: &str) -> Option<u64> {
    let mut letters = text.chars();
    let Some(letter) = letters.next() else { return Some(1) };
    let power = "BKMGTP".find(letter.to_ascii_uppercase())?;
    let base: u64 = match letters.as_str() {
        "" | "iB" => 1024,
        "B" => 1000,
        _ => return None,
    };
    // `B` alone is a byte, and `BB` nothing.
    (power > 0 || letters.as_str().is_empty()).then(|| base.pow(u32::try_from(power).expect("at most 5")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_as_dd_reads_it() {
        let sizes = [("0", 0), ("12B", 12), ("1K", 1024), ("1kB", 1000), ("2GiB", 2 << 30), ("3T", 3 << 40)];
        for (text, size) in sizes {
            assert_eq!(parse(text).unwrap(), size, "{text}");
        }
        for text in ["", "K", "1.5G", "1KK", "1BB", "1iB", "-1", "99999999P", "1 G"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
