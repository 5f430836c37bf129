//! A [`Semaphore`]: so many have it at a time.

use super::body::{Body, Held, in_hall};
use super::far::{Undo, Waits, or_unreached};
use super::handle::handle;
use super::object::{Home, Shared};
use super::shape::{Kind, Shape, Wish};
use super::site::Site;
use super::travel::travels;
use super::wait::{Wait, Waiting};
use crate::driver::Share;
use crate::error::{Error, Result};
use crate::wire::peer::share::Op;
use anyplace_sync::ground::Monitor;
use anyplace_sync::{Semaphore as Words, TooOften};
use std::sync::Arc;
use std::time::Duration;

/// A number of permits, taken one at a time and given back by anybody: [`Place::semaphore`](crate::Place::semaphore) makes
/// it. Clones are the same semaphore.
///
/// If a process is killed, the permits that it had come back, but never more than are missing from the number that there
/// were at first.
///
/// ```
/// let place = anyplace::open("threads:2")?;
/// let seats = place.semaphore("seats", 2)?;
/// let (one, two) = (seats.acquire()?, seats.acquire()?);
/// assert!(seats.try_acquire()?.is_none());
/// drop(one);
/// assert_eq!(seats.value(), 1);
/// # drop(two);
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone)]
pub struct Semaphore(pub(super) Arc<Shared<Words>>);

/// A permit is taken while this lives.
#[must_use = "the permit is given back at once if nobody keeps this"]
#[derive(Debug)]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
}

impl Semaphore {
    pub(super) fn find(share: &dyn Share, name: &str, permits: u32, bounded: bool) -> Result<Self> {
        Self::of(share.open(
            name,
            &Wish {
                shape: Shape::Semaphore { permits, bounded },
                make: &|| Arc::new(Words::new(permits, bounded)),
            },
        )?)
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// `PlaceClosed`.
    #[track_caller]
    pub fn acquire(&self) -> Result<Permit<'_>> {
        self.acquiring().wait()
    }

    /// Waits for a permit for at most `limit`; `None` if that was not enough.
    ///
    /// # Errors
    /// `PlaceClosed`.
    #[track_caller]
    pub fn acquire_within(&self, limit: Duration) -> Result<Option<Permit<'_>>> {
        self.acquiring().within(limit)
    }

    /// Takes a permit if there is one now.
    ///
    /// # Errors
    /// `PlaceClosed`.
    #[inline]
    pub fn try_acquire(&self) -> Result<Option<Permit<'_>>> {
        match self.0.home() {
            Home::Near(words) => {
                self.0.site.check_open()?;
                Ok(words.try_acquire(&*self.0.site).then(|| Permit { semaphore: self }))
            }
            Home::Far(_) => self.acquiring().now(),
        }
    }

    /// The wait for a permit, to step, wait for, or await.
    #[track_caller]
    pub fn acquiring(&self) -> impl Wait<Given = Permit<'_>> {
        match self.0.home() {
            Home::Near(words) => Waits::Near(Waiting::new(&self.0.site, move |turn, until| {
                Ok(words.acquire(turn, until).then(|| Permit { semaphore: self }))
            })),
            Home::Far(object) => {
                let undo = Undo::By(Op::Release { owner: 0, count: 1 });
                Waits::Far(object.waiting(Op::Acquire { owner: 0 }, undo, |_| Ok(Permit { semaphore: self })))
            }
        }
    }

    /// Gives `count` permits back. A [`Permit`] does that by itself; this is for those that were [kept](Permit::keep).
    ///
    /// # Errors
    /// `ConfigInvalid` if a bounded semaphore then had more than at first; nothing is changed.
    #[inline]
    pub fn release(&self, count: u32) -> Result<()> {
        match self.0.home() {
            Home::Near(words) => {
                words.release(&*self.0.site, count).map_err(|TooOften { .. }| self.too_often())
            }
            Home::Far(object) => object.release(Op::Release { owner: 0, count }),
        }
    }

    /// How many permits there are now.
    pub fn value(&self) -> u32 {
        match self.0.home() {
            Home::Near(words) => words.value(),
            Home::Far(object) => or_unreached(object.number(Op::Held)) as u32,
        }
    }

    #[cold]
    fn too_often(&self) -> Error {
        let message = format!("{self:?} has {} permits, and none more were taken", self.0.value());
        self.0.misused(
            crate::Kind::ConfigInvalid,
            message,
            "release it once for each time it was acquired, or make one that is not bounded",
        )
    }
}

impl Permit<'_> {
    /// Keeps the permit, until somebody calls [`Semaphore::release`].
    pub fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        // Somebody else may have given it back: they answer for that.
        drop(self.semaphore.release(1));
    }
}

impl Body for Words {
    in_hall!();

    fn lines(&self) -> Vec<&Monitor> {
        vec![self.monitor()]
    }

    fn holders(&self, site: &Site) -> Vec<Held> {
        let one = |party| Held { party, thread: 0, task: 0, since: 0 };
        self.holders(site).map(|(party, _)| one(party)).collect()
    }
}

handle!(Semaphore, Kind::Semaphore);
travels!(Semaphore, Kind::Semaphore);
