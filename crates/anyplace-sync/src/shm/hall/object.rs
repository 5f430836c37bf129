//! An [`Object`] of a hall, as one process has it open.

use super::Hall;
use super::error::HallError;
use super::kind::Kind;
use super::layout::{BODY, Entry};
use super::state::{Phase, State};
use crate::fork;
use crate::shm::segment::Shared;
use crate::{Barrier, Condition, Event, Lock, RLock, Semaphore, Value};
use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;

/// What can lie in a hall: atomics only, and fresh when all of them are zero.
#[allow(private_bounds, reason = "only this crate can promise what it asks for")]
pub trait Body: Shared {
    /// Whether it is what objects of this kind consist of.
    fn suits(kind: Kind) -> bool;
}

macro_rules! bodies {
    ($($body:ty: $($kind:ident)|+;)*) => {$(
        // SAFETY: it consists of atomics only.
        unsafe impl Shared for $body {}
        const _: () = assert!(size_of::<$body>() <= BODY && align_of::<$body>() <= 8);
        impl Body for $body {
            fn suits(kind: Kind) -> bool {
                matches!(kind, $(Kind::$kind)|+)
            }
        }
    )*};
}

bodies! {
    Lock: Lock;
    RLock: RLock;
    Semaphore: Semaphore;
    Condition: Condition;
    Event: Event;
    Barrier: Barrier;
    Value: Value | Float | Counter;
}

/// An object whatever it is, for those who only keep it open.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Anything;

// SAFETY: it has no bytes.
unsafe impl Shared for Anything {}

impl Body for Anything {
    fn suits(_: Kind) -> bool {
        true
    }
}

/// Which object of a hall, for whoever has the hall: it travels beside the hall's ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle {
    number: u32,
    state: u64,
}

impl Handle {
    /// The handle that two numbers stand for.
    pub fn from_numbers((number, state): (u32, u64)) -> Self {
        Self { number, state }
    }

    /// The numbers that stand for it.
    pub fn numbers(self) -> (u32, u64) {
        (self.number, self.state)
    }

    /// What kind of object it is of.
    pub fn kind(self) -> Option<Kind> {
        State(self.state).kind()
    }
}

/// An object in a hall: a lock, a semaphore and so on, for as long as this process has it open. Cloning it is cheap.
///
/// One without a name ends when no process has it open. A process that has sent a handle away should keep its own until
/// the other has opened it.
///
/// In a child by `fork` it is open, too, from the first use on.
///
/// ```
/// use anyplace_sync::shm::hall::Hall;
/// use anyplace_sync::ground::Turn;
///
/// let hall = Hall::create()?;
/// let lock = hall.lock(Some("door"))?;
/// assert!(lock.acquire(&mut Turn::new(&**lock.hall()), None).is_some());
/// let same = hall.open::<anyplace_sync::Lock>(lock.handle())?;
/// assert!(same.is_locked());
/// same.release(&**lock.hall())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Object<K: Body> {
    hall: Arc<Hall>,
    handle: Handle,
    entry: NonNull<Entry>,
    body: NonNull<K>,
}

// SAFETY: the body is atomics in memory that is mapped as long as `hall` lives.
unsafe impl<K: Body> Send for Object<K> {}
// SAFETY: as above.
unsafe impl<K: Body> Sync for Object<K> {}

impl<K: Body> Object<K> {
    /// The object at an entry that this process has just opened.
    pub(super) fn opened(hall: Arc<Hall>, number: u32, entry: &Entry, state: State) -> Self {
        let body = NonNull::from(hall.body::<K>(entry));
        Self { handle: Handle { number, state: state.0 }, entry: entry.into(), body, hall }
    }

    /// Where it lies.
    pub fn hall(&self) -> &Arc<Hall> {
        &self.hall
    }

    /// What others of the hall open it by.
    pub fn handle(&self) -> Handle {
        self.handle
    }

    /// What kind it is.
    pub fn kind(&self) -> Kind {
        self.handle.kind().expect("it was opened as what it is")
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<String> {
        super::name::Name::text(self.entry())
    }

    #[inline]
    pub(super) fn entry(&self) -> &Entry {
        // SAFETY: as for the body, in `deref`.
        unsafe { self.entry.as_ref() }
    }
}

impl<K: Body> Deref for Object<K> {
    type Target = K;

    #[inline]
    fn deref(&self) -> &K {
        // SAFETY: it lies in the segment, which is mapped as long as `hall` lives; being atomics, any bytes are values.
        unsafe { self.body.as_ref() }
    }
}

impl<K: Body> Clone for Object<K> {
    fn clone(&self) -> Self {
        self.hall.counts.add(self.handle.number);
        Self { hall: Arc::clone(&self.hall), ..*self }
    }
}

impl<K: Body> Drop for Object<K> {
    fn drop(&mut self) {
        let number = self.handle.number;
        let is_last = self.hall.counts.subtract(number);
        // A child by `fork` that has not used the hall has nothing open.
        if is_last && self.hall.is_seated() {
            self.hall.close(number, State(self.handle.state));
        }
    }
}

impl<K: Body> fmt::Debug for Object<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object")
            .field("kind", &self.kind())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

impl Hall {
    /// Opens the object of a handle that came from another process.
    ///
    /// # Errors
    /// [`HallError::Gone`] if it has ended, or never was what the handle says.
    pub fn open<K: Body>(self: &Arc<Self>, handle: Handle) -> Result<Object<K>, HallError> {
        let state = State(handle.state);
        let kind = state.kind().filter(|kind| K::suits(*kind));
        let gone = HallError::Gone(state.kind().unwrap_or(Kind::Value));
        let desk = self.desk();
        let entry = self.entry(handle.number).filter(|entry| {
            kind.is_some() && state.phase() == Phase::Live && entry.state.load(Acquire) == state.0
        });
        let Some(entry) = entry else { return Err(gone) };
        self.open_at(&desk, handle.number, entry);
        drop(desk);
        Ok(Object::opened(Arc::clone(self), handle.number, entry, state))
    }

    /// This process has the object open no more, unless it was opened again meanwhile.
    fn close(&self, number: u32, state: State) {
        let desk = self.desk();
        let Some(entry) = self.entry(number) else { return };
        if self.counts.is_zero(number) && entry.state.load(Acquire) == state.0 {
            self.close_for(&desk, number, entry, self.seat().party);
        }
    }

    fn is_seated(&self) -> bool {
        self.seat_as_it_is().generation == fork::current()
    }
}
