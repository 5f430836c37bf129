//! The sites of the halls that this process has open: one for each, however many handles come from elsewhere.

use super::far::Far;
use super::per_process::PerProcess;
use super::site::Site;
use anyplace_sync::shm::hall::Hall;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

#[derive(Default)]
struct Known {
    all: Vec<Weak<Site>>,
    /// Those that handles came from last. To leave a hall with each task's last handle and enter it with the next one's first
    /// would cost more than the tasks.
    visited: VecDeque<Arc<Site>>,
    /// Places of peers.
    far: Vec<Weak<Far>>,
}

const VISITS: usize = 4;

fn known() -> MutexGuard<'static, Known> {
    static KNOWN: PerProcess<Mutex<Known>> = PerProcess::new();
    // If the parent was in the middle of this, a hall may get a second site, which costs a thread at most.
    let of_parent = |parents: Option<&Mutex<Known>>| {
        let all = parents.and_then(|known| Some(known.try_lock().ok()?.all.clone()));
        Mutex::new(Known { all: all.unwrap_or_default(), ..Known::default() })
    };
    KNOWN.get(of_parent).lock().unwrap_or_else(PoisonError::into_inner)
}

/// The site of a hall from which a handle has come.
pub(super) fn arrived(hall: &Arc<Hall>, place: &str) -> Arc<Site> {
    let mut known = known();
    // What is known is kept by its place, or by other handles.
    if let Some(site) = known.find(hall) {
        return site;
    }
    let site = known.add(hall, place);
    known.visited.push_back(site.clone());
    // Leaving a hall may take a while, so that is done outside.
    let left = if known.visited.len() > VISITS { known.visited.pop_front() } else { None };
    drop(known);
    drop(left);
    site
}

/// The site of a hall that a place of this process has made.
pub(super) fn made(hall: &Arc<Hall>, place: &str) -> Arc<Site> {
    known().add(hall, place)
}

/// Remembers a place of a peer.
pub(super) fn far(far: &Arc<Far>) {
    let mut known = known();
    known.far.retain(|far| far.strong_count() > 0);
    known.far.push(Arc::downgrade(far));
}

/// The place of a peer whose objects lie in this hall.
pub(super) fn far_of(hall: u64) -> Option<Arc<Far>> {
    known().far.iter().filter_map(Weak::upgrade).find(|far| far.hall() == Some(hall))
}

impl Known {
    fn find(&self, hall: &Arc<Hall>) -> Option<Arc<Site>> {
        self.all.iter().filter_map(Weak::upgrade).find(|site| Arc::ptr_eq(site.in_hall(), hall))
    }

    fn add(&mut self, hall: &Arc<Hall>, place: &str) -> Arc<Site> {
        let site = Site::hall(place.to_owned(), hall.clone());
        self.all.retain(|site| site.strong_count() > 0);
        self.all.push(Arc::downgrade(&site));
        site
    }
}
