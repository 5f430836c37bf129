//! Waits that end when a signal comes, for languages whose handlers run in between.
//!
//! The kernel ends a sleep when a signal's handler has run, and a wait of this crate then looks again and goes on. Who has
//! something to do after each signal would have to wake up now and then to ask. Here it says so once, for the thread that
//! waits, and no wait has to know.

use std::cell::Cell;

thread_local!(static HEARD: Cell<Heard> = const { Cell::new(Heard::Ignored) });

#[derive(Clone, Copy, PartialEq, Eq)]
enum Heard {
    /// Nobody has asked.
    Ignored,
    Nothing,
    Signal,
}

/// Runs `wait`. A signal that comes to this thread while it sleeps there ends waits that have a deadline, as if that had come.
///
/// One that comes between two sleeps is not noticed: so the deadline should not be far. What sleeps in other ways than
/// this crate's waits, and those that ask [`signal_came`], does not end.
///
/// ```
/// use anyplace_sync::{Latch, ending_at_signals};
/// use std::time::{Duration, Instant};
///
/// let (never, soon) = (Latch::new(), Instant::now() + Duration::from_millis(1));
/// assert!(!ending_at_signals(|| never.wait(Some(soon))), "a signal, or its time, came");
/// ```
pub fn ending_at_signals<R>(wait: impl FnOnce() -> R) -> R {
    /// Puts back what was asked for around us, also when `wait` panics.
    struct Before(Heard);

    impl Drop for Before {
        fn drop(&mut self) {
            HEARD.set(self.0);
        }
    }

    let _before = Before(HEARD.replace(Heard::Nothing));
    wait()
}

/// For waits of other crates: a signal has ended a sleep of this thread; true if the wait is to end, too, as
/// [`ending_at_signals`] promises.
pub fn signal_came() -> bool {
    came()
}

/// Whether a signal has come that the waits of this thread are to end at.
pub(crate) fn has_come() -> bool {
    HEARD.get() == Heard::Signal
}

/// A signal has ended a sleep of this thread; true if the wait is to end, too.
#[cfg_attr(any(not(target_os = "linux"), loom), allow(dead_code, reason = "only the kernel's futex tells"))]
pub(crate) fn came() -> bool {
    if HEARD.get() == Heard::Nothing {
        HEARD.set(Heard::Signal);
    }
    has_come()
}

#[cfg(all(test, target_os = "linux", not(loom)))]
#[allow(unsafe_code, reason = "sends a signal to a thread of its own")]
mod tests {
    use super::*;
    use crate::ground::{Here, Turn};
    use crate::{Latch, Lock};
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    extern "C" fn nothing(_: libc::c_int) {}

    /// Sends signals to a thread that waits until the wait ends; whether it ended long before its time.
    fn ends_early(wait: impl FnOnce(Instant) + Send) -> bool {
        // SAFETY: a handler that does nothing may run anywhere.
        let before = unsafe { libc::signal(libc::SIGUSR2, nothing as *const () as libc::sighandler_t) };
        assert_ne!(before, libc::SIG_ERR);
        let (tell, told) = mpsc::channel();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(move || {
                // SAFETY: it says who we are.
                tell.send(unsafe { libc::pthread_self() }).unwrap();
                let until = Instant::now() + Duration::from_secs(60);
                wait(until);
                Instant::now() < until
            });
            let thread = told.recv().unwrap();
            while !waiting.is_finished() {
                // SAFETY: the thread has not been joined yet, so its number is its own.
                unsafe { libc::pthread_kill(thread, libc::SIGUSR2) };
                std::thread::yield_now();
            }
            waiting.join().unwrap()
        })
    }

    #[test]
    fn a_signal_ends_a_wait_of_who_asked_for_it() {
        let latch = Latch::new();
        assert!(ends_early(|until| assert!(!ending_at_signals(|| latch.wait(Some(until))))));
        let lock = Lock::new();
        assert!(lock.try_acquire(&Here).is_some());
        assert!(ends_early(|until| {
            let mut turn = Turn::new(&Here);
            assert!(ending_at_signals(|| lock.acquire(&mut turn, Some(until))).is_none());
            assert!(turn.is_standing(), "it may go on from its place");
        }));
    }

    #[test]
    fn nobody_else_hears_it() {
        let latch = Latch::new();
        let soon = Duration::from_millis(30);
        ends_early(|_| {
            ending_at_signals(|| ());
            let until = Instant::now() + soon;
            assert!(!latch.wait(Some(until)));
            assert!(Instant::now() >= until);
        });
    }
}
