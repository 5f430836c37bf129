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

/// The number of this thread, as the system counts them on the whole machine.
#[cfg(all(target_os = "linux", not(loom)))]
#[inline]
pub fn thread() -> u32 {
    use std::cell::Cell;
    thread_local!(static NUMBER: Cell<(u32, u32)> = const { Cell::new((0, 0)) });
    let generation = crate::fork::current();
    NUMBER.with(|known| {
        // A child of `fork` is another thread.
        if known.get().0 == 0 || known.get().1 != generation {
            known.set((rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned(), generation));
        }
        known.get().0
    })
}

/// The number of this thread, as this process counts them.
#[cfg(any(not(target_os = "linux"), loom))]
pub fn thread() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    static NEXT: AtomicU32 = AtomicU32::new(1);
    std::thread_local!(static NUMBER: u32 = NEXT.fetch_add(1, Relaxed));
    NUMBER.with(|number| *number)
}
