//! A [`Value`]: a number that many change at once.

use crate::primitives::atomic::AtomicU64;
use crate::primitives::atomic::Ordering::{AcqRel, Acquire, Release};

/// Eight bytes that are read and changed as one: a whole number, or one with a fraction by its bits.
///
/// Every operation is one atomic instruction, or a short loop of them where the machine has none for it. All of them order
/// memory: what was written before a store is seen by whoever loads what it stored.
///
/// ```
/// use anyplace_sync::Value;
///
/// let hits = Value::default();
/// assert_eq!(hits.add(2), 0, "what was there before");
/// assert_eq!(hits.load(), 2);
/// assert_eq!(hits.compare_exchange(2, 7), Ok(2));
/// ```
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct Value(AtomicU64);

impl Value {
    /// What is there.
    pub fn load(&self) -> i64 {
        self.0.load(Acquire).cast_signed()
    }

    /// Puts `value` there.
    pub fn store(&self, value: i64) {
        self.0.store(value.cast_unsigned(), Release);
    }

    /// Puts `value` there and gives what was.
    pub fn swap(&self, value: i64) -> i64 {
        self.0.swap(value.cast_unsigned(), AcqRel).cast_signed()
    }

    /// Adds, wrapping around, and gives what was there before.
    pub fn add(&self, value: i64) -> i64 {
        self.0.fetch_add(value.cast_unsigned(), AcqRel).cast_signed()
    }

    /// Puts `new` there if `expected` is.
    ///
    /// # Errors
    /// What is there instead.
    pub fn compare_exchange(&self, expected: i64, new: i64) -> Result<i64, i64> {
        let (expected, new) = (expected.cast_unsigned(), new.cast_unsigned());
        let done = self.0.compare_exchange(expected, new, AcqRel, Acquire);
        done.map(u64::cast_signed).map_err(u64::cast_signed)
    }

    /// What is there, read as the bits of a float.
    pub fn load_float(&self) -> f64 {
        f64::from_bits(self.0.load(Acquire))
    }

    /// Puts a float's bits there.
    pub fn store_float(&self, value: f64) {
        self.0.store(value.to_bits(), Release);
    }

    /// Puts a float's bits there and gives the float that was.
    pub fn swap_float(&self, value: f64) -> f64 {
        f64::from_bits(self.0.swap(value.to_bits(), AcqRel))
    }

    /// Adds to the float that is there, and gives what it was before.
    pub fn add_float(&self, value: f64) -> f64 {
        let mut before = self.0.load(Acquire);
        loop {
            let sum = (f64::from_bits(before) + value).to_bits();
            match self.0.compare_exchange(before, sum, AcqRel, Acquire) {
                Ok(_) => return f64::from_bits(before),
                Err(now) => before = now,
            }
        }
    }

    /// Puts `new` there if `expected` is, bit for bit.
    ///
    /// # Errors
    /// What is there instead.
    pub fn compare_exchange_float(&self, expected: f64, new: f64) -> Result<f64, f64> {
        let done = self.0.compare_exchange(expected.to_bits(), new.to_bits(), AcqRel, Acquire);
        done.map(f64::from_bits).map_err(f64::from_bits)
    }
}
