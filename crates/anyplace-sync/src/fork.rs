//! Which side of a `fork` we are on.
//!
//! A child made by `fork` gets a copy of every value its parent had, and drops it some day. What such a value stands for
//! in *shared* memory it must leave alone: it is still its parent's. So whoever owns something outside its own process
//! remembers the generation it was made in, and does nothing in any other.

#![allow(unsafe_code, reason = "registers the handler that counts forks")]

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

static GENERATION: AtomicU32 = AtomicU32::new(0);
static WATCHING: Once = Once::new();

/// How many forks lie between this process and the one that asked first: it grows by one in every child of `fork`.
///
/// Children made by `clone` or `vfork` directly are not counted: they execute another program at once, and drop nothing.
///
/// ```
/// let before = anyplace_sync::fork_generation();
/// assert_eq!(anyplace_sync::fork_generation(), before, "the same process, the same generation");
/// ```
///
/// # Panics
/// If the system has no memory left to remember one handler.
pub fn fork_generation() -> u32 {
    WATCHING.call_once(|| {
        // SAFETY: the handler lives as long as the program and only stores to atomics, which is safe in a child.
        let refused = unsafe { libc::pthread_atfork(None, None, Some(count)) };
        assert_eq!(refused, 0, "a fork handler needs a few bytes of memory");
    });
    current()
}

/// The same, for those who know that somebody has asked before: one load.
#[inline]
pub(crate) fn current() -> u32 {
    GENERATION.load(Relaxed)
}

unsafe extern "C" fn count() {
    GENERATION.fetch_add(1, Relaxed);
    crate::spin::forget_others();
}
