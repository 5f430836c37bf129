//! Whether the one who held a lock before this process's last acquire was killed.

use anyplace_sync::Acquired;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// What the last acquire of this process found. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Abandoned(Arc<AtomicBool>);

impl Abandoned {
    /// Keeps what an acquire found; mostly nothing changes, and nothing is written.
    #[inline]
    pub(crate) fn note(&self, acquired: Acquired) {
        if acquired.abandoned != self.get() {
            self.0.store(acquired.abandoned, Relaxed);
        }
    }

    pub(crate) fn get(&self) -> bool {
        self.0.load(Relaxed)
    }
}
