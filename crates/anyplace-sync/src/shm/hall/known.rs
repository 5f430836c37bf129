//! The halls that this process has open: it takes one seat in each.

use super::Hall;
use super::error::HallError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

static KNOWN: Mutex<Vec<(u64, Weak<Hall>)>> = Mutex::new(Vec::new());

fn known() -> MutexGuard<'static, Vec<(u64, Weak<Hall>)>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Remembers a hall that has just been made.
pub(super) fn add(hall: &Arc<Hall>) {
    let mut known = known();
    known.retain(|(_, hall)| hall.strong_count() > 0);
    known.push((hall.key(), Arc::downgrade(hall)));
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
