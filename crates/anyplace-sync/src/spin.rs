//! Spinning for about as long as a wake-up costs, never by more threads than there are cores to spare.
//!
//! Waking a thread that sleeps on another core costs 25-50 µs where the core itself sleeps. Spinning that long once and
//! sleeping then costs at most twice the best choice (the ski-rental argument); spinning a little is the worst choice,
//! since both sides fall asleep just before the hand-over.

use crate::usable_cores;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How long a thread spins before it sleeps: what one wake-up costs.
pub(crate) const DEFAULT: Duration = Duration::from_micros(50);

/// Reading the clock costs as much as a few looks.
const TURNS_PER_LOOK_AT_THE_CLOCK: u32 = 8;

/// Threads of any pool that look for a job.
pub(crate) static SEEKERS: Spinners = Spinners::new();
/// Threads that wait for a latch. They are counted apart: a worker has to be seeking when its caller's wait ends.
pub(crate) static WAITERS: Spinners = Spinners::new();

/// How often a thread looks for a permit. Who hands over to us has mostly just seen what it waited for itself, and gives
/// its permit back within a microsecond: falling asleep for that would cost it a wake-up at each turn of a ping-pong.
const LOOKS_FOR_A_PERMIT: u32 = 100;

/// When a wait that may take until `deadline` stops to spin, and sleeps.
pub(crate) fn limit(deadline: Option<Instant>) -> Instant {
    let limit = Instant::now() + DEFAULT;
    deadline.map_or(limit, |deadline| deadline.min(limit))
}

/// Spins until `found`, for about as long as a wake-up costs and at most until `deadline`, if a core can be spared: true if found.
/// For who sleeps elsewhere, as in the kernel at a socket; `found` may be a system call that does not wait.
pub fn spin_first(deadline: Option<Instant>, found: impl FnMut() -> bool) -> bool {
    WAITERS.spin_until(limit(deadline), found)
}

/// Counts the threads of this process that spin for one reason.
#[derive(Debug)]
pub(crate) struct Spinners(AtomicUsize);

/// The right to spin; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Permit(&'static AtomicUsize);

impl Spinners {
    const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// A permit, if a core can be spared: on one core, whoever spins keeps the other side from working.
    pub(crate) fn enter(&'static self) -> Option<Permit> {
        if cfg!(loom) {
            return None; // Spinning only delays the sleep, which is what the models are about.
        }
        let before = self.0.fetch_add(1, Relaxed);
        let permit = Permit(&self.0);
        (before + 1 < usable_cores()).then_some(permit)
    }

    /// Spins until `found` or the time is up, if there is a permit now or in a moment; true if found.
    pub(crate) fn spin_until(&'static self, until: Instant, mut found: impl FnMut() -> bool) -> bool {
        if cfg!(loom) {
            return false; // As in `enter`: each look would be one more thing to try all orders of.
        }
        let looks = if usable_cores() > 1 { LOOKS_FOR_A_PERMIT } else { 0 };
        for _ in 0..looks {
            if found() {
                return true;
            }
            // Asking counts, so it would keep others from a permit while there is none.
            let may_ask = self.0.load(Relaxed) + 1 < usable_cores();
            if let Some(permit) = may_ask.then(|| self.enter()).flatten() {
                return permit.spin_until(until, found);
            }
            std::hint::spin_loop();
        }
        found()
    }
}

/// In a child of `fork`: those who span stayed with the parent, and their permits never come back.
#[cfg(target_os = "linux")]
pub(crate) fn forget_others() {
    [&SEEKERS, &WAITERS].iter().for_each(|spinners| spinners.0.store(0, Relaxed));
}

impl Permit {
    /// As [`spin_until`].
    pub(crate) fn spin_until(&self, until: Instant, found: impl FnMut() -> bool) -> bool {
        spin_until(until, found)
    }
}

/// Spins until `found` or the time is up; true if found. Whoever calls it has seen to it that a core can be spared.
///
/// It yields with every look at the clock: who is waited for may be runnable on this very core, and would run only
/// when the spinning ends. Alone on its core, the spinner gets it back within a microsecond.
pub(crate) fn spin_until(until: Instant, mut found: impl FnMut() -> bool) -> bool {
    loop {
        for _ in 0..TURNS_PER_LOOK_AT_THE_CLOCK {
            if found() {
                return true;
            }
            std::hint::spin_loop();
        }
        if Instant::now() >= until {
            return found();
        }
        crate::primitives::thread::yield_now();
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    static OURS: Spinners = Spinners::new();

    #[test]
    fn one_core_is_left_to_those_who_work() {
        let permits: Vec<_> = std::iter::from_fn(|| OURS.enter()).collect();
        assert_eq!(permits.len(), usable_cores() - 1);
        drop(permits);
        assert_eq!(OURS.0.load(Relaxed), 0);
    }

    #[test]
    fn spinning_ends_in_time() {
        let permit = Permit(Box::leak(Box::new(AtomicUsize::new(1))));
        let until = Instant::now() + DEFAULT;
        assert!(!permit.spin_until(until, || false));
        assert!(Instant::now() >= until);
        assert!(permit.spin_until(until, || true));
    }
}
