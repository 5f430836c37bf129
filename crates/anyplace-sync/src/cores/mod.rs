//! How many cores this process may really use.

#[cfg(target_os = "linux")]
mod cgroup;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The number of cores this process may really use: what its CPU affinity allows, or the tightest CPU quota of its
/// control groups (rounded up) where that is less. At least 1.
///
/// Containers limit by quota, batch systems by affinity; the machine's number of cores says nothing in either. It is
/// found once per process and costs one load from then on.
///
/// ```
/// assert!(anyplace_sync::usable_cores() >= 1);
/// ```
pub fn usable_cores() -> usize {
    // Not a `OnceLock`: a child of `fork` would wait for ever for a thread of its parent that was just looking.
    static CORES: AtomicUsize = AtomicUsize::new(0);
    match CORES.load(Relaxed) {
        0 => {
            let cores = allowed().min(quota().unwrap_or(usize::MAX)).max(1);
            CORES.store(cores, Relaxed);
            cores
        }
        known => known,
    }
}

#[cfg(target_os = "linux")]
fn allowed() -> usize {
    // It fails where a kernel knows more cores than fit the usual set; the standard library tries larger ones.
    rustix::thread::sched_getaffinity(None).map_or_else(|_| parallelism(), |cores| cores.count() as usize)
}

#[cfg(not(target_os = "linux"))]
fn allowed() -> usize {
    parallelism()
}

fn parallelism() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(target_os = "linux")]
fn quota() -> Option<usize> {
    let read = |path: &std::path::Path| std::fs::read_to_string(path).ok();
    cgroup::tightest_quota(&read)
}

#[cfg(not(target_os = "linux"))]
fn quota() -> Option<usize> {
    None
}
