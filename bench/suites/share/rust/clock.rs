//! How long one of many takes.

use std::time::{Duration, Instant};

/// The seconds that one of many takes: `many` does so many, more and more until that takes long enough.
pub(super) fn each(long_enough: Duration, mut many: impl FnMut(u64)) -> f64 {
    let mut count = 1000;
    loop {
        let begun = Instant::now();
        many(count);
        let took = begun.elapsed();
        if took >= long_enough {
            return took.as_secs_f64() / count as f64;
        }
        // As many as will do, but never far more than before: the first ones may have been unusual.
        let wanted = 1.2 * long_enough.as_secs_f64() / took.as_secs_f64().max(1e-9);
        count = (count as f64 * wanted.min(16.0)) as u64 + 1;
    }
}
