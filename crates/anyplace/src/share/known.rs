//! The sites of the halls that this process has open: one for each, however many handles come from elsewhere.

use super::site::Site;
use anyplace_sync::shm::hall::Hall;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

static KNOWN: Mutex<Vec<Weak<Site>>> = Mutex::new(Vec::new());

/// Those that handles came from last. To leave a hall with each task's last handle and enter it with the next one's first
/// would cost more than the tasks.
static VISITED: Mutex<VecDeque<Arc<Site>>> = Mutex::new(VecDeque::new());
const VISITS: usize = 4;

/// The site of a hall from which a handle has come.
pub(super) fn arrived(hall: &Arc<Hall>, place: &str) -> Arc<Site> {
    let site = site(hall, place);
    let mut visited = VISITED.lock().unwrap_or_else(PoisonError::into_inner);
    if !visited.iter().any(|known| Arc::ptr_eq(known, &site)) {
        visited.push_back(site.clone());
    }
    // What it held leaves its hall, which may take a while: not under the lock.
    let left = if visited.len() > VISITS { visited.pop_front() } else { None };
    drop(visited);
    drop(left);
    site
}

/// The site of this hall, which belongs to this place.
pub(super) fn site(hall: &Arc<Hall>, place: &str) -> Arc<Site> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let ours = |site: &Arc<Site>| Arc::ptr_eq(site.in_hall(), hall);
    if let Some(site) = known.iter().filter_map(Weak::upgrade).find(ours) {
        return site;
    }
    known.retain(|site| site.strong_count() > 0);
    let site = Site::hall(place.to_owned(), hall.clone());
    known.push(Arc::downgrade(&site));
    site
}
