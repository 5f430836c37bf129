//! Who has the interpreter's lock, as far as we know: what a thread that wants it looks at before it asks.
//!
//! A thread that asks for a lock which is not free falls asleep, and the wake-up costs 25-50 µs; yet whoever has it is
//! often about to let go, within a microsecond or two. So our threads say when they have it: they *reach* for the baton
//! before they ask for the lock, *take* it when they have the lock, and *lay it down* when they have let go. A thread that
//! finds the baton taken when it reaches for it spins, for about as long as a wake-up costs, until it lies there.
//!
//! It is a hint, not a lock. The interpreter takes its lock from a thread whenever it likes, and threads that never wait
//! for us never touch the baton; so nobody relies on it, and a spin that was in vain makes the thread that span spin more
//! rarely.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Whether one of our threads has the lock, or asks for it as the next.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Threads that spin now.
static SPINNERS: AtomicUsize = AtomicUsize::new(0);

/// About what a wake-up costs.
const SPIN: Duration = Duration::from_micros(30);
/// How many times not to spin, at most, after spins in vain.
const LONGEST_REST: u32 = 64;

thread_local! {
    static EFFORT: Cell<Effort> = const { Cell::new(Effort { rest: 0, left: 0 }) };
}

/// How much spinning was of use to a thread of late.
#[derive(Clone, Copy)]
struct Effort {
    /// How many times not to spin after the next spin in vain.
    rest: u32,
    /// How many more times not to spin.
    left: u32,
}

/// This thread is about to ask for the lock: spins until it is likely to be free, or until that takes too long.
pub(crate) fn reach() {
    if TAKEN.swap(true, Relaxed) {
        wait();
    }
}

/// This thread has the lock.
pub(crate) fn take() {
    TAKEN.store(true, Relaxed);
}

/// This thread has let go of the lock.
pub(crate) fn lay_down() {
    TAKEN.store(false, Relaxed);
}

/// After a fork, the child has none of the threads that span.
pub(crate) fn forget_others() {
    SPINNERS.store(0, Relaxed);
}

#[cold]
fn wait() {
    let effort = EFFORT.get();
    if effort.left > 0 {
        return EFFORT.set(Effort { left: effort.left - 1, ..effort });
    }
    // On one core, whoever spins keeps the others from letting go.
    if SPINNERS.fetch_add(1, Relaxed) + 1 < anyplace_sync::usable_cores() {
        EFFORT.set(if spin() { Effort { rest: 0, left: 0 } } else { effort.in_vain() });
    }
    SPINNERS.fetch_sub(1, Relaxed);
}

/// True once this thread has taken up the baton.
fn spin() -> bool {
    let until = Instant::now() + SPIN;
    while Instant::now() < until {
        for _ in 0..16 {
            if !TAKEN.load(Relaxed) && !TAKEN.swap(true, Relaxed) {
                return true;
            }
            std::hint::spin_loop();
        }
        // Who has the lock may be runnable on this very core.
        std::thread::yield_now();
    }
    false
}

impl Effort {
    fn in_vain(self) -> Self {
        let rest = (self.rest * 2).clamp(1, LONGEST_REST);
        Self { rest, left: rest }
    }
}
