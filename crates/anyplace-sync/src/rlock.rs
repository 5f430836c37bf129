//! An [`RLock`]: a lock that its owner may take again.

use crate::ground::{Ground, Party, Turn};
use crate::lock::{Acquired, Holding, Lock};
use crate::primitives::atomic::Ordering::Relaxed;
use crate::primitives::atomic::{AtomicU32, AtomicU64};
use std::fmt;
use std::time::Instant;

/// One owner has it at a time, as often as it likes.
///
/// An owner is a number that the caller chooses, the same for every call of one thread (or of one asyncio task) and never 0.
/// Only the owner releases it. All else is as with [`Lock`].
///
/// ```
/// use anyplace_sync::ground::{Here, Turn};
/// use anyplace_sync::RLock;
///
/// let (lock, me) = (RLock::new(), 7);
/// for _ in 0..2 {
///     assert!(lock.acquire(&mut Turn::new(&Here), me, None).is_some());
/// }
/// lock.release(&Here, me)?;
/// assert!(lock.is_owned(&Here, me), "it was taken twice");
/// # Ok::<(), anyplace_sync::NotOwned>(())
/// ```
#[derive(Debug, Default)]
#[repr(C)]
pub struct RLock {
    lock: Lock,
    /// Written by the owner only, after it has the lock and before it lets go: so whoever reads its own number owns it.
    owner: AtomicU64,
    count: AtomicU32,
}

/// Who releases a lock of somebody else, or of nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotOwned;

impl fmt::Display for NotOwned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot release un-acquired lock")
    }
}

impl std::error::Error for NotOwned {}

impl RLock {
    /// A free lock.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self { lock: Lock::new(), owner: AtomicU64::new(0), count: AtomicU32::new(0) }
    }

    /// Takes it if it is free or the owner's already.
    #[inline]
    pub fn try_acquire<G: Ground>(&self, ground: &G, owner: u64) -> Option<Acquired> {
        self.again(ground, owner).or_else(|| {
            let acquired = self.lock.try_acquire(ground)?;
            self.begin(owner, 1);
            Some(acquired)
        })
    }

    /// Takes it, at the latest at `until`; `None` if it could not. The next call with the same `turn` goes on waiting.
    #[inline]
    pub fn acquire<'g, G: Ground>(
        &'g self,
        turn: &mut Turn<'g, G>,
        owner: u64,
        until: Option<Instant>,
    ) -> Option<Acquired> {
        self.again(turn.ground(), owner).or_else(|| self.acquire_count(turn, owner, 1, until))
    }

    /// Takes it as often as [`release_all`](Self::release_all) has released it.
    pub fn acquire_count<'g, G: Ground>(
        &'g self,
        turn: &mut Turn<'g, G>,
        owner: u64,
        count: u32,
        until: Option<Instant>,
    ) -> Option<Acquired> {
        let acquired = self.lock.acquire(turn, until)?;
        self.begin(owner, count);
        Some(acquired)
    }

    /// Releases it once.
    ///
    /// # Errors
    /// If it is not the owner's.
    #[inline]
    pub fn release<G: Ground>(&self, ground: &G, owner: u64) -> Result<(), NotOwned> {
        match self.count(ground, owner) {
            0 => Err(NotOwned),
            1 => self.let_go(ground),
            count => {
                self.count.store(count - 1, Relaxed);
                Ok(())
            }
        }
    }

    /// Releases it as often as it was taken, and says how often that was.
    ///
    /// # Errors
    /// If it is not the owner's.
    pub fn release_all<G: Ground>(&self, ground: &G, owner: u64) -> Result<u32, NotOwned> {
        let count = self.count(ground, owner);
        if count == 0 {
            return Err(NotOwned);
        }
        self.let_go(ground)?;
        Ok(count)
    }

    /// Whether it is the owner's.
    #[inline]
    pub fn is_owned<G: Ground>(&self, ground: &G, owner: u64) -> bool {
        self.owner.load(Relaxed) == owner
            && self.lock.holding().is_some_and(|holding| ground.is_ours(holding.party))
    }

    /// How often the owner has it; 0 if it is not the owner's.
    #[inline]
    pub fn count<G: Ground>(&self, ground: &G, owner: u64) -> u32 {
        if self.is_owned(ground, owner) { self.count.load(Relaxed) } else { 0 }
    }

    /// How often somebody has it; 0 if nobody has. They may have released it a moment later.
    pub fn depth(&self) -> u32 {
        if self.lock.is_locked() { self.count.load(Relaxed) } else { 0 }
    }

    /// The number of its owner; 0 if nobody has it.
    pub fn owner(&self) -> u64 {
        self.owner.load(Relaxed)
    }

    /// Who has it. They may have released it a moment later.
    pub fn holding(&self) -> Option<Holding> {
        self.lock.holding()
    }

    /// The lock beneath: for what is the same in both.
    pub fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Sets right what a party that is no more has left.
    pub fn bury<G: Ground>(&self, ground: &G, party: Party) {
        if self.holding().is_some_and(|holding| holding.party == party) {
            // Its owner is no more, so nobody else writes these.
            self.owner.store(0, Relaxed);
            self.count.store(0, Relaxed);
        }
        self.lock.bury(ground, party);
    }

    #[inline]
    fn again<G: Ground>(&self, ground: &G, owner: u64) -> Option<Acquired> {
        let count = self.count(ground, owner);
        (count > 0).then(|| {
            self.count.store(count + 1, Relaxed);
            Acquired { abandoned: false }
        })
    }

    /// (By its owner.)
    #[inline]
    fn let_go<G: Ground>(&self, ground: &G) -> Result<(), NotOwned> {
        self.owner.store(0, Relaxed);
        self.count.store(0, Relaxed);
        self.lock.release(ground).map_err(|_| NotOwned)
    }

    #[inline]
    fn begin(&self, owner: u64, count: u32) {
        self.count.store(count, Relaxed);
        self.owner.store(owner, Relaxed);
    }
}
