//! A [`Condition`]: a lock, and a line of those who wait for what it guards to change.

use super::body::{Body, in_hall};
use super::far::{Undo, Waits, or_unreached};
use super::object::{Home, Shared};
use super::rlock::{RLock, RLockGuard, thread_owner};
use super::shape::{Kind, Shape, Wish};
use super::travel::travels;
use super::wait::{Wait, Waiting};
use crate::driver::Share;
use crate::error::Result;
use crate::wire::peer::share::Op;
use anyplace_sync::Condition as Words;
use anyplace_sync::ground::Monitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A lock, and those who wait until what it guards has changed: [`Place::condition`](crate::Place::condition) makes it.
/// Clones are the same condition.
///
/// Who waits lets go of the lock meanwhile, however often it has it, and has it again as often afterwards. Who waits longest
/// is notified first.
///
/// ```
/// let place = anyplace::open("threads:2")?;
/// let (full, eggs) = (place.condition("full")?, place.value("eggs", 0_i64)?);
/// let (told, seen) = (full.clone(), eggs.clone());
/// let cook = place.call(move || {
///     let mut held = told.acquire()?;
///     held.wait_while(|| seen.get() < 12)
/// })?;
/// for _ in 0..12 {
///     let held = full.acquire()?;
///     eggs.add(1);
///     held.notify_all();
/// }
/// cook.wait()??;
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone)]
pub struct Condition {
    line: Line,
    lock: RLock,
}

/// Those who wait at a condition, without its lock.
#[derive(Clone)]
pub(crate) struct Line(Arc<Shared<Words>>);

/// The lock of a condition is held while this lives, but for its waits.
#[must_use = "the lock is released at once if nobody keeps this"]
#[derive(Debug)]
pub struct ConditionGuard<'a> {
    condition: &'a Condition,
    /// None while it waits.
    held: Option<RLockGuard<'a>>,
    owner: u64,
}

impl Condition {
    pub(super) fn find(share: &dyn Share, name: &str, lock: RLock) -> Result<Self> {
        Ok(Self { line: Line::find(share, name)?, lock })
    }

    /// Waits for the lock.
    ///
    /// # Errors
    /// `PlaceClosed`.
    #[track_caller]
    pub fn acquire(&self) -> Result<ConditionGuard<'_>> {
        let owner = thread_owner();
        let held = self.lock.acquiring(owner).wait()?;
        Ok(ConditionGuard { condition: self, held: Some(held), owner })
    }

    /// Its lock, for those who take it by hand, or for another owner than the calling thread.
    pub fn lock(&self) -> &RLock {
        &self.lock
    }

    /// Joins those who wait, now, and gives the wait until somebody notifies: for those who hold the lock by hand. They call
    /// this first, release the lock then, wait, and take the lock again.
    #[track_caller]
    pub fn enlist(&self) -> impl Wait<Given = ()> {
        self.line.enlist()
    }

    /// Notifies up to `count` of those who wait, the longest waiting first; how many there were. Whoever calls it should have
    /// the lock.
    pub fn notify(&self, count: usize) -> usize {
        self.line.notify(count)
    }

    /// How many wait to be notified.
    pub fn n_waiting(&self) -> usize {
        self.line.n_waiting()
    }

    /// Its name; empty if it has none.
    pub fn name(&self) -> &str {
        &self.line.0.name
    }
}

impl Line {
    pub(super) fn find(share: &dyn Share, name: &str) -> Result<Self> {
        let line = share.open(name, &Wish { shape: Shape::Condition, make: &|| Arc::new(Words::new()) })?;
        line.into_kind(Kind::Condition).map(|shared| Self(Arc::new(shared)))
    }

    #[track_caller]
    pub(crate) fn enlist(&self) -> impl Wait<Given = ()> {
        match self.0.home() {
            Home::Near(words) => {
                let attempt = move |turn: &mut _, until| Ok(words.sleep(turn, until).then_some(()));
                Waits::Near(Waiting::new(&self.0.site, attempt).standing(|turn| words.enlist(turn)))
            }
            // A notification for one of many is the next one's, as if who leaves had never been there.
            Home::Far(object) => {
                let undo = Undo::By(Op::Notify { count: 1 });
                Waits::Far(object.waiting(Op::Wait, undo, |_| Ok(())).standing())
            }
        }
    }

    pub(crate) fn notify(&self, count: usize) -> usize {
        match self.0.home() {
            Home::Near(words) => words.notify(&*self.0.site, count),
            Home::Far(object) => or_unreached(object.number(Op::Notify { count: count as u64 })) as usize,
        }
    }

    pub(crate) fn n_waiting(&self) -> usize {
        match self.0.home() {
            Home::Near(words) => words.waiting(&*self.0.site),
            Home::Far(object) => or_unreached(object.number(Op::Waiting)) as usize,
        }
    }
}

impl ConditionGuard<'_> {
    /// Lets go of the lock, waits until somebody notifies, and takes the lock again.
    ///
    /// # Errors
    /// `PlaceClosed`: then the lock is not taken again.
    #[track_caller]
    pub fn wait(&mut self) -> Result<()> {
        self.wait_until(None).map(drop)
    }

    /// As [`wait`](Self::wait), for at most `limit`; whether somebody has notified. The lock is taken again either way, however
    /// long that takes.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    #[track_caller]
    pub fn wait_within(&mut self, limit: Duration) -> Result<bool> {
        // A time that no clock reaches has no end.
        self.wait_until(Instant::now().checked_add(limit))
    }

    /// Waits for as long as `is_so` says.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    #[track_caller]
    pub fn wait_while(&mut self, mut is_so: impl FnMut() -> bool) -> Result<()> {
        while is_so() {
            self.wait()?;
        }
        Ok(())
    }

    /// Notifies the one that has waited longest; whether there was one.
    pub fn notify_one(&self) -> bool {
        self.condition.notify(1) > 0
    }

    /// Notifies all who wait; how many there were.
    pub fn notify_all(&self) -> usize {
        self.condition.notify(usize::MAX)
    }

    #[track_caller]
    fn wait_until(&mut self, until: Option<Instant>) -> Result<bool> {
        let Condition { lock, .. } = self.condition;
        let mut told = self.condition.enlist();
        let again = lock.restoring(self.owner, lock.count_of(self.owner));
        self.held.take().map(RLockGuard::keep);
        lock.release_all(self.owner)?;
        let told = match told.until(until)? {
            Some(()) => true,
            None => told.give_up()?.is_some(),
        };
        self.held = Some(lock.held_again(self.owner, again.wait()?));
        Ok(told)
    }
}

impl Body for Words {
    in_hall!();

    fn lines(&self) -> Vec<&Monitor> {
        vec![self.monitor()]
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        (&self.line, &self.lock).serialize(serializer)
    }
}

travels!(Line, Kind::Condition);

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let (line, lock) = Deserialize::deserialize(deserializer)?;
        Ok(Self { line, lock })
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.line.0.called(Kind::Condition))
    }
}
