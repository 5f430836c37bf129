//! A [`Turn`]: a thread's place in the line of one object.

use super::{Ground, Inside, Monitor, Waiter};
use crate::{signals, spin};
use std::time::{Duration, Instant};

/// How long one sleeps before looking for the dead; then twice as long, up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_millis(640);

/// A thread's place in the line of one object, from when it begins to wait until it has what it waited for.
///
/// It is made empty and costs nothing then. An operation that ends without success, at its deadline, leaves it in the line:
/// the next call with it goes on waiting from the same place. Dropping it leaves the line.
pub struct Turn<'g, G: Ground> {
    ground: &'g G,
    /// Our record, once we had to wait; 0 before.
    number: u32,
    standing: Option<&'g Monitor>,
    /// How long to sleep before looking for the dead.
    doubt: Duration,
    /// When that is over: also if one sleeps in many short pieces, in order to hear signals.
    look: Option<Instant>,
    task: u64,
    label: String,
    /// Whether it joins the line even if its time is over.
    pub(super) stays: bool,
    /// Whether what it was told is another's if it never looks.
    pub(crate) tells_on: bool,
    /// What the object remembers of this turn from one call to the next.
    pub(crate) note: (u32, u32),
}

impl<'g, G: Ground> Turn<'g, G> {
    /// A turn that stands in no line yet.
    pub fn new(ground: &'g G) -> Self {
        Self {
            ground,
            number: 0,
            standing: None,
            doubt: SHORTEST,
            look: None,
            task: 0,
            label: String::new(),
            stays: false,
            tells_on: false,
            note: (0, 0),
        }
    }

    /// Says which task waits, and where in the program: for those who ask why nothing goes on.
    pub fn label(&mut self, task: u64, label: impl Into<String>) {
        (self.task, self.label) = (task, label.into());
        if self.is_standing() {
            self.waiter().describe(self.task, &self.label);
        }
    }

    /// Where the object lies.
    pub fn ground(&self) -> &'g G {
        self.ground
    }

    /// Tries until `attempt` gives something; `None` if it has not when `until` has come. `attempt` is asked inside the
    /// monitor: at once, whenever somebody has [woken](Inside::wake) or [told](Inside::tell) this turn, now and then, and at
    /// the end. It is given our number in the line, 0 if we are a newcomer.
    pub fn wait<R>(
        &mut self,
        monitor: &'g Monitor,
        until: Option<Instant>,
        mut attempt: impl FnMut(&mut Inside<'g, G>, u32) -> Option<R>,
    ) -> Option<R> {
        loop {
            let mut inside = monitor.enter(self.ground);
            if let Some(result) = attempt(&mut inside, self.standing_number()) {
                self.leave(&mut inside);
                return Some(result);
            }
            if is_over(until) || self.ground.is_closed() {
                if self.is_standing() || self.stays {
                    self.stand(monitor, &mut inside);
                }
                return None;
            }
            self.stand(monitor, &mut inside);
            drop(inside);
            self.sleep(until);
        }
    }

    /// Joins the line without an attempt.
    pub fn join(&mut self, monitor: &'g Monitor) {
        self.stand(monitor, &mut monitor.enter(self.ground));
    }

    /// Whether it stands in this monitor's line, or was told there and has not looked yet.
    pub fn stands_at(&self, monitor: &Monitor) -> bool {
        self.standing.is_some_and(|standing| std::ptr::eq(standing, monitor))
    }

    /// Whether it stands in a line.
    pub fn is_standing(&self) -> bool {
        self.standing.is_some()
    }

    fn waiter(&self) -> &'g Waiter {
        self.ground.waiter(self.number)
    }

    /// Our number while we stand in a line, else 0.
    pub(super) fn standing_number(&self) -> u32 {
        if self.is_standing() { self.number } else { 0 }
    }

    pub(crate) fn stand(&mut self, monitor: &'g Monitor, inside: &mut Inside<'g, G>) {
        if self.is_standing() {
            return self.waiter().stay();
        }
        if self.number == 0 {
            self.number = self.ground.take_waiter();
        }
        self.waiter().describe(self.task, &self.label);
        inside.join(self.number);
        self.standing = Some(monitor);
        (self.doubt, self.look) = (SHORTEST, None);
    }

    fn leave(&mut self, inside: &mut Inside<'g, G>) {
        if self.standing.take().is_some() && !self.waiter().is_told() {
            inside.part(self.number);
            self.waiter().forget();
        }
    }

    /// Sleeps until there may be reason to look again, at most until `until`.
    fn sleep(&mut self, until: Option<Instant>) {
        let waiter = self.waiter();
        if self.doubt == SHORTEST && spin_until_called(waiter, until) {
            return;
        }
        let look = *self.look.get_or_insert_with(|| Instant::now() + self.doubt);
        let wake = until.map_or(look, |until| until.min(look));
        // Loom knows no time: without a deadline its threads sleep until they are woken.
        waiter.sleep(if cfg!(loom) { until } else { Some(wake) });
        if waiter.is_called() {
            (self.doubt, self.look) = (SHORTEST, None);
        } else if !cfg!(loom) && Instant::now() >= look {
            (self.doubt, self.look) = ((self.doubt * 2).min(LONGEST), None);
            self.ground.look_for_the_dead();
        }
    }
}

fn is_over(until: Option<Instant>) -> bool {
    until.is_some_and(|until| cfg!(loom) || signals::has_come() || until <= Instant::now())
}

fn spin_until_called(waiter: &Waiter, until: Option<Instant>) -> bool {
    spin::WAITERS.spin_until(spin::limit(until), || waiter.is_called())
}

impl<G: Ground> Drop for Turn<'_, G> {
    fn drop(&mut self) {
        if self.number == 0 {
            return;
        }
        if let Some(monitor) = self.standing {
            let mut inside = monitor.enter(self.ground);
            let (called, told) = (self.waiter().is_called(), self.waiter().is_told());
            self.leave(&mut inside);
            // What we were woken for is the next one's.
            if told && self.tells_on {
                inside.tell(1);
            } else {
                inside.wake(usize::from(called));
            }
        }
        self.waiter().forget();
        self.ground.give_waiter(self.number);
    }
}

impl<G: Ground> std::fmt::Debug for Turn<'_, G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn").field("number", &self.number).field("standing", &self.is_standing()).finish()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::Lock;
    use crate::ground::{Here, Party};
    use crate::primitives::atomic::AtomicU32;
    use crate::primitives::atomic::Ordering::Relaxed;

    /// This process, counting how often somebody looks for the dead.
    #[derive(Default)]
    struct Watched {
        looks: AtomicU32,
    }

    impl Ground for Watched {
        fn me(&self) -> Party {
            Here.me()
        }

        fn counters(&self, table: u32) -> Option<&[AtomicU32]> {
            Here.counters(table)
        }

        fn is_gone(&self, party: Party) -> bool {
            Here.is_gone(party)
        }

        fn bury_the_dead(&self) {
            self.looks.fetch_add(1, Relaxed);
        }

        fn waiter(&self, number: u32) -> &Waiter {
            Here.waiter(number)
        }

        fn take_waiter(&self) -> u32 {
            Here.take_waiter()
        }

        fn give_waiter(&self, number: u32) {
            Here.give_waiter(number);
        }

        fn waiters(&self) -> u32 {
            Here.waiters()
        }

        fn name_of(&self, monitor: &Monitor) -> u64 {
            Here.name_of(monitor)
        }
    }

    #[test]
    fn who_waits_in_many_short_pieces_looks_for_the_dead_as_well() {
        let (ground, lock) = (Watched::default(), Lock::new());
        assert!(lock.try_acquire(&ground).is_some());
        let mut turn = Turn::new(&ground);
        // Each is shorter than the time to the first look.
        let piece = SHORTEST * 2 / 5;
        let over = Instant::now() + SHORTEST * 100;
        while ground.looks.load(Relaxed) < 3 {
            assert!(Instant::now() < over, "{} looks", ground.looks.load(Relaxed));
            assert!(lock.acquire(&mut turn, Some(Instant::now() + piece)).is_none());
        }
    }

    #[test]
    fn who_waits_may_say_where_before_and_later() {
        let lock = Lock::new();
        assert!(lock.try_acquire(&Here).is_some());
        let mut turn = Turn::new(&Here);
        turn.stay_in_line();
        turn.label(1, "here");
        assert!(lock.acquire(&mut turn, Some(Instant::now())).is_none());
        let seen = || {
            let waiters = (1..=Here.waiters()).filter_map(|number| Here.waiter(number).seen());
            waiters.filter(|seen| seen.object == Here.name_of(lock.monitor())).collect::<Vec<_>>()
        };
        assert_eq!(seen().iter().map(|seen| &*seen.label).collect::<Vec<_>>(), ["here"]);
        turn.label(2, "there");
        assert_eq!(seen().iter().map(|seen| (seen.task, &*seen.label)).collect::<Vec<_>>(), [(2, "there")]);
    }
}
