//! What servers relay of the logs of their workers.

use crate::driver::OnLog;
use crate::drivers::processes::Callbacks;
use crate::work::Payload;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many records wait for the callback at most. Those that come meanwhile are lost: who logs is not held up by who listens.
const MOST: usize = 4096;

/// Gives records to the caller's callback, in their order, on a thread of its own: it may take its time, and whoever hears
/// servers must not.
pub(super) struct Records {
    on_log: Option<OnLog>,
    thread: Callbacks,
    waiting: Arc<AtomicUsize>,
}

impl Records {
    pub(super) fn new(on_log: Option<OnLog>) -> Self {
        Self { on_log, thread: Callbacks::default(), waiting: Arc::default() }
    }

    pub(super) fn tell(&self, record: Payload) {
        let Some(OnLog(tell)) = self.on_log.clone() else { return };
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= MOST {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let waiting = self.waiting.clone();
        self.thread.run(Box::new(move || {
            waiting.fetch_sub(1, Ordering::Relaxed);
            tell(record);
        }));
    }

    /// Returns when the callback has had all that came.
    pub(super) fn close(&self) {
        self.thread.close();
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Records({} wait)", self.waiting.load(Ordering::Relaxed))
    }
}
