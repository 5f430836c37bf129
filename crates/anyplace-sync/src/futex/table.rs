//! Sleeping where the system has no public futex: a hashed table of locks, as in the kernel and in parking lots.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

/// A word that threads can sleep on.
#[derive(Debug)]
pub(crate) struct Futex<const SHARED: bool = false>(AtomicU32);

#[derive(Debug)]
struct Bucket {
    lock: Mutex<()>,
    changed: Condvar,
}

const BUCKETS: usize = 64;
static TABLE: [Bucket; BUCKETS] =
    [const { Bucket { lock: Mutex::new(()), changed: Condvar::new() } }; BUCKETS];

impl<const SHARED: bool> Futex<SHARED> {
    pub(crate) const fn new(value: u32) -> Self {
        Self(AtomicU32::new(value))
    }

    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.0
    }

    /// Sleeps while the word is `expected`, at most until `deadline`; false if the deadline has passed.
    ///
    /// It may also return early for no reason, so callers look again. A word that has already changed never sleeps.
    pub(crate) fn sleep_while(&self, expected: u32, deadline: Option<Instant>) -> bool {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return false;
        }
        let bucket = self.bucket();
        let guard = bucket.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if self.0.load(SeqCst) != expected {
            return true;
        }
        match left {
            None => drop(bucket.changed.wait(guard)),
            Some(left) => drop(bucket.changed.wait_timeout(guard, left)),
        }
        true
    }

    /// Wakes at least `count` sleeping threads, if as many sleep.
    ///
    /// A bucket serves many words, so everybody in it looks again.
    pub(crate) fn wake(&self, _count: u32) {
        let bucket = self.bucket();
        // Whoever found the word unchanged holds the lock until it sleeps: the wake-up cannot fall in between.
        drop(bucket.lock.lock().unwrap_or_else(PoisonError::into_inner));
        bucket.changed.notify_all();
    }

    fn bucket(&self) -> &'static Bucket {
        // Words of neighbouring tasks are some tens of bytes apart; Fibonacci hashing spreads them.
        let address = std::ptr::from_ref(self).addr() as u64;
        &TABLE[(address.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_changed_word_never_sleeps() {
        assert!(Futex::<false>::new(1).sleep_while(0, None));
    }

    #[test]
    fn a_deadline_ends_the_sleep() {
        let futex: Futex = Futex::new(0);
        let deadline = Instant::now() + Duration::from_millis(2);
        while futex.sleep_while(0, Some(deadline)) {}
        assert!(Instant::now() >= deadline);
    }

    #[test]
    fn a_wake_up_is_never_lost() {
        let (ping, pong): (Futex, Futex) = (Futex::new(0), Futex::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| (0..500).for_each(|turn| hand_over(&ping, &pong, turn)));
            scope.spawn(|| (0..500).for_each(|turn| answer(&ping, &pong, turn)));
        });
        assert_eq!(pong.word().load(SeqCst), 500);
    }

    fn hand_over(ping: &Futex, pong: &Futex, turn: u32) {
        ping.word().store(turn + 1, SeqCst);
        ping.wake(1);
        while pong.word().load(SeqCst) == turn {
            pong.sleep_while(turn, None);
        }
    }

    fn answer(ping: &Futex, pong: &Futex, turn: u32) {
        while ping.word().load(SeqCst) == turn {
            ping.sleep_while(turn, None);
        }
        pong.word().store(turn + 1, SeqCst);
        pong.wake(1);
    }
}
