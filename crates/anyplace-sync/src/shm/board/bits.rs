//! One bit per worker: who seeks, who sleeps. A bit of its own, so that a worker that dies with it set is found out.

use crate::primitives::atomic::AtomicU64;
use crate::primitives::atomic::Ordering::SeqCst;

const WORDS: usize = 16;

#[derive(Debug)]
#[repr(C)]
pub(super) struct Bits([AtomicU64; WORDS]);

impl Bits {
    #[cfg(any(test, loom))]
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }

    fn at(&self, worker: usize) -> (&AtomicU64, u64) {
        (&self.0[worker / 64], 1 << (worker % 64))
    }

    pub(super) fn set(&self, worker: usize) {
        let (word, bit) = self.at(worker);
        word.fetch_or(bit, SeqCst);
    }

    /// Clears the bit: true if it was set.
    pub(super) fn take(&self, worker: usize) -> bool {
        let (word, bit) = self.at(worker);
        word.fetch_and(!bit, SeqCst) & bit != 0
    }

    /// How many of the first `workers` bits are set.
    pub(super) fn count(&self, workers: usize) -> usize {
        self.words(workers).map(|word| word.load(SeqCst).count_ones() as usize).sum()
    }

    pub(super) fn is_empty(&self, workers: usize) -> bool {
        self.words(workers).all(|word| word.load(SeqCst) == 0)
    }

    /// Clears the lowest bit that is set, so that a little work keeps a few workers warm.
    pub(super) fn take_lowest(&self, workers: usize) -> Option<usize> {
        for (index, word) in self.words(workers).enumerate() {
            let mut seen = word.load(SeqCst);
            while seen != 0 {
                let bit = seen & seen.wrapping_neg();
                seen = word.fetch_and(!bit, SeqCst);
                if seen & bit != 0 {
                    return Some(index * 64 + bit.trailing_zeros() as usize);
                }
            }
        }
        None
    }

    fn words(&self, workers: usize) -> impl Iterator<Item = &AtomicU64> {
        self.0[..workers.div_ceil(64).min(WORDS)].iter()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_of_many_words_is_taken_first() {
        let bits = Bits::new();
        [700, 64, 65].into_iter().for_each(|worker| bits.set(worker));
        assert_eq!(bits.count(1023), 3);
        assert_eq!(std::iter::from_fn(|| bits.take_lowest(1023)).collect::<Vec<_>>(), [64, 65, 700]);
        assert!(bits.is_empty(1023) && !bits.take(64));
    }
}
