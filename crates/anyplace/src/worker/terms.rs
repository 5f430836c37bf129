//! Binds this process to the terms on which it works: how much memory, which cores.

use crate::wire::Terms;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::io;

/// Puts this process on these terms; what it starts inherits them.
///
/// # Errors
/// What the system refuses. The place has checked before what can be checked.
pub(super) fn accept(terms: &Terms) -> io::Result<()> {
    if let Some(bytes) = terms.memory {
        // Allocating more fails, which a language can tell the task; the kernel kills for other limits.
        let maximum = getrlimit(Resource::Data).maximum;
        setrlimit(Resource::Data, Rlimit { current: Some(bytes), maximum })?;
    }
    if !terms.cpus.is_empty() {
        let mut cpus = CpuSet::new();
        terms.cpus.iter().for_each(|cpu| cpus.set(*cpu as usize));
        sched_setaffinity(None, &cpus)?;
    }
    Ok(())
}

/// Whether this process has kept more memory than it may use, so that another should take its place. What it shares with
/// others, such as the place's memory, does not count.
pub(super) fn is_spent(memory: u64) -> bool {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: Vec<u64> = statm.split(' ').filter_map(|pages| pages.parse().ok()).collect();
    let [_, resident, shared, ..] = pages[..] else { return false };
    resident.saturating_sub(shared) * rustix::param::page_size() as u64 > memory
}
