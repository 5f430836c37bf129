//! A [`Line`]: threads that wait until something that is shared has changed.

use crate::primitives::atomic::Ordering::SeqCst;
use crate::primitives::atomic::{AtomicU32, fence};
use crate::spin::{self, WAITERS};
use crate::tokens::Tokens;
use std::time::Instant;

/// How often a thread lets others run before it sleeps: what it waits for may be made by a thread of its own core.
const YIELDS: usize = 4;

/// Threads that wait until something has changed which they can see for themselves: an item came, a place is free.
///
/// Nobody is handed anything. Who changes something calls as many as can use it; who is called looks again, and may find
/// that another thread, one that never waited, was faster: then it goes to the end of the line. Threads are called in the
/// order in which they fell asleep.
///
/// It is eight bytes and allocates nothing. To call nobody costs one load.
///
/// ```
/// use anyplace_sync::Line;
/// use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
///
/// let (line, loaves) = (Line::new(), AtomicUsize::new(0));
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         loaves.store(1, SeqCst);
///         line.call(1);
///     });
///     assert!(line.wait(None, || loaves.load(SeqCst) > 0));
/// });
/// ```
#[derive(Debug)]
pub struct Line {
    /// Threads that sleep or are about to, and have not been called.
    uncalled: AtomicU32,
    calls: Tokens,
}

impl Line {
    /// A line in which nobody stands.
    pub fn new() -> Self {
        Self { uncalled: AtomicU32::new(0), calls: Tokens::new() }
    }

    /// Sleeps until `ready`, at most until `deadline`; true if it is ready.
    ///
    /// `ready` is asked by this thread, more than once. What makes it true has to be changed before [`call`](Self::call),
    /// in one order with it: under a lock that `ready` takes too, or both by sequentially consistent operations.
    pub fn wait(&self, deadline: Option<Instant>, mut ready: impl FnMut() -> bool) -> bool {
        ready() || self.sleep_until(deadline, ready)
    }

    /// Like [`wait`](Self::wait), but spins first for about as long as a wake-up costs, if a core can be spared.
    pub fn wait_spinning_first(&self, deadline: Option<Instant>, mut ready: impl FnMut() -> bool) -> bool {
        ready() || spin_until(deadline, &mut ready) || self.sleep_until(deadline, ready)
    }

    /// Calls up to `count` of those who wait, to look again.
    #[inline]
    pub fn call(&self, count: u32) {
        if self.uncalled.load(SeqCst) > 0 {
            self.call_sleepers(count);
        }
    }

    /// Calls all who wait. Here any order will do in which the change was made.
    pub fn call_all(&self) {
        fence(SeqCst);
        self.call(u32::MAX);
    }

    #[cold]
    fn call_sleepers(&self, count: u32) {
        let mut called = 0;
        let _ = self.uncalled.fetch_update(SeqCst, SeqCst, |uncalled| {
            called = uncalled.min(count);
            Some(uncalled - called)
        });
        self.calls.give(called);
    }

    #[cold]
    fn sleep_until(&self, deadline: Option<Instant>, mut ready: impl FnMut() -> bool) -> bool {
        loop {
            self.uncalled.fetch_add(1, SeqCst);
            // Whoever makes it ready after the look below sees the line above, and calls.
            fence(SeqCst);
            let found = ready();
            if found || !self.calls.take_until(deadline) {
                self.leave();
                return found || ready();
            }
            if ready() {
                return true;
            }
        }
    }

    /// Goes, uncalled if possible.
    fn leave(&self) {
        let one_less = |uncalled: u32| uncalled.checked_sub(1);
        if self.uncalled.fetch_update(SeqCst, SeqCst, one_less).is_err() {
            // All in line have been called, so one call is this thread's: it is there already, or comes at once. It is not
            // lost with it, since it looks once more.
            self.calls.take();
        }
    }
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

fn spin_until(deadline: Option<Instant>, ready: &mut impl FnMut() -> bool) -> bool {
    if cfg!(loom) {
        return false; // Spinning only delays the sleep, which is what the models are about.
    }
    match WAITERS.enter() {
        Some(permit) => permit.spin_until(spin::limit(deadline), ready),
        None => (0..YIELDS).any(|_| {
            crate::primitives::thread::yield_now();
            ready()
        }),
    }
}
