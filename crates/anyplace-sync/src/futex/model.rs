//! A futex for loom, which cannot see into the kernel: one lock stands for the kernel's bucket.

use crate::primitives::{
    Condvar, Mutex,
    atomic::{AtomicU32, Ordering::Acquire},
    lock, thread,
};
use std::time::Instant;

/// A word that threads can sleep on.
#[derive(Debug)]
pub(crate) struct Futex<const SHARED: bool = false> {
    word: AtomicU32,
    bucket: Mutex<()>,
    changed: Condvar,
}

impl<const SHARED: bool> Futex<SHARED> {
    pub(crate) fn new(value: u32) -> Self {
        Self { word: AtomicU32::new(value), bucket: Mutex::new(()), changed: Condvar::new() }
    }

    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.word
    }

    /// Sleeps while the word is `expected`; a deadline passes at once, wherever the other threads are by then.
    pub(crate) fn sleep_while(&self, expected: u32, deadline: Option<Instant>) -> bool {
        if deadline.is_some() {
            thread::yield_now();
            return false;
        }
        let guard = lock(&self.bucket);
        if self.word.load(Acquire) == expected {
            drop(self.changed.wait(guard));
        }
        true
    }

    pub(crate) fn wake(&self, count: u32) {
        drop(lock(&self.bucket));
        for _ in 0..count.min(4) {
            self.changed.notify_one();
        }
    }
}
