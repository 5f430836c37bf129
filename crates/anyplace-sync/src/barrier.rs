//! A [`Barrier`]: a number of threads wait until all of them have come.

use crate::ground::{Ground, Inside, Monitor, Party, Turn};
use crate::primitives::atomic::AtomicU32;
use crate::primitives::atomic::Ordering::Relaxed;
use std::fmt;
use std::time::Instant;

/// A number of threads wait until all of them have come; then the next round begins.
///
/// Who comes last may do something first, while the others still wait: so it [lets them go](Self::open) itself. Who comes meanwhile
/// waits at the gate. A process that is killed while it waits leaves its place to another.
///
/// ```
/// use anyplace_sync::ground::{Here, Turn};
/// use anyplace_sync::Barrier;
///
/// let barrier = Barrier::new(1);
/// let mut turn = Turn::new(&Here);
/// let arrived = barrier.arrive(&mut turn, None).expect("without a deadline it waits")?;
/// assert!(arrived.is_last);
/// barrier.open(&Here)?;
/// # Ok::<(), anyplace_sync::Broken>(())
/// ```
#[derive(Debug, Default)]
#[repr(C)]
pub struct Barrier {
    /// Those who have come stand here; how many they are is how long the line is.
    monitor: Monitor,
    /// Those who came while a round was about to end.
    gate: Monitor,
    parties: AtomicU32,
    /// How many rounds have ended well.
    round: AtomicU32,
    /// Who came last and has not opened yet; 0 if nobody.
    last: AtomicU32,
    /// How many rounds had ended when it came: if that is different now, it has begun to open.
    closing: AtomicU32,
    broken: AtomicU32,
}

/// How a round ended for one who waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// How many had come before it in its round.
    pub index: u32,
    /// The round waits for it to open.
    pub is_last: bool,
}

/// The barrier was broken, or reset while one waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the barrier is broken")
    }
}

impl std::error::Error for Broken {}

/// What one who comes finds.
enum Found {
    Broken,
    /// It is the last of its round.
    Full(u32),
    /// A round is about to end.
    Shut,
}

impl Barrier {
    /// A barrier of one process, for so many threads.
    pub fn new(parties: u32) -> Self {
        let barrier = Self::default();
        barrier.begin(parties);
        barrier
    }

    /// Fills a fresh one.
    pub fn begin(&self, parties: u32) {
        self.parties.store(parties, Relaxed);
    }

    /// Comes, and waits until all have or `until` is there: then the result is `None`, and the next call with the same `turn`
    /// goes on waiting. Who was last has to [`open`](Self::open), or to [`abort`](Self::abort).
    pub fn arrive<'g, G: Ground>(
        &'g self,
        turn: &mut Turn<'g, G>,
        until: Option<Instant>,
    ) -> Option<Result<Arrived, Broken>> {
        loop {
            if turn.stands_at(&self.gate) {
                turn.wait(&self.gate, until, |_, _| (self.last.load(Relaxed) == 0).then_some(()))?;
            }
            if !turn.stands_at(&self.monitor) {
                let mut inside = self.monitor.enter(turn.ground());
                match self.come(&inside, turn.ground()) {
                    Some(Found::Broken) => return Some(Err(Broken)),
                    Some(Found::Full(index)) => return Some(Ok(Arrived { index, is_last: true })),
                    Some(Found::Shut) => {
                        // It opens only inside, so we stand at the gate before it does.
                        turn.join(&self.gate);
                        continue;
                    }
                    None => {
                        turn.note = (inside.line().count() as u32, self.round.load(Relaxed));
                        turn.stand(&self.monitor, &mut inside);
                    }
                }
            }
            let (index, round) = turn.note;
            let passed = || self.round.load(Relaxed) != round;
            let over = |told: bool| (told || passed() || self.is_broken()).then(passed);
            let passed = turn.wait(&self.monitor, until, |inside, number| over(inside.is_told(number)))?;
            return Some(if passed { Ok(Arrived { index, is_last: false }) } else { Err(Broken) });
        }
    }

    fn come<G: Ground>(&self, inside: &Inside<'_, G>, ground: &G) -> Option<Found> {
        if self.is_broken() {
            return Some(Found::Broken);
        }
        if self.last.load(Relaxed) != 0 {
            return Some(Found::Shut);
        }
        let index = inside.line().count() as u32;
        (index + 1 >= self.parties()).then(|| {
            self.closing.store(self.round.load(Relaxed), Relaxed);
            self.last.store(ground.me(), Relaxed);
            Found::Full(index)
        })
    }

    /// Lets the round go: by who came last.
    ///
    /// # Errors
    /// If the barrier was broken or reset meanwhile.
    pub fn open<G: Ground>(&self, ground: &G) -> Result<(), Broken> {
        let mut inside = self.monitor.enter(ground);
        if self.last.load(Relaxed) == 0 || self.is_broken() {
            return Err(Broken);
        }
        self.round.store(self.round.load(Relaxed).wrapping_add(1), Relaxed);
        inside.tell(usize::MAX);
        self.unlatch(ground);
        Ok(())
    }

    /// Breaks it: all who wait, and all who come, are told so.
    pub fn abort<G: Ground>(&self, ground: &G) {
        let mut inside = self.monitor.enter(ground);
        self.broken.store(1, Relaxed);
        inside.tell(usize::MAX);
        self.unlatch(ground);
    }

    /// Makes it whole and empty: who waits is told that it was broken.
    pub fn reset<G: Ground>(&self, ground: &G) {
        let mut inside = self.monitor.enter(ground);
        self.broken.store(0, Relaxed);
        inside.tell(usize::MAX);
        self.unlatch(ground);
    }

    /// The next round may begin: those at the gate look. (Inside the monitor, so that nobody is between the two lines.)
    fn unlatch<G: Ground>(&self, ground: &G) {
        let mut gate = self.gate.enter(ground);
        self.last.store(0, Relaxed);
        gate.wake(usize::MAX);
    }

    /// Whether it is broken.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Relaxed) != 0
    }

    /// How many threads make a round.
    pub fn parties(&self) -> u32 {
        self.parties.load(Relaxed)
    }

    /// How many wait for the others of their round.
    pub fn waiting<G: Ground>(&self, ground: &G) -> usize {
        self.monitor.enter(ground).line().count()
    }

    /// Where those who have come stand in line.
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// Where those stand in line who came while a round was about to end.
    pub fn gate(&self) -> &Monitor {
        &self.gate
    }

    /// Sets right what a party that is no more has left: its places. If it came last, another may, unless it had begun to
    /// open: then that is done.
    pub fn bury<G: Ground>(&self, ground: &G, party: Party) {
        let mut inside = self.monitor.enter(ground);
        inside.bury(party);
        self.gate.enter(ground).bury(party);
        if self.last.load(Relaxed) == party {
            if self.round.load(Relaxed) != self.closing.load(Relaxed) {
                inside.tell(usize::MAX);
            }
            self.unlatch(ground);
        }
    }
}
