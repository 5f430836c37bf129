//! A [`Lock`]: one has it at a time.

use super::body::{Body, Held, in_hall};
use super::far::{Answer, Undo, Waits, or_unreached};
use super::handle::handle;
use super::object::{Home, Shared};
use super::shape::{Kind, Shape, Wish};
use super::site::Site;
use super::task;
use super::travel::travels;
use super::wait::{Wait, Waiting};
use crate::driver::Share;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::wire::peer::share::Op;
use anyplace_sync::ground::Monitor;
use anyplace_sync::{Acquired, Lock as Words, NotHeld};
use std::sync::Arc;
use std::time::Duration;

/// One has it at a time: [`Place::lock`](crate::Place::lock) makes it. Clones are the same lock.
///
/// It is not re-entrant, and anybody may release it, as in Python's `threading`. If the process of its holder is killed, it
/// passes on, and the next one is told ([`LockGuard::was_abandoned`]). A free lock goes to whoever comes first, but whoever
/// has waited for a millisecond is let through next.
///
/// ```
/// let place = anyplace::open("threads:2")?;
/// let (door, total) = (place.lock("door")?, place.value("total", 0_i64)?);
/// place.map(move |n: i64| {
///     let _held = door.acquire()?;
///     total.set(total.get() + n);
///     Ok::<_, anyplace::Error>(())
/// }, 1..=100)?.try_for_each(|done| done?)?;
/// assert_eq!(place.value("total", 0_i64)?.get(), 5050);
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone)]
pub struct Lock(pub(super) Arc<Shared<Words>>);

const RELEASE: Op = Op::Release { owner: 0, count: 1 };

/// A lock is held while this lives.
#[must_use = "the lock is released at once if nobody keeps this"]
#[derive(Debug)]
pub struct LockGuard<'a> {
    lock: &'a Lock,
    acquired: Acquired,
}

impl Lock {
    pub(super) fn find(share: &dyn Share, name: &str) -> Result<Self> {
        Self::of(share.open(name, &Wish { shape: Shape::Lock, make: &|| Arc::new(Words::new()) })?)
    }

    /// Waits for the lock.
    ///
    /// # Errors
    /// `PlaceClosed`.
    #[track_caller]
    pub fn acquire(&self) -> Result<LockGuard<'_>> {
        self.acquiring().wait()
    }

    /// Waits for the lock for at most `limit`; `None` if that was not enough.
    ///
    /// # Errors
    /// `PlaceClosed`.
    #[track_caller]
    pub fn acquire_within(&self, limit: Duration) -> Result<Option<LockGuard<'_>>> {
        self.acquiring().within(limit)
    }

    /// Takes the lock if it is free now.
    ///
    /// # Errors
    /// `PlaceClosed`.
    #[inline]
    pub fn try_acquire(&self) -> Result<Option<LockGuard<'_>>> {
        match self.0.home() {
            Home::Near(words) => {
                self.0.site.check_open()?;
                let acquired = words.try_acquire(&*self.0.site);
                Ok(acquired.map(|acquired| self.guard(words, acquired)))
            }
            Home::Far(_) => self.acquiring().now(),
        }
    }

    /// The wait for the lock, to step, wait for, or await.
    #[track_caller]
    pub fn acquiring(&self) -> impl Wait<Given = LockGuard<'_>> {
        match self.0.home() {
            Home::Near(words) => Waits::Near(Waiting::new(&self.0.site, move |turn, until| {
                let acquired = words.acquire(turn, until);
                Ok(acquired.map(|acquired| self.guard(words, acquired)))
            })),
            Home::Far(object) => {
                let given = |answer: Answer| Ok(LockGuard { lock: self, acquired: answer.acquired() });
                Waits::Far(object.waiting(Op::Acquire { owner: 0 }, Undo::By(RELEASE), given))
            }
        }
    }

    /// Releases the lock, whoever has it. A guard does that by itself; this is for one that was [kept](LockGuard::keep).
    ///
    /// # Errors
    /// `NotHeld` if nobody has it.
    #[inline]
    pub fn release(&self) -> Result<()> {
        match self.0.home() {
            Home::Near(words) => words.release(&*self.0.site).map_err(|NotHeld| self.not_held()),
            Home::Far(object) => object.release(RELEASE),
        }
    }

    /// Whether somebody has it.
    pub fn is_locked(&self) -> bool {
        match self.0.home() {
            Home::Near(words) => words.is_locked(),
            Home::Far(object) => or_unreached(object.number(Op::Held)) != 0,
        }
    }

    #[inline]
    fn guard(&self, words: &Words, acquired: Acquired) -> LockGuard<'_> {
        task::tell(|task| words.tell_task(task));
        LockGuard { lock: self, acquired }
    }

    #[cold]
    fn not_held(&self) -> Error {
        self.0.misused(
            ErrorKind::NotHeld,
            format!("nobody has {self:?}, so it cannot be released"),
            "release it once for each time it was acquired",
        )
    }
}

impl LockGuard<'_> {
    /// Whether the last holder was killed: what the lock guards may be half changed.
    pub fn was_abandoned(&self) -> bool {
        self.acquired.abandoned
    }

    /// Keeps the lock without the guard, until somebody calls [`Lock::release`].
    pub fn keep(self) -> Acquired {
        std::mem::ManuallyDrop::new(self).acquired
    }
}

impl Drop for LockGuard<'_> {
    fn drop(&mut self) {
        // Somebody else may have released it: they answer for that.
        drop(self.lock.release());
    }
}

impl Body for Words {
    in_hall!();

    fn lines(&self) -> Vec<&Monitor> {
        vec![self.monitor()]
    }

    fn holders(&self, _: &Site) -> Vec<Held> {
        self.holding().map(Held::from).into_iter().collect()
    }
}

handle!(Lock, Kind::Lock);
travels!(Lock, Kind::Lock);
