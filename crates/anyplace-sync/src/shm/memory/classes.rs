//! The sizes blocks come in: four to an octave, from 1 KiB to 64 GiB.
//!
//! At most a fifth of a block is not used, and a block can serve again for anything of about its size. From 16 KiB on
//! they are whole pages.

/// Capacities: 1024, 1280, 1536, 1792, 2048, 2560, ...
pub(super) const CLASSES: usize = 26 * PER_OCTAVE + 1;

/// How many classes lie between a size and its double.
pub(super) const PER_OCTAVE: usize = 4;

const SMALLEST: u64 = 1024;

/// How many bytes blocks of `class` have.
pub(super) fn capacity(class: usize) -> u64 {
    let (octave, quarter) = (class / PER_OCTAVE, class % PER_OCTAVE);
    (SMALLEST / PER_OCTAVE as u64 * (PER_OCTAVE + quarter) as u64) << octave
}

/// The smallest class whose blocks have `len` bytes or more.
pub(super) fn of(len: u64) -> Option<usize> {
    if len <= SMALLEST {
        return Some(0);
    }
    let octave = ((len - 1) / SMALLEST).ilog2();
    let floor = SMALLEST << octave;
    // A quarter of the octave is a power of two: a shift, not a division, in what every allocation does.
    let quarter = floor / PER_OCTAVE as u64;
    let quarters = (len - floor + quarter - 1) >> quarter.ilog2();
    let class = octave as usize * PER_OCTAVE + quarters as usize;
    (class < CLASSES).then_some(class)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_smallest_have_one_kibibyte_and_the_largest_64_gibibytes() {
        assert_eq!((capacity(0), of(0), of(1024)), (1024, Some(0), Some(0)));
        assert_eq!(capacity(CLASSES - 1), 64 << 30);
        assert_eq!((of(64 << 30), of((64 << 30) + 1)), (Some(CLASSES - 1), None));
    }

    proptest! {
        #[test]
        fn a_length_gets_the_smallest_class_that_holds_it(len in 0..=64_u64 << 30) {
            let class = of(len).unwrap();
            prop_assert!(capacity(class) >= len);
            prop_assert!(class == 0 || capacity(class - 1) < len);
            prop_assert!(class == 0 || capacity(class) * 4 <= len * 5);
        }
    }
}
