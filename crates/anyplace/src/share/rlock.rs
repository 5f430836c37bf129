//! An [`RLock`]: one has it at a time, as often as it likes.

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
        let owner = thread_owner();
        match self.0.home() {
            Home::Near(words) => {
                self.0.site.check_open()?;
                let acquired = words.try_acquire(&*self.0.site, owner);
                Ok(acquired.map(|acquired| self.guard(words, owner, acquired)))
            }
            Home::Far(_) => self.acquiring(owner).now(),
        }
    }

    /// The wait of `owner` for the lock, to step, wait for, or await. The owner is any number but 0 that means the same one in
    /// every call of this process.
    #[track_caller]
    pub fn acquiring(&self, owner: u64) -> impl Wait<Given = RLockGuard<'_>> {
        match self.0.home() {
            Home::Near(words) => Waits::Near(Waiting::new(&self.0.site, move |turn, until| {
                let acquired = words.acquire(turn, owner, until);
                Ok(acquired.map(|acquired| self.guard(words, owner, acquired)))
            })),
            Home::Far(object) => {
                let given = move |answer: Answer| Ok(self.held_again(owner, answer.acquired()));
                let undo = Undo::By(Op::Release { owner, count: 1 });
                Waits::Far(object.waiting(Op::Acquire { owner }, undo, given))
            }
        }
    }

    /// The wait for the lock as often as [`release_all`](Self::release_all) gave it up. It gives no guard.
    #[track_caller]
    pub fn restoring(&self, owner: u64, count: u32) -> impl Wait<Given = Acquired> {
        match self.0.home() {
            Home::Near(words) => Waits::Near(Waiting::new(&self.0.site, move |turn, until| {
                let acquired = words.acquire_count(turn, owner, count, until);
                Ok(acquired.inspect(|_| task::tell(|task| words.lock().tell_task(task))))
            })),
            Home::Far(object) => {
                let undo = Undo::By(Op::ReleaseAll { owner });
                let given = |answer: Answer| Ok(answer.acquired());
                Waits::Far(object.waiting(Op::Restore { owner, count }, undo, given))
            }
        }
    }

    /// Releases it once. A guard does that by itself; this is for one that was [kept](RLockGuard::keep).
    ///
    /// # Errors
    /// `NotHeld` if it is not `owner`'s.
    #[inline]
    pub fn release(&self, owner: u64) -> Result<()> {
        match self.0.home() {
            Home::Near(words) => words.release(&*self.0.site, owner).map_err(|NotOwned| self.not_owned()),
            Home::Far(object) => object.release(Op::Release { owner, count: 1 }),
        }
    }

    /// Releases it as often as it was taken, and says how often that was: before a wait for something else.
    ///
    /// # Errors
    /// `NotHeld` if it is not `owner`'s.
    pub fn release_all(&self, owner: u64) -> Result<u32> {
        match self.0.home() {
            Home::Near(words) => words.release_all(&*self.0.site, owner).map_err(|NotOwned| self.not_owned()),
            Home::Far(object) => object.number(Op::ReleaseAll { owner }).map(|count| count as u32),
        }
    }

    /// Whether somebody has it.
    pub fn is_locked(&self) -> bool {
        match self.0.home() {
            Home::Near(words) => words.lock().is_locked(),
            Home::Far(object) => or_unreached(object.number(Op::Held)) != 0,
        }
    }

    /// How often the calling thread has it.
    pub fn count(&self) -> u32 {
        self.count_of(thread_owner())
    }

    /// How often `owner` has it.
    pub fn count_of(&self, owner: u64) -> u32 {
        match self.0.home() {
            Home::Near(words) => words.count(&*self.0.site, owner),
            Home::Far(object) => or_unreached(object.number(Op::CountOf { owner })) as u32,
        }
    }

    #[inline]
    fn guard(&self, words: &Words, owner: u64, acquired: Acquired) -> RLockGuard<'_> {
        task::tell(|task| words.lock().tell_task(task));
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
