//! Whether to look for bytes before sleeping until there are some.
//!
//! Who asks and waits for the answer looks in vain each time, and that costs a tenth of what the sleep does. So after a
//! look in vain the next few waits begin with the sleep.

use std::sync::atomic::{AtomicU8, Ordering};

/// How many waits begin with the sleep after a look in vain.
const REST: u8 = 8;

/// Whether there mostly is something to receive. Threads that share it may be wrong by a few.
#[derive(Default)]
pub(super) struct Hope(AtomicU8);

impl Hope {
    /// Whether to look before sleeping.
    pub(super) fn lives(&self) -> bool {
        let rest = self.0.load(Ordering::Relaxed);
        if rest > 0 {
            self.0.store(rest - 1, Ordering::Relaxed);
        }
        rest == 0
    }

    /// Somebody has looked in vain.
    pub(super) fn lose(&self) {
        self.0.store(REST, Ordering::Relaxed);
    }
}
