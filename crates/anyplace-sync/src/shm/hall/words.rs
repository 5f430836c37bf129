//! Bytes in words that several processes may look at: copied word by word, so that a process that breaks the rules spoils
//! bytes and nothing else.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// How many words so many bytes take.
pub(super) const fn of(bytes: usize) -> usize {
    bytes.div_ceil(8)
}

/// Writes `bytes` to the first words.
pub(super) fn write(words: &[AtomicU64], bytes: &[u8]) {
    let (whole, rest) = bytes.as_chunks::<8>();
    for (word, bytes) in words.iter().zip(whole) {
        word.store(u64::from_le_bytes(*bytes), Relaxed);
    }
    if !rest.is_empty() {
        let mut padded = [0; 8];
        padded[..rest.len()].copy_from_slice(rest);
        words[whole.len()].store(u64::from_le_bytes(padded), Relaxed);
    }
}

/// The first `len` bytes in the words, or as many as there are.
pub(super) fn read(words: &[AtomicU64], len: usize) -> Vec<u8> {
    let len = len.min(words.len() * 8);
    let mut bytes = Vec::with_capacity(of(len) * 8);
    for word in &words[..of(len)] {
        bytes.extend_from_slice(&word.load(Relaxed).to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// Whether the first `bytes.len()` bytes in the words are these.
pub(super) fn are(words: &[AtomicU64], bytes: &[u8]) -> bool {
    let (whole, rest) = bytes.as_chunks::<8>();
    let mut padded = [0; 8];
    padded[..rest.len()].copy_from_slice(rest);
    let last = (!rest.is_empty()).then_some(padded);
    let expected = whole.iter().copied().chain(last).map(u64::from_le_bytes);
    words.len() >= of(bytes.len())
        && words.iter().zip(expected).all(|(word, ours)| word.load(Relaxed) == ours)
}

/// Copies words.
pub(super) fn copy(from: &[AtomicU64], to: &[AtomicU64]) {
    for (from, to) in from.iter().zip(to) {
        to.store(from.load(Relaxed), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn what_is_written_is_read(bytes in prop::collection::vec(any::<u8>(), 0..50), other: u8) {
            let words: Vec<_> = (0..8).map(|_| AtomicU64::new(u64::MAX)).collect();
            write(&words, &bytes);
            prop_assert_eq!(&read(&words, bytes.len()), &bytes);
            prop_assert!(are(&words, &bytes));
            if let Some(last) = bytes.last().filter(|last| **last != other) {
                let mut others = bytes.clone();
                *others.last_mut().unwrap() = other;
                prop_assert!(!are(&words, &others), "{last} is not {other}");
            }
        }
    }
}
