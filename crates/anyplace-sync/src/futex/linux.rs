//! Sleeping in the Linux kernel: `futex(2)`, private to this process or shared with others.

use crate::signals;
use rustix::io::Errno;
use rustix::thread::futex::{self, Flags, Timespec};
use std::sync::atomic::AtomicU32;
use std::time::Instant;

/// A word that threads can sleep on: of this process, or if it is `SHARED` of all that map the memory it lies in.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Futex<const SHARED: bool = false>(AtomicU32);

impl<const SHARED: bool> Futex<SHARED> {
    const FLAGS: Flags = if SHARED { Flags::empty() } else { Flags::PRIVATE };

    pub(crate) const fn new(value: u32) -> Self {
        Self(AtomicU32::new(value))
    }

    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.0
    }

    /// Sleeps while the word is `expected`, at most until `deadline`; false if the deadline has passed, or
    /// a signal came that [ends](signals::ending_at_signals) the wait.
    ///
    /// It may also return early for no reason, so callers look again. A word that has already changed never sleeps.
    pub(crate) fn sleep_while(&self, expected: u32, deadline: Option<Instant>) -> bool {
        let Some(deadline) = deadline else {
            // An error says that the word has changed or that a signal came; the caller looks again either way.
            let _ = futex::wait(&self.0, Self::FLAGS, expected, None);
            return true;
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        // A duration beyond the kernel's range is as good as none.
        let ended = futex::wait(&self.0, Self::FLAGS, expected, Timespec::try_from(left).ok().as_ref());
        !(ended == Err(Errno::INTR) && signals::came())
    }

    /// Wakes up to `count` sleeping threads.
    pub(crate) fn wake(&self, count: u32) {
        // The kernel reads the count as a signed number.
        let _ = futex::wake(&self.0, Self::FLAGS, count.min(i32::MAX as u32));
    }
}
