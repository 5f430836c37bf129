//! Sizes as people read them; [`anyplace::size`] reads what they write.

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
    fn a_size_is_shown_with_two_digits_or_more() {
        let sizes = [0, 1023, 1024, 1536, 10 << 10, 1_048_000, 120 << 20, 5 << 30, 1 << 50].map(shown);
        assert_eq!(
            sizes,
            ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "10 KiB", "1023 KiB", "120 MiB", "5.0 GiB", "1 PiB"]
        );
    }
}
