//! How handles travel: as the ticket of their hall, and which object of it they mean. They open themselves where they arrive.

use super::body::Body;
use super::far;
use super::halls::told;
use super::known;
use super::object::{Called, Home, InHall, Shared};
use super::shape;
use super::site::Site;
use crate::error::{Error, Kind, Result};
use anyplace_sync::shm::hall::{Body as HallBody, Hall, Handle, Object, Ticket};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, de, ser};
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// A handle on its way.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Travelling {
    place: String,
    name: String,
    ticket: [u64; 4],
    handle: (u32, u64),
}

thread_local! {
    /// What a serializer that keeps no messages was told last.
    static REFUSED: RefCell<Option<Error>> = const { RefCell::new(None) };
    /// Whoever sends handles now keeps them himself until they have arrived.
    static LENT: Cell<bool> = const { Cell::new(false) };
    /// For whom handles arrive that a peer sends to a place which is offered to it.
    static GUEST: RefCell<Option<Arc<Site>>> = const { RefCell::new(None) };
}

/// Why the last handle on this thread could not travel, or open itself. An encoding may keep nothing of it.
pub(crate) fn take_refusal() -> Option<Error> {
    REFUSED.take()
}

/// A handle as bytes, for programs of a language that serde does not know; [`from_ticket`] opens the same object of them.
///
/// # Errors
/// `NotSerializable` if the object lies in the memory of this process.
pub fn to_ticket<T: Serialize>(handle: &T) -> Result<Vec<u8>> {
    postcard::to_stdvec(handle).map_err(|error| take_refusal().unwrap_or_else(|| unreadable(&error)))
}

/// As [`to_ticket`], for those who keep the handle until it has arrived. Of others, this process keeps open whatever it has sent
/// a handle of, for as long as the place is open.
///
/// # Errors
/// As [`to_ticket`].
pub fn to_ticket_of_kept<T: Serialize>(handle: &T) -> Result<Vec<u8>> {
    let outer = LENT.replace(true);
    let ticket = to_ticket(handle);
    LENT.set(outer);
    ticket
}

/// The handle of a ticket, which has opened its object.
///
/// # Errors
/// `NotFound` if the object, or whoever had it, is no more; `NotSerializable` if it is no ticket of such a handle.
pub fn from_ticket<T: DeserializeOwned>(ticket: &[u8]) -> Result<T> {
    postcard::from_bytes(ticket).map_err(|error| take_refusal().unwrap_or_else(|| unreadable(&error)))
}

fn unreadable(error: &postcard::Error) -> Error {
    Error::new(Kind::NotSerializable, format!("this is no ticket of such a shared object: {error}"))
}

impl Travelling {
    pub(super) fn of(site: &Site, name: &str, handle: Handle) -> Self {
        if !LENT.get() {
            site.keep(handle);
        }
        let ticket = site.in_hall().ticket().numbers();
        Self { place: site.place.clone(), name: name.to_owned(), ticket, handle: handle.numbers() }
    }

    /// Of an object that lies with a peer: the ticket by which the workers of its place open it.
    pub(super) fn of_far(object: &Arc<far::Object>) -> Result<Self> {
        postcard::from_bytes(&object.ticket()?).map_err(|error| unreadable(&error))
    }

    /// Opens the hall, or finds the place of a peer in which the object lies.
    pub(super) fn arrive(self, kind: shape::Kind) -> Result<Arrived> {
        self.arrive_as(kind, |travelling| travelling)
    }

    /// The same for what travels as more than this, which `whole` makes of it.
    pub(super) fn arrive_as<W: Serialize>(
        self,
        kind: shape::Kind,
        whole: impl FnOnce(Self) -> W,
    ) -> Result<Arrived> {
        let ticket = Ticket::from_numbers(self.ticket);
        if let Some(site) = GUEST.with_borrow(Clone::clone) {
            let is_its = site.in_hall().ticket().numbers()[0] == self.ticket[0];
            let ours = || Arrived::Hall(site, self.name.as_str().into(), Handle::from_numbers(self.handle));
            return is_its.then(ours).ok_or_else(|| stranger(&self.place));
        }
        if Hall::known_by(&ticket).is_none()
            && let Some(far) = known::far_of(self.ticket[0])
        {
            let name = self.name.as_str().into();
            let ticket = postcard::to_stdvec(&whole(self)).map_err(|error| unreadable(&error))?;
            return Ok(Arrived::Far(name, far.arrive(ticket, kind.shape())?));
        }
        let (site, name, handle) = self.arrive_here()?;
        Ok(Arrived::Hall(site, name, handle))
    }
}

impl Travelling {
    /// Opens the hall itself, for what has to be in reach: on the same machine it can be.
    pub(super) fn arrive_here(self) -> Result<(Arc<Site>, Arc<str>, Handle)> {
        let hall = Hall::open_by(&Ticket::from_numbers(self.ticket));
        let site = known::arrived(&hall.map_err(|error| told(error, &self.place))?, &self.place);
        Ok((site, self.name.into(), Handle::from_numbers(self.handle)))
    }
}

/// Where the object of a handle lies that has arrived.
pub(super) enum Arrived {
    Hall(Arc<Site>, Arc<str>, Handle),
    Far(Arc<str>, Arc<far::Object>),
}

/// Opens what `arrive` does as one who is a guest of a hall, and nothing of other halls.
pub(super) fn as_guest<R>(site: &Arc<Site>, arrive: impl FnOnce() -> R) -> R {
    /// Puts back who it was, also when `arrive` panics.
    struct Before(Option<Arc<Site>>);

    impl Drop for Before {
        fn drop(&mut self) {
            GUEST.set(self.0.take());
        }
    }

    let _before = Before(GUEST.replace(Some(site.clone())));
    arrive()
}

fn stranger(place: &str) -> Error {
    Error::new(Kind::NotFound, format!("the handle is of `{place}`, and not of the place to which it came"))
        .during("share")
        .with_help("give the task the handle of an object of its own place")
}

impl<K: Body> Shared<K> {
    /// # Errors
    /// `NotSerializable` if it lies in the memory of this process.
    pub(super) fn travel(&self, kind: shape::Kind) -> Result<Travelling> {
        if let Home::Far(object) = self.home() {
            return Travelling::of_far(object);
        }
        let handle = self.handle().ok_or_else(|| stays(&self.called(kind)))?;
        Ok(Travelling::of(&self.site, &self.name, handle))
    }
}

impl<K: Body + HallBody> Shared<K> {
    /// Opens the object of a handle that has arrived.
    pub(super) fn arrive(travelling: Travelling, kind: shape::Kind) -> Result<Self> {
        let (site, name, handle) = match travelling.arrive(kind)? {
            Arrived::Hall(site, name, handle) => (site, name, handle),
            Arrived::Far(name, object) => return Ok(Self::far(name, object)),
        };
        let object: Object<K> = site.in_hall().open(handle).map_err(|error| told(error, &site.place))?;
        let object: Arc<dyn InHall<K>> = Arc::new(object);
        Ok(Self::arrived(site, name, object))
    }
}

/// An object that other processes cannot see.
pub(super) fn stays(called: &Called<'_>) -> Error {
    Error::new(Kind::NotSerializable, format!("{called} cannot leave this process"))
        .at(&called.site.place)
        .during("share")
        .with_help("share it in a place of processes, such as `processes:`, and send that handle")
}

/// Tells a serializer, and whoever asks it afterwards.
pub(crate) fn refuse_to_go<E: ser::Error>(error: Error) -> E {
    let said = E::custom(&error);
    REFUSED.set(Some(error));
    said
}

/// Tells a deserializer, and whoever asks it afterwards.
pub(crate) fn refuse_to_come<E: de::Error>(error: Error) -> E {
    let said = E::custom(&error);
    REFUSED.set(Some(error));
    said
}

/// Lets `$handle`, which is an `Arc<Shared<_>>`, travel as one of its kind.
macro_rules! travels {
    ($handle:ident, $kind:expr) => {
        impl serde::Serialize for $handle {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                let travelling = self.0.travel($kind).map_err($crate::share::travel::refuse_to_go)?;
                serde::Serialize::serialize(&travelling, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $handle {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> std::result::Result<Self, D::Error> {
                let travelling = serde::Deserialize::deserialize(deserializer)?;
                let arrived = $crate::share::object::Shared::arrive(travelling, $kind);
                let shared = arrived.map_err($crate::share::travel::refuse_to_come)?;
                Ok(Self(std::sync::Arc::new(shared)))
            }
        }
    };
}
pub(super) use travels;
