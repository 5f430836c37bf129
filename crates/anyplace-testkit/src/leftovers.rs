//! What this process holds: threads, descriptors, children.

use anyplace::Result;
use std::fs::read_dir;
use std::time::{Duration, Instant};

/// How many of each this process has now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Holdings {
    threads: usize,
    descriptors: usize,
    children: usize,
}

impl Holdings {
    pub(crate) fn now() -> Result<Self> {
        let threads: Vec<_> = read_dir("/proc/self/task")?.flatten().collect();
        let children = |thread: &std::fs::DirEntry| {
            let listed = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            listed.split_whitespace().count()
        };
        Ok(Self {
            threads: threads.len(),
            descriptors: read_dir("/proc/self/fd")?.count(),
            children: threads.iter().map(children).sum(),
        })
    }

    /// Waits until no more is held than this. The kernel forgets a thread a moment after it was joined.
    pub(crate) fn is_all_again(&self, patience: Duration) -> Result<()> {
        let began = Instant::now();
        loop {
            let now = Self::now()?;
            let is_more = now.threads > self.threads
                || now.descriptors > self.descriptors
                || now.children > self.children;
            if !is_more {
                return Ok(());
            }
            assert!(began.elapsed() < patience, "{now:?} after, {self:?} before");
            std::thread::yield_now();
        }
    }
}
