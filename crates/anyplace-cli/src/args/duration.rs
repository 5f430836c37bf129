//! `10`, `1.5`, `500ms`, `2m`, `1h30m`: how long something may take.

use std::time::Duration;

const UNITS: [(&str, f64); 5] = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];

/// Reads a duration; a bare number is seconds.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time; times are such as 10, 1.5, 500ms, 2m, 1h30m");
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).map_err(|_| wrong());
    }
    let (mut rest, mut seconds) = (text, 0.0);
    while !rest.is_empty() {
        let (number, after) = split(rest, |byte| byte.is_ascii_digit() || byte == b'.');
        let (unit, after) = split(after, |byte| byte.is_ascii_alphabetic());
        let (_, size) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        seconds += number.parse::<f64>().map_err(|_| wrong())? * size;
        rest = after;
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong()).and_then(|time| match text.is_empty() {
        true => Err(wrong()),
        false => Ok(time),
    })
}

fn split(text: &str, belongs: impl Fn(u8) -> bool) -> (&str, &str) {
    text.split_at(text.bytes().position(|byte| !belongs(byte)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let table =
            [("10", 10.0), ("1.5", 1.5), ("500ms", 0.5), ("2m", 120.0), ("1h30m", 5400.0), ("0", 0.0)];
        for (text, seconds) in table {
            assert_eq!(parse(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "-1", "1x", "m", "1h30", "NaN", "inf", "1e999"] {
            assert!(parse(text).unwrap_err().contains("is no time"), "{text}");
        }
    }
}
