//! Which blocks of one size may be available: one bit a block, in words that all processes share.
//!
//! They are hints. A bit may stand for a block that somebody has taken in another way, and a process that is killed
//! between giving a block up and saying so leaves one out, until the next sweep says it again. Setting a bit twice is
//! harmless, which no list could say of itself, and that is why they are bits.

#![cfg_attr(
    not(loom),
    allow(unreachable_pub, reason = "the models of tests/loom.rs call these from outside")
)]

use crate::primitives::atomic::AtomicU64;
use crate::primitives::atomic::Ordering::{AcqRel, Relaxed};

/// Says that block `number` is available. After it was made so: whoever sees the bit sees that too.
pub fn tell(words: &[AtomicU64], number: u32) {
    let (word, bit) = (&words[number as usize / 64], 1 << (number % 64));
    // A write even if the bit is set: a finder that clears it at this moment has seen an older holder, and one of the two
    // writes comes second. Either the finder sees the block available, or the bit stays.
    word.fetch_or(bit, AcqRel);
}

/// The first block told of that `take` can take. Bits of those it cannot are cleared on the way.
pub fn find(words: &[AtomicU64], mut take: impl FnMut(u32) -> bool) -> Option<u32> {
    for (index, word) in (0..).zip(words) {
        let mut told = word.load(Relaxed);
        while told != 0 {
            let bit = told & told.wrapping_neg();
            let number: u32 = index * 64 + bit.trailing_zeros();
            let was = word.fetch_and(!bit, AcqRel);
            if was & bit != 0 && take(number) {
                return Some(number);
            }
            // Only what was told when we came: others may tell of more than we can ever look at.
            told &= !bit;
        }
    }
    None
}
