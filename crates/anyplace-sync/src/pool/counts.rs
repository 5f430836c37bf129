//! The one word on which the pool's protocol stands: who submits, who seeks, who sleeps, and whether it is closed.
//!
//! Every decision is taken from the value that a read-modify-write of this word gave back. Such operations on one word
//! have one order, and each sees all that happened before the ones it follows; README.md shows why that suffices.

use crate::primitives::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire},
};

const FIELD: u32 = 20;
const MASK: u64 = (1 << FIELD) - 1;
const SUBMITTER: u64 = 1;
const SEEKER: u64 = 1 << FIELD;
const SLEEPER: u64 = 1 << (2 * FIELD);
const CLOSED: u64 = 1 << 63;

/// More threads than any machine runs, and few enough for every field.
pub(super) const MOST_THREADS: usize = MASK as usize / 2;

#[derive(Debug)]
pub(super) struct Counts(AtomicU64);

/// The word as one operation left it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen(u64);

/// What has to be done so that a queued job is taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Summons {
    /// Nothing: a seeker will see it, or every thread is busy and will look when it is done.
    Nobody,
    /// Give a token to the sleeping thread that has just been made a seeker.
    Sleeper,
    /// Start the thread that has just been counted as a seeker.
    NewThread,
}

impl Seen {
    pub(super) fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    /// No job can come any more.
    pub(super) fn is_final(self) -> bool {
        self.is_closed() && self.submitters() == 0
    }

    /// Nobody is about to submit, to run or to start a thread that is not counted as alive.
    pub(super) fn is_still(self) -> bool {
        self.0 == CLOSED
    }

    pub(super) fn seekers(self) -> u64 {
        (self.0 / SEEKER) & MASK
    }

    /// The word after one more thread has been made to seek, and which; nothing if that is not needed or not possible.
    fn summons(self, may_start: bool) -> Option<(Self, Summons)> {
        match (self.seekers(), self.sleepers()) {
            (1.., _) => None,
            (0, 1..) => Some((Self(self.0 - SLEEPER + SEEKER), Summons::Sleeper)),
            (0, 0) => may_start.then_some((Self(self.0 + SEEKER), Summons::NewThread)),
        }
    }

    fn sleepers(self) -> u64 {
        (self.0 / SLEEPER) & MASK
    }

    fn submitters(self) -> u64 {
        self.0 & MASK
    }
}

impl Counts {
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(super) fn look(&self) -> Seen {
        Seen(self.0.load(Acquire))
    }

    /// Announces a submitter: until it leaves, no thread exits.
    pub(super) fn enter(&self) -> Seen {
        self.add(SUBMITTER)
    }

    /// A submitter goes, and in the same step summons a thread if `wanted`. The word is as it left it.
    ///
    /// One step, since between two a closed pool might end: the summoned thread would start behind its back.
    pub(super) fn leave(&self, wanted: bool, may_start: bool) -> (Seen, Summons) {
        let after = |seen: Seen| match seen.summons(may_start) {
            Some((after, summons)) if wanted => (Seen(after.0 - SUBMITTER), summons),
            _ => (Seen(seen.0 - SUBMITTER), Summons::Nobody),
        };
        let before = self.update(|seen| Some(after(seen).0));
        after(before.expect("a submitter always leaves"))
    }

    pub(super) fn start_seeking(&self) -> Seen {
        self.add(SEEKER)
    }

    pub(super) fn stop_seeking(&self) -> Seen {
        self.sub(SEEKER)
    }

    /// A seeker becomes a sleeper.
    pub(super) fn fall_asleep(&self) -> Seen {
        self.add(SLEEPER - SEEKER)
    }

    /// A sleeper that has not slept yet becomes a seeker again; false if a token for it is under way.
    pub(super) fn rise(&self) -> bool {
        self.update(|seen| (seen.sleepers() > 0).then(|| Seen(seen.0 - SLEEPER + SEEKER))).is_some()
    }

    /// Makes one more thread seek, unless one does already.
    pub(super) fn summon(&self, may_start: bool) -> Summons {
        let before = self.update(|seen| seen.summons(may_start).map(|(after, _)| after));
        before.and_then(|seen| seen.summons(may_start)).map_or(Summons::Nobody, |(_, summons)| summons)
    }

    /// No submitter is let in from now on.
    pub(super) fn close(&self) {
        self.0.fetch_or(CLOSED, AcqRel);
    }

    /// Makes every sleeper a seeker and says how many tokens they need.
    pub(super) fn summon_all(&self) -> u32 {
        let all = |seen: Seen| Seen(seen.0 - seen.sleepers() * SLEEPER + seen.sleepers() * SEEKER);
        self.update(|seen| (seen.sleepers() > 0).then(|| all(seen)))
            .map_or(0, |before| before.sleepers() as u32)
    }

    fn add(&self, change: u64) -> Seen {
        Seen(self.0.fetch_add(change, AcqRel) + change)
    }

    fn sub(&self, change: u64) -> Seen {
        Seen(self.0.fetch_sub(change, AcqRel) - change)
    }

    /// The word before the change, or nothing if there was none to make.
    fn update(&self, mut change: impl FnMut(Seen) -> Option<Seen>) -> Option<Seen> {
        self.0.fetch_update(AcqRel, Acquire, |word| change(Seen(word)).map(|seen| seen.0)).ok().map(Seen)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_seeker_is_enough() {
        let counts = Counts::new();
        counts.start_seeking();
        assert_eq!(counts.summon(true), Summons::Nobody);
    }

    #[test]
    fn a_sleeper_is_called_before_a_thread_is_started() {
        let counts = Counts::new();
        counts.start_seeking();
        counts.fall_asleep();
        assert_eq!(counts.summon(true), Summons::Sleeper);
        assert!(!counts.rise(), "its token is under way");
        assert_eq!(counts.stop_seeking().seekers(), 0);
        assert_eq!(counts.summon(true), Summons::NewThread);
    }

    #[test]
    fn a_submitter_keeps_a_closed_pool_open() {
        let counts = Counts::new();
        counts.enter();
        counts.close();
        assert!(!counts.look().is_final());
        assert!(counts.leave(false, true).0.is_still());
    }

    #[test]
    fn a_pool_is_not_still_while_a_summoned_thread_is_under_way() {
        let counts = Counts::new();
        counts.enter();
        counts.close();
        let (seen, summons) = counts.leave(true, true);
        assert_eq!(summons, Summons::NewThread);
        assert!(seen.is_final() && !seen.is_still());
    }

    #[test]
    fn all_sleepers_can_be_called_at_once() {
        let counts = Counts::new();
        for _ in 0..3 {
            counts.start_seeking();
            counts.fall_asleep();
        }
        assert_eq!(counts.summon_all(), 3);
        assert_eq!(counts.summon_all(), 0);
        assert_eq!(counts.look().seekers(), 3);
    }
}
