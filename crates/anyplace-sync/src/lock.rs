//! A [`Lock`] that one thread has at a time; if its process is killed, it passes on.

use crate::ground::{self, Ground, Inside, Monitor, Party, Turn};
use crate::primitives::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::primitives::atomic::{AtomicU32, AtomicU64};
use std::fmt;
use std::time::Instant;

/// Somebody stands in line: who releases has to call one.
const QUEUED: u32 = 1;
/// Its last holder was killed; whoever gets it is told.
const ABANDONED: u32 = 2;
/// How far the number of the holder is shifted.
const HOLDER: u32 = 2;
/// How often one looks before standing in line, each time after twice as long: most holders have it for less. Who looks all
/// the time slows the holder down, whose word it takes away.
const LOOKS: u32 = 7;

/// One thread has it at a time.
///
/// It is not re-entrant, and any thread may release it, as in Python. Taking and releasing it is one atomic operation each while
/// nobody waits. A free lock goes to whoever comes first, but one who has waited for a millisecond is let through next.
///
/// ```
/// use anyplace_sync::ground::{Here, Turn};
/// use anyplace_sync::Lock;
///
/// let lock = Lock::new();
/// let taken = lock.acquire(&mut Turn::new(&Here), None);
/// assert!(taken.is_some_and(|taken| !taken.abandoned));
/// assert!(lock.try_acquire(&Here).is_none(), "it is not re-entrant");
/// lock.release(&Here)?;
/// # Ok::<(), anyplace_sync::NotHeld>(())
/// ```
#[derive(Debug, Default)]
#[repr(C)]
pub struct Lock {
    /// The holder, beside the two flags above; 0 if it is free and nobody waits.
    word: AtomicU32,
    thread: AtomicU32,
    task: AtomicU64,
    since: AtomicU64,
    monitor: Monitor,
}

/// A lock is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acquired {
    /// Its last holder was killed: what the lock guards may be half changed.
    pub abandoned: bool,
}

/// Who has a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Its process.
    pub party: Party,
    /// The number of its thread, as the system counts them.
    pub thread: u32,
    /// The number of its task, if it told; else 0.
    pub task: u64,
    /// When it is known to have had it, by [`ground::now`]: the first one that waits looks at the clock, who merely takes it
    /// does not. 0 if nobody waited.
    pub since: u64,
}

/// Who releases a lock that nobody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotHeld;

impl fmt::Display for NotHeld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("release unlocked lock")
    }
}

impl std::error::Error for NotHeld {}

impl Lock {
    /// A free lock.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        let (word, thread) = (AtomicU32::new(0), AtomicU32::new(0));
        let (task, since) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { word, thread, task, since, monitor: Monitor::new() }
    }

    /// Takes the lock if it is free and nobody has waited long for it.
    #[inline]
    pub fn try_acquire<G: Ground>(&self, ground: &G) -> Option<Acquired> {
        if self.take_free(ground.me()) {
            return Some(Acquired { abandoned: false });
        }
        let word = self.word.load(Relaxed);
        if word >> HOLDER != 0 {
            return None;
        }
        // It is free, but with flags: somebody waits, or its holder was killed.
        self.attempt(&mut self.monitor.enter(ground), ground, 0)
    }

    /// Takes the lock, at the latest at `until`; `None` if it could not. The next call with the same `turn` goes on waiting.
    #[inline]
    pub fn acquire<'g, G: Ground>(
        &'g self,
        turn: &mut Turn<'g, G>,
        until: Option<Instant>,
    ) -> Option<Acquired> {
        let ground = turn.ground();
        if !turn.is_standing() && self.take_free_spinning(ground.me()) {
            return Some(Acquired { abandoned: false });
        }
        turn.wait(&self.monitor, until, |inside, number| self.attempt(inside, ground, number))
    }

    /// Releases the lock, whoever has it, and lets the first in line look.
    ///
    /// # Errors
    /// If nobody has it.
    #[inline]
    pub fn release<G: Ground>(&self, ground: &G) -> Result<(), NotHeld> {
        let word = self.word.load(Relaxed);
        if word >> HOLDER == 0 {
            return Err(NotHeld);
        }
        let alone = word & QUEUED == 0;
        if alone && self.word.compare_exchange(word, 0, Release, Relaxed).is_ok() {
            return Ok(());
        }
        self.release_to_others(ground)
    }

    /// Whether somebody has it.
    pub fn is_locked(&self) -> bool {
        self.word.load(Relaxed) >> HOLDER != 0
    }

    /// Who has it. They may have released it a moment later.
    pub fn holding(&self) -> Option<Holding> {
        let party = self.word.load(Relaxed) >> HOLDER;
        (party != 0).then(|| Holding {
            party,
            thread: self.thread.load(Relaxed),
            task: self.task.load(Relaxed),
            since: self.since.load(Relaxed),
        })
    }

    /// Says which task has it. (By its holder.)
    pub fn tell_task(&self, task: u64) {
        self.task.store(task, Relaxed);
    }

    /// Where others stand in line.
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// Sets right what a party that is no more has left: its place in the line, and the lock itself.
    pub fn bury<G: Ground>(&self, ground: &G, party: Party) {
        let mut inside = self.monitor.enter(ground);
        inside.bury(party);
        let word = self.word.load(Relaxed);
        // Nobody else releases it: that would be a program's own error, and then there is nothing to pass on.
        if word >> HOLDER == party {
            let left = ABANDONED | (u32::from(inside.others_wait(0)) * QUEUED);
            if self.word.compare_exchange(word, left, Release, Relaxed).is_ok() {
                inside.wake(1);
            }
        }
    }

    #[inline]
    fn take_free(&self, me: Party) -> bool {
        let taken = self.word.compare_exchange(0, me << HOLDER, Acquire, Relaxed).is_ok();
        if taken {
            self.begin();
        }
        taken
    }

    #[inline]
    fn take_free_spinning(&self, me: Party) -> bool {
        self.take_free(me) || (!cfg!(loom) && self.spin_for_it(me))
    }

    #[cold]
    fn spin_for_it(&self, me: Party) -> bool {
        for look in 0..LOOKS {
            (0..1 << look).for_each(|_| std::hint::spin_loop());
            let word = self.word.load(Relaxed);
            if word & QUEUED != 0 {
                return false;
            }
            if word == 0 && self.take_free(me) {
                return true;
            }
        }
        false
    }

    /// Inside the monitor: takes it if it is free, else sees to it that whoever releases it calls the line.
    fn attempt<G: Ground>(&self, inside: &mut Inside<'_, G>, ground: &G, number: u32) -> Option<Acquired> {
        let may_try = inside.may_try(number);
        let queued = u32::from(inside.others_wait(number)) * QUEUED;
        loop {
            let word = self.word.load(Relaxed);
            let (next, taken) = if word >> HOLDER == 0 && may_try {
                (ground.me() << HOLDER | queued, Some(Acquired { abandoned: word & ABANDONED != 0 }))
            } else {
                (word | QUEUED, None)
            };
            if word == next || self.word.compare_exchange(word, next, Acquire, Relaxed).is_ok() {
                match taken {
                    Some(_) => self.begin(),
                    None if word & QUEUED == 0 => self.since.store(ground::now(), Relaxed),
                    None => {}
                }
                return taken;
            }
        }
    }

    #[inline]
    fn begin(&self) {
        self.thread.store(ground::thread(), Relaxed);
        self.task.store(0, Relaxed);
        self.since.store(0, Relaxed);
    }

    #[cold]
    fn release_to_others<G: Ground>(&self, ground: &G) -> Result<(), NotHeld> {
        let mut inside = self.monitor.enter(ground);
        let left = u32::from(inside.first() != 0) * QUEUED;
        // Inside, nobody but who releases it, too, changes the word of a lock that is held.
        let word = self.word.load(Relaxed);
        if word >> HOLDER == 0 || self.word.compare_exchange(word, left, Release, Relaxed).is_err() {
            return Err(NotHeld);
        }
        inside.wake(1);
        Ok(())
    }
}
