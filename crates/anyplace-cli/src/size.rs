//! Sizes in bytes, as people write and read them.

/// Reads `500`, `500MB` (of a thousand), `2GiB` or `2G` (of 1024), as dd does.
///
/// # Errors
/// What to write, if it is none.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| help())?;
    number.checked_mul(unit_of(unit).ok_or_else(help)?).ok_or_else(help)
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

fn help() -> String {
    "write a size such as 500MB or 2GiB".to_owned()
}

/// `512 B`, `1.5 KiB`, `120 MiB`.
#[allow(clippy::cast_precision_loss, reason = "a size for people")]
pub(crate) fn shown(bytes: u64) -> String {
    let mut size = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB", "TiB"] {
        match size {
            _ if unit == "B" && bytes < 1024 => return format!("{bytes} B"),
            10.0..1023.5 => return format!("{size:.0} {unit}"),
            0.0..10.0 => return format!("{size:.1} {unit}"),
            _ => size /= 1024.0,
        }
    }
    format!("{size:.0} PiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_as_dd_reads_it() {
        let sizes = [("0", 0), ("12B", 12), ("1K", 1024), ("1kB", 1000), ("2GiB", 2 << 30), ("3T", 3 << 40)];
        for (text, size) in sizes {
            assert_eq!(parse(text), Ok(size), "{text}");
        }
        for text in ["", "K", "1.5G", "1KK", "1BB", "1iB", "-1", "99999999P", "1 G"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_size_is_shown_with_two_digits_or_more() {
        let sizes = [0, 1023, 1024, 1536, 10 << 10, 1_048_000, 120 << 20, 5 << 30, 1 << 50].map(shown);
        assert_eq!(
            sizes,
            ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "10 KiB", "1023 KiB", "120 MiB", "5.0 GiB", "1 PiB"]
        );
    }
}
