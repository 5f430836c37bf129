//! Bytes as letters that people can read out, double-click and put into an address: base32 (RFC 4648) in lower case.

const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Five bits a letter, without padding.
pub(super) fn encode(bytes: &[u8]) -> String {
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte & (0x80 >> (at % 8)) != 0);
    let value = |letter: usize| (0..5).fold(0, |value, at| value << 1 | usize::from(bit(letter * 5 + at)));
    (0..(bytes.len() * 8).div_ceil(5)).map(|letter| char::from(LETTERS[value(letter)])).collect()
}

/// The bytes, if `text` is what [`encode`] makes of any; capitals are taken, too.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut held, mut bits) = (0_u32, 0);
    for letter in text.bytes() {
        let value = LETTERS.iter().position(|known| *known == letter.to_ascii_lowercase())?;
        held = held << 5 | value as u32;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    // One text for each value: what is left over is less than a letter, and nothing.
    (held == 0 && bits < 5).then_some(bytes)
}

/// As [`decode`], if it is exactly `N` bytes.
pub(super) fn decode_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    // A text that is too long is not even read.
    if text.len() != (N * 8).div_ceil(5) {
        return None;
    }
    decode(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_rfc_hold() {
        for (bytes, text) in [
            ("", ""),
            ("f", "my"),
            ("fo", "mzxq"),
            ("foo", "mzxw6"),
            ("foob", "mzxw6yq"),
            ("foobar", "mzxw6ytboi"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(&text.to_ascii_uppercase()).unwrap(), bytes.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }

        #[test]
        fn there_is_one_text_for_each_value(text in "[a-z2-7]{0,40}") {
            prop_assert!(decode(&text).is_none_or(|bytes| encode(&bytes) == text));
        }
    }
}
