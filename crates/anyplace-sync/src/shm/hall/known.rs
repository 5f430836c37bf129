//! The halls that this process has open: it takes one seat in each.

use super::Hall;
use super::error::HallError;
use crate::fork;
use std::ptr;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{AcqRel, Acquire};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// What a process knows. A child of `fork` begins with a copy, and a lock of its own: a thread of its parent may have held
/// the other one, and is not there to release it.
struct Known {
    generation: u32,
    halls: Mutex<Vec<(u64, Weak<Hall>)>>,
}

/// Ours, or our parent's until we need it. One a process is made, and never freed.
static KNOWN: AtomicPtr<Known> = AtomicPtr::new(ptr::null_mut());

fn known() -> MutexGuard<'static, Vec<(u64, Weak<Hall>)>> {
    let generation = fork::fork_generation();
    loop {
        let now = KNOWN.load(Acquire);
        // SAFETY: it is null, or was leaked below.
        let known = unsafe { now.as_ref() };
        if let Some(known) = known.filter(|known| known.generation == generation) {
            return known.halls.lock().unwrap_or_else(PoisonError::into_inner);
        }
        // If the parent was about to open or to forget one, its list is lost: a hall may get a second seat then.
        let parents = known.and_then(|known| Some(known.halls.try_lock().ok()?.clone()));
        let ours = Box::new(Known { generation, halls: Mutex::new(parents.unwrap_or_default()) });
        let ours = Box::into_raw(ours);
        if KNOWN.compare_exchange(now, ours, AcqRel, Acquire).is_err() {
            // SAFETY: nobody else has seen it: another thread of ours was faster.
            drop(unsafe { Box::from_raw(ours) });
        }
    }
}

/// Remembers a hall that has just been made.
pub(super) fn add(hall: &Arc<Hall>) {
    let mut known = known();
    known.retain(|(_, hall)| hall.strong_count() > 0);
    known.push((hall.key(), Arc::downgrade(hall)));
}

/// The hall of this key, if it is open.
pub(super) fn find(key: u64) -> Option<Arc<Hall>> {
    known().iter().filter(|(its, _)| *its == key).find_map(|(_, hall)| hall.upgrade())
}

/// The hall of this key, if it is open, else what `open` gives. Only one thread opens it.
pub(super) fn find_or(
    key: u64,
    open: impl FnOnce() -> Result<Arc<Hall>, HallError>,
) -> Result<Arc<Hall>, HallError> {
    let mut known = known();
    if let Some(hall) = known.iter().filter(|(its, _)| *its == key).find_map(|(_, hall)| hall.upgrade()) {
        return Ok(hall);
    }
    known.retain(|(_, hall)| hall.strong_count() > 0);
    let hall = open()?;
    known.push((key, Arc::downgrade(&hall)));
    Ok(hall)
}
