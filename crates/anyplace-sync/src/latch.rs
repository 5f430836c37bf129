//! A [`Latch`]: something happens once, and any number of threads can wait for it.

use crate::futex::Futex;
use crate::primitives::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use crate::spin::{self, WAITERS};
use std::time::Instant;

const UNSET: u32 = 0;
const SET: u32 = 1;
/// Not set, and somebody sleeps (or slept until its deadline): whoever sets the latch calls the kernel.
const AWAITED: u32 = 2;

/// Tells any number of threads that something has happened, once.
///
/// It is four bytes and allocates nothing. Setting it is one atomic swap, and a system call only if somebody sleeps.
/// What the setter wrote before [`set`](Self::set) is visible to whoever saw the latch set.
///
/// ```
/// use anyplace_sync::Latch;
///
/// let done = Latch::new();
/// std::thread::scope(|scope| {
///     scope.spawn(|| done.set());
///     assert!(done.wait(None));
/// });
/// ```
#[derive(Debug)]
pub struct Latch(Futex);

impl Latch {
    /// A latch that is not set.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self(Futex::new(UNSET))
    }

    /// A latch that is not set.
    #[cfg(loom)]
    pub fn new() -> Self {
        Self(Futex::new(UNSET))
    }

    /// Sets the latch and wakes whoever waits. Setting it again changes nothing.
    pub fn set(&self) {
        if self.0.word().swap(SET, AcqRel) == AWAITED {
            self.0.wake(u32::MAX);
        }
    }

    /// True once the latch is set: one load.
    pub fn is_set(&self) -> bool {
        self.0.word().load(Acquire) == SET
    }

    /// Sleeps until the latch is set, at most until `deadline`; true if it is set.
    pub fn wait(&self, deadline: Option<Instant>) -> bool {
        while !self.is_set() {
            // Fails if somebody else announced itself first, or if the latch has just been set: sleeping sees to both.
            let _ = self.0.word().compare_exchange(UNSET, AWAITED, Relaxed, Relaxed);
            if !self.0.sleep_while(AWAITED, deadline) {
                return self.is_set();
            }
        }
        true
    }

    /// Like [`wait`](Self::wait), but spins first for about as long as a wake-up costs (50 µs).
    ///
    /// This is the one for short tasks: a result that comes while it spins costs no system call on either side. At most
    /// [`usable_cores`](crate::usable_cores)` - 1` waiting threads spin at a time, on one core none; the others sleep.
    pub fn wait_spinning_first(&self, deadline: Option<Instant>) -> bool {
        self.is_set() || self.spin(deadline) || self.wait(deadline)
    }

    fn spin(&self, deadline: Option<Instant>) -> bool {
        WAITERS.spin_until(spin::limit(deadline), || self.is_set())
    }
}

impl Default for Latch {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn it_is_four_bytes() {
        assert_eq!(size_of::<Latch>(), 4);
    }

    #[test]
    fn once_set_it_stays_set() {
        let latch = Latch::new();
        assert!(!latch.is_set());
        latch.set();
        latch.set();
        assert!(latch.is_set());
    }

    #[test]
    fn a_deadline_ends_either_wait() {
        for wait in [Latch::wait, Latch::wait_spinning_first] {
            let (latch, deadline) = (Latch::new(), Instant::now() + Duration::from_millis(2));
            assert!(!wait(&latch, Some(deadline)));
            assert!(Instant::now() >= deadline);
        }
    }

    #[test]
    fn a_set_latch_ends_a_wait_whose_deadline_has_passed() {
        let latch = Latch::new();
        latch.set();
        assert!(latch.wait(Some(Instant::now())));
    }

    #[test]
    fn all_who_wait_are_woken() {
        for wait in [Latch::wait, Latch::wait_spinning_first] {
            let latch = Latch::new();
            std::thread::scope(|scope| {
                let waiting: Vec<_> = (0..8).map(|_| scope.spawn(|| wait(&latch, None))).collect();
                latch.set();
                assert!(waiting.into_iter().all(|waiter| waiter.join().unwrap()));
            });
        }
    }
}
