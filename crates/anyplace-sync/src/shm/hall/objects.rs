//! The objects that a hall has: found by name, or made.

use super::Hall;
use super::desk::Desk;
use super::error::HallError;
use super::kind::Kind;
use super::making::Making;
use super::name::Name;
use super::object::{Body, Object};
use crate::ground::MOST_PARTIES;
use crate::{Barrier, Condition, Event, Lock, RLock, Semaphore, Value};
use std::sync::Arc;

/// A semaphore counts what each party has, and parties are numbered from 1.
pub(super) const COUNTERS: usize = MOST_PARTIES + 1;

/// What is found is as it was made: the numbers given here are for what is new. Names have 1 to 48 bytes; without a name
/// it is a new one, which ends when no process has it open, while what has a name stays as long as the hall.
///
/// All of them fail with [`HallError::OtherKind`] if the name stands for something of another kind, and with
/// [`HallError::Full`] or [`HallError::TooMany`] if there is no room for another.
#[allow(clippy::missing_errors_doc, reason = "the same for all, said above")]
impl Hall {
    /// A lock.
    pub fn lock(self: &Arc<Self>, name: Option<&str>) -> Result<Object<Lock>, HallError> {
        self.find_or_make(name, Kind::Lock, |_| Ok(()))
    }

    /// A lock that its owner may take again.
    pub fn rlock(self: &Arc<Self>, name: Option<&str>) -> Result<Object<RLock>, HallError> {
        self.find_or_make(name, Kind::RLock, |_| Ok(()))
    }

    /// A condition.
    pub fn condition(self: &Arc<Self>, name: Option<&str>) -> Result<Object<Condition>, HallError> {
        self.find_or_make(name, Kind::Condition, |_| Ok(()))
    }

    /// A flag that is not set.
    pub fn event(self: &Arc<Self>, name: Option<&str>) -> Result<Object<Event>, HallError> {
        self.find_or_make(name, Kind::Event, |_| Ok(()))
    }

    /// A semaphore with `value` permits, never more if it is `bounded`.
    pub fn semaphore(
        self: &Arc<Self>,
        name: Option<&str>,
        value: u32,
        bounded: bool,
    ) -> Result<Object<Semaphore>, HallError> {
        self.find_or_make(name, Kind::Semaphore, |making| {
            making.storage(COUNTERS * 4)?;
            making.body::<Semaphore>().begin(value, bounded, making.number + 1);
            Ok(())
        })
    }

    /// A barrier for `parties` threads.
    pub fn barrier(self: &Arc<Self>, name: Option<&str>, parties: u32) -> Result<Object<Barrier>, HallError> {
        self.find_or_make(name, Kind::Barrier, |making| {
            making.body::<Barrier>().begin(parties);
            Ok(())
        })
    }

    /// A whole number, or a counter if that is the `kind`, which begins with `value`.
    ///
    /// # Panics
    /// If `kind` is none of a value.
    pub fn value(
        self: &Arc<Self>,
        name: Option<&str>,
        kind: Kind,
        value: i64,
    ) -> Result<Object<Value>, HallError> {
        self.find_or_make(name, kind, |making| {
            making.body::<Value>().store(value);
            Ok(())
        })
    }

    /// A floating-point number, which begins with `value`.
    pub fn float(self: &Arc<Self>, name: Option<&str>, value: f64) -> Result<Object<Value>, HallError> {
        self.find_or_make(name, Kind::Float, |making| {
            making.body::<Value>().store_float(value);
            Ok(())
        })
    }

    pub(super) fn find_or_make<K: Body>(
        self: &Arc<Self>,
        name: Option<&str>,
        kind: Kind,
        begin: impl FnOnce(&Making<'_>) -> Result<(), HallError>,
    ) -> Result<Object<K>, HallError> {
        self.find_or_make_at_desk(name, kind, |_, making| begin(making))
    }

    /// The same for what is made of several objects.
    pub(super) fn find_or_make_at_desk<K: Body>(
        self: &Arc<Self>,
        name: Option<&str>,
        kind: Kind,
        begin: impl FnOnce(&Desk<'_>, &Making<'_>) -> Result<(), HallError>,
    ) -> Result<Object<K>, HallError> {
        assert!(K::suits(kind), "{kind} is no such object");
        let name = name.map(|text| Ok::<_, HallError>((text, Name::new(text)?))).transpose()?;
        let desk = self.desk();
        let known = name.and_then(|(text, name)| Some((text, self.find(&desk, &name)?)));
        let (number, entry, state) = match known {
            Some((text, (number, entry, state))) => {
                let is = state.kind().unwrap_or(kind);
                if is != kind {
                    return Err(HallError::OtherKind { name: text.into(), is, wanted: kind });
                }
                self.open_at(&desk, number, entry);
                (number, entry, state)
            }
            None => {
                self.make(&desk, name.as_ref().map(|(_, name)| name), kind, |making| begin(&desk, making))?
            }
        };
        drop(desk);
        Ok(Object::opened(Arc::clone(self), number, entry, state))
    }
}
