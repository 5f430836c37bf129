//! A [`Site`]: where the objects of one place lie, and whether they still may be used.

use super::watch::Watch;
use crate::error::{Error, Kind, Result, Retry};
use anyplace_sync::ground::{Ground, Here, Monitor, Party, Waiter};
use anyplace_sync::shm::hall::{Anything, Hall, Handle, Object};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The ground of this process.
static HERE: Here = Here;

/// What all objects of a place have in common.
pub(crate) struct Site {
    /// The place's address, for errors and reports.
    pub(super) place: String,
    closed: AtomicBool,
    pub(super) watch: Watch,
    pub(super) lies: Lies,
    /// What handles were sent away of: nobody else may have it open before they arrive.
    sent: Mutex<HashMap<Handle, Object<Anything>>>,
    /// For whom this process uses the objects of another site, whose thread wakes futures here, too.
    visit: Option<Visit>,
    /// Those who do so here.
    guests: Mutex<Vec<Weak<Self>>>,
    own: Weak<Self>,
}

/// Somebody at another machine's or process's end of a conversation, who uses objects through this process.
pub(crate) struct Visit {
    host: Arc<Site>,
    pub(super) who: Visitor,
}

/// Who uses the objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visitor {
    /// From where; empty for processes that have the objects in reach.
    pub(crate) from: String,
    /// The number of its process.
    pub(crate) process: u32,
}

/// In the memory of this process.
pub(super) enum Lies {
    Here,
    /// In memory that processes share.
    Hall(Arc<Hall>),
    /// With a peer: nobody here stands in their lines.
    Far,
}

impl Site {
    /// The memory of this process.
    pub(super) fn here(place: String) -> Arc<Self> {
        Self::new(place, Lies::Here, None)
    }

    /// The memory that processes share.
    pub(super) fn hall(place: String, hall: Arc<Hall>) -> Arc<Self> {
        Self::new(place, Lies::Hall(hall), None)
    }

    /// The place of a peer.
    pub(super) fn far(place: String) -> Arc<Self> {
        Self::new(place, Lies::Far, None)
    }

    /// The same objects as a guest of the hall sees them.
    pub(super) fn guest(self: &Arc<Self>, hall: Arc<Hall>, who: Visitor) -> Arc<Self> {
        let guest = Self::new(self.place.clone(), Lies::Hall(hall), Some(Visit { host: self.clone(), who }));
        let mut guests = self.guests();
        guests.retain(|guest| guest.strong_count() > 0);
        guests.push(Arc::downgrade(&guest));
        // One that came while the place was closed would not be told.
        guest.closed.store(self.is_closed(), Ordering::SeqCst);
        drop(guests);
        guest
    }

    fn new(place: String, lies: Lies, visit: Option<Visit>) -> Arc<Self> {
        Arc::new_cyclic(|own| Self {
            place,
            closed: AtomicBool::new(false),
            watch: Watch::new(),
            lies,
            sent: Mutex::default(),
            visit,
            guests: Mutex::default(),
            own: own.clone(),
        })
    }

    fn guests(&self) -> MutexGuard<'_, Vec<Weak<Self>>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The site whose thread wakes futures that wait here.
    pub(super) fn listener(&self) -> &Self {
        self.visit.as_ref().map_or(self, |visit| &visit.host)
    }

    /// Itself, for those who stay longer than who lent it to them.
    pub(super) fn own(&self) -> Arc<Self> {
        self.own.upgrade().expect("whoever has a reference keeps it")
    }

    /// The hall in which they lie.
    ///
    /// # Panics
    /// If they lie in the memory of this process.
    pub(super) fn in_hall(&self) -> &Arc<Hall> {
        match &self.lies {
            Lies::Here | Lies::Far => unreachable!("who asks has made a hall"),
            Lies::Hall(hall) => hall,
        }
    }

    /// Keeps an object of the hall open, of which a handle is sent away: until the place is closed, or nobody here has a handle
    /// of anything in the hall.
    pub(super) fn keep(&self, handle: Handle) {
        if let Entry::Vacant(entry) = self.sent().entry(handle)
            && let Ok(object) = self.in_hall().open(handle)
        {
            entry.insert(object);
        }
    }

    fn sent(&self) -> MutexGuard<'_, HashMap<Handle, Object<Anything>>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody may use the objects any more. Those who wait have to be woken after this.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let guests: Vec<_> = self.guests().iter().filter_map(Weak::upgrade).collect();
        guests.iter().for_each(|guest| guest.close());
        let sent = std::mem::take(&mut *self.sent());
        drop(sent);
    }

    /// A process that uses the objects.
    pub(super) fn user(&self, party: Party) -> Visitor {
        let own = |process| Visitor { from: String::new(), process };
        match &self.lies {
            Lies::Here | Lies::Far => own(std::process::id()),
            Lies::Hall(hall) => self.visitor(party).unwrap_or_else(|| own(hall.process(party).unwrap_or(0))),
        }
    }

    /// The guest that is this party.
    fn visitor(&self, party: Party) -> Option<Visitor> {
        let guests = self.listener().guests();
        let mut guests = guests.iter().filter_map(Weak::upgrade);
        let guest = guests.find(|guest| guest.me() == party)?;
        guest.visit.as_ref().map(|visit| visit.who.clone())
    }

    /// # Errors
    /// `PlaceClosed` once the place is closed.
    #[inline]
    pub(super) fn check_open(&self) -> Result<()> {
        if self.is_closed() { Err(closed(&self.place)) } else { Ok(()) }
    }
}

/// What is said in a place that is closed.
#[cold]
pub(super) fn closed(place: &str) -> Error {
    Error::new(Kind::PlaceClosed, format!("`{place}` is closed, and what was shared in it is gone"))
        .at(place)
        .during("share")
        .with_retry(Retry::Safe)
        .with_help("close the place after the last one who uses its objects")
}

impl Ground for Site {
    #[inline]
    fn me(&self) -> Party {
        match &self.lies {
            Lies::Here | Lies::Far => HERE.me(),
            Lies::Hall(hall) => hall.me(),
        }
    }

    #[inline]
    fn era(&self) -> u32 {
        match &self.lies {
            Lies::Here | Lies::Far => HERE.era(),
            Lies::Hall(hall) => hall.era(),
        }
    }

    fn is_gone(&self, party: Party) -> bool {
        match &self.lies {
            Lies::Here | Lies::Far => HERE.is_gone(party),
            Lies::Hall(hall) => hall.is_gone(party),
        }
    }

    #[inline]
    fn is_ours(&self, party: Party) -> bool {
        match &self.lies {
            Lies::Here | Lies::Far => HERE.is_ours(party),
            Lies::Hall(hall) => hall.is_ours(party),
        }
    }

    #[inline]
    fn counters(&self, table: u32) -> Option<&[AtomicU32]> {
        match &self.lies {
            Lies::Here | Lies::Far => HERE.counters(table),
            Lies::Hall(hall) => hall.counters(table),
        }
    }

    fn bury_the_dead(&self) {
        match &self.lies {
            Lies::Here | Lies::Far => HERE.bury_the_dead(),
            Lies::Hall(hall) => hall.bury_the_dead(),
        }
    }

    fn look_for_the_dead(&self) {
        match &self.lies {
            Lies::Here | Lies::Far => HERE.look_for_the_dead(),
            Lies::Hall(hall) => hall.look_for_the_dead(),
        }
    }

    fn waiter(&self, number: u32) -> &Waiter {
        match &self.lies {
            Lies::Here | Lies::Far => HERE.waiter(number),
            Lies::Hall(hall) => hall.waiter(number),
        }
    }

    fn take_waiter(&self) -> u32 {
        match &self.lies {
            Lies::Here | Lies::Far => HERE.take_waiter(),
            Lies::Hall(hall) => hall.take_waiter(),
        }
    }

    fn give_waiter(&self, number: u32) {
        match &self.lies {
            Lies::Here | Lies::Far => HERE.give_waiter(number),
            Lies::Hall(hall) => hall.give_waiter(number),
        }
    }

    fn waiters(&self) -> u32 {
        match &self.lies {
            Lies::Here | Lies::Far => HERE.waiters(),
            Lies::Hall(hall) => hall.waiters(),
        }
    }

    fn name_of(&self, monitor: &Monitor) -> u64 {
        match &self.lies {
            Lies::Here | Lies::Far => HERE.name_of(monitor),
            Lies::Hall(hall) => hall.name_of(monitor),
        }
    }

    #[inline]
    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("place", &self.place).finish_non_exhaustive()
    }
}
