//! A clock that all processes of a machine read alike.

/// Nanoseconds since some moment before, the same for all processes; never 0.
#[cfg(all(target_os = "linux", not(loom)))]
pub fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64).max(1)
}

/// Nanoseconds since the first call, in this process; never 0.
#[cfg(all(not(target_os = "linux"), not(loom)))]
pub fn now() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    BEGIN.get_or_init(Instant::now).elapsed().as_nanos() as u64 + 1
}

/// Loom knows no time.
#[cfg(loom)]
pub fn now() -> u64 {
    1
}

#[cfg(all(target_os = "linux", not(loom)))]
mod number {
    use std::cell::Cell;

    // The number of this thread, and the generation of forks in which it has that.
    thread_local!(pub(super) static NUMBER: Cell<(u32, u32)> = const { Cell::new((0, 0)) });

    /// A child of `fork` is another thread.
    pub(super) fn generation() -> u32 {
        crate::fork::current()
    }

    pub(super) fn own() -> u32 {
        rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned()
    }
}

/// Without a number of the system's, threads are counted by this process.
#[cfg(any(not(target_os = "linux"), loom))]
mod number {
    use std::cell::Cell;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    static NEXT: AtomicU32 = AtomicU32::new(1);
    std::thread_local!(pub(super) static NUMBER: Cell<(u32, u32)> = const { Cell::new((0, 0)) });

    pub(super) fn generation() -> u32 {
        0
    }

    pub(super) fn own() -> u32 {
        NEXT.fetch_add(1, Relaxed)
    }
}

/// The number of this thread, as the system counts them on the whole machine; where it does not, as this process does.
#[inline]
pub fn thread() -> u32 {
    let generation = number::generation();
    number::NUMBER.with(|known| {
        if known.get().0 == 0 || known.get().1 != generation {
            known.set((number::own(), generation));
        }
        known.get().0
    })
}

/// Does `work` as if this thread had that number: for those who act for threads of other processes.
pub fn as_thread<R>(number: u32, work: impl FnOnce() -> R) -> R {
    /// Puts the own number back, also when `work` panics.
    struct Own((u32, u32));

    impl Drop for Own {
        fn drop(&mut self) {
            number::NUMBER.with(|known| known.set(self.0));
        }
    }

    let _own = Own(number::NUMBER.with(|known| known.replace((number, number::generation()))));
    work()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn who_acts_for_another_thread_has_its_number_only_meanwhile() {
        let own = thread();
        assert_eq!(as_thread(own + 7, thread), own + 7);
        assert_eq!(thread(), own);
    }
}
