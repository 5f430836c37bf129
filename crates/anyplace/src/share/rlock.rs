//! An [`RLock`]: one has it at a time, as often as it likes.

use super::body::{Body, Held, in_hall};
use super::handle::handle;
use super::object::Shared;
use super::shape::{Kind, Shape, Wish};
use super::site::Site;
use super::task;
use super::travel::travels;
use super::wait::{Wait, Waiting};
use crate::driver::Share;
use crate::error::{Error, Kind as ErrorKind, Result};
use anyplace_sync::ground::{self, Monitor};
use anyplace_sync::{Acquired, NotOwned, RLock as Words};
use std::sync::Arc;
use std::time::Duration;

/// One owner has it at a time, as often as it likes: [`Place::rlock`](crate::Place::rlock) makes it. Clones are the same
/// lock.
///
/// The owner is the calling thread; those who need another (an event loop's tasks share a thread) say which. Only the owner
/// releases it. If its process is killed, the lock passes on, and the next one is told.
///
/// ```
/// let place = anyplace::open("threads:2")?;
/// let door = place.rlock("door")?;
/// let outer = door.acquire()?;
/// let inner = door.acquire()?;
/// assert_eq!(door.count(), 2);
/// drop((inner, outer));
/// assert_eq!(door.count(), 0);
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone)]
pub struct RLock(pub(super) Arc<Shared<Words>>);

/// An [`RLock`] is held while this lives, once more than without it.
#[must_use = "the lock is released at once if nobody keeps this"]
#[derive(Debug)]
pub struct RLockGuard<'a> {
    lock: &'a RLock,
    owner: u64,
    acquired: Acquired,
}

/// The calling thread as an owner: its number, as the system counts threads.
#[inline]
pub fn thread_owner() -> u64 {
    u64::from(ground::thread())
}

impl RLock {
    pub(super) fn find(share: &dyn Share, name: &str) -> Result<Self> {
        Self::of(share.open(name, &Wish { shape: Shape::RLock, make: &|| Arc::new(Words::new()) })?)
    }

    /// Waits for the lock.
    ///
    /// # Errors
    /// `PlaceClosed`.
    #[track_caller]
    pub fn acquire(&self) -> Result<RLockGuard<'_>> {
        self.acquiring(thread_owner()).wait()
    }

    /// Waits for the lock for at most `limit`; `None` if that was not enough.
    ///
    /// # Errors
    /// `PlaceClosed`.
    #[track_caller]
    pub fn acquire_within(&self, limit: Duration) -> Result<Option<RLockGuard<'_>>> {
        self.acquiring(thread_owner()).within(limit)
    }

    /// Takes the lock if it is free, or the calling thread's, now.
    ///
    /// # Errors
    /// `PlaceClosed`.
    #[inline]
    pub fn try_acquire(&self) -> Result<Option<RLockGuard<'_>>> {
        self.0.site.check_open()?;
        let owner = thread_owner();
        let acquired = self.0.try_acquire(&*self.0.site, owner);
        Ok(acquired.map(|acquired| self.guard(owner, acquired)))
    }

    /// The wait of `owner` for the lock, to step, wait for, or await. The owner is any number but 0 that means the same one in
    /// every call of this process.
    #[track_caller]
    pub fn acquiring(&self, owner: u64) -> impl Wait<Given = RLockGuard<'_>> {
        let words = &**self.0;
        Waiting::new(&self.0.site, move |turn, until| {
            let acquired = words.acquire(turn, owner, until);
            Ok(acquired.map(|acquired| self.guard(owner, acquired)))
        })
    }

    /// The wait for the lock as often as [`release_all`](Self::release_all) gave it up. It gives no guard.
    #[track_caller]
    pub fn restoring(&self, owner: u64, count: u32) -> impl Wait<Given = Acquired> {
        let words = &**self.0;
        Waiting::new(&self.0.site, move |turn, until| {
            let acquired = words.acquire_count(turn, owner, count, until);
            Ok(acquired.inspect(|_| task::tell(|task| words.lock().tell_task(task))))
        })
    }

    /// Releases it once. A guard does that by itself; this is for one that was [kept](RLockGuard::keep).
    ///
    /// # Errors
    /// `NotHeld` if it is not `owner`'s.
    #[inline]
    pub fn release(&self, owner: u64) -> Result<()> {
        self.0.release(&*self.0.site, owner).map_err(|NotOwned| self.not_owned())
    }

    /// Releases it as often as it was taken, and says how often that was: before a wait for something else.
    ///
    /// # Errors
    /// `NotHeld` if it is not `owner`'s.
    pub fn release_all(&self, owner: u64) -> Result<u32> {
        self.0.release_all(&*self.0.site, owner).map_err(|NotOwned| self.not_owned())
    }

    /// Whether somebody has it.
    pub fn is_locked(&self) -> bool {
        self.0.lock().is_locked()
    }

    /// How often the calling thread has it.
    pub fn count(&self) -> u32 {
        self.count_of(thread_owner())
    }

    /// How often `owner` has it.
    pub fn count_of(&self, owner: u64) -> u32 {
        self.0.count(&*self.0.site, owner)
    }

    #[inline]
    fn guard(&self, owner: u64, acquired: Acquired) -> RLockGuard<'_> {
        task::tell(|task| self.0.lock().tell_task(task));
        RLockGuard { lock: self, owner, acquired }
    }

    pub(super) fn held_again(&self, owner: u64, acquired: Acquired) -> RLockGuard<'_> {
        RLockGuard { lock: self, owner, acquired }
    }

    #[cold]
    fn not_owned(&self) -> Error {
        self.0.misused(
            ErrorKind::NotHeld,
            format!("{self:?} is not held by who releases it"),
            "only the thread that has acquired it releases it, once for each time",
        )
    }
}

impl RLockGuard<'_> {
    /// Whether the last holder was killed: what the lock guards may be half changed.
    pub fn was_abandoned(&self) -> bool {
        self.acquired.abandoned
    }

    /// Keeps the lock without the guard, until its owner calls [`RLock::release`].
    pub fn keep(self) -> Acquired {
        std::mem::ManuallyDrop::new(self).acquired
    }
}

impl Drop for RLockGuard<'_> {
    fn drop(&mut self) {
        // It may have been released by hand: whoever did that answers for it.
        drop(self.lock.release(self.owner));
    }
}

impl Body for Words {
    in_hall!();

    fn lines(&self) -> Vec<&Monitor> {
        vec![self.lock().monitor()]
    }

    fn holders(&self, _: &Site) -> Vec<Held> {
        self.holding().map(Held::from).into_iter().collect()
    }
}

handle!(RLock, Kind::RLock);
travels!(RLock, Kind::RLock);
