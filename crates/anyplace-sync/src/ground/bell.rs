//! A [`Bell`]: one thread that hears for many turns when they are called, so that none of them needs a thread to sleep in.
//!
//! A turn that is [watched](Turn::watch) says in its record which bell is to be rung instead of a thread being roused. The
//! bell is a record, too, that stands in no line. Who hears it looks through the turns that it watches for: a turn is called
//! before its bell is rung, so none is missed that was watched before.

use super::{Ground, Turn};
use std::time::Instant;

/// What is rung when one of many turns is called.
pub struct Bell<'g, G: Ground> {
    ground: &'g G,
    number: u32,
}

impl<'g, G: Ground> Bell<'g, G> {
    /// A bell for turns on this ground.
    pub fn new(ground: &'g G) -> Self {
        let number = ground.take_waiter();
        ground.waiter(number).forget();
        Self { ground, number }
    }

    /// What turns know it by.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Sleeps until it has been rung since the last call, or until `until`. It may also return early for no reason.
    pub fn hear(&self, until: Option<Instant>) {
        self.ground.waiter(self.number).sleep_for_bell(until);
    }
}

impl<G: Ground> Drop for Bell<'_, G> {
    fn drop(&mut self) {
        self.ground.give_waiter(self.number);
    }
}

impl<G: Ground> Turn<'_, G> {
    /// From now on it joins the line also when its time is over, and stays there: for those who come back when it is called.
    pub fn stay_in_line(&mut self) {
        self.stays = true;
    }

    /// Has the bell rung when this turn, which stands in line, is called. Gives the number by which [`is_called`] asks for
    /// it; `None` if it is called already.
    pub fn watch(&self, bell: u32) -> Option<u32> {
        let number = self.standing_number();
        (number != 0 && self.ground().waiter(number).watch(bell)).then_some(number)
    }
}

/// Whether the turn with this number has been called.
pub fn is_called<G: Ground>(ground: &G, number: u32) -> bool {
    ground.waiter(number).is_called()
}

/// Sees to it that a turn that has been called, and was asleep, looks again.
pub(super) fn rouse<G: Ground>(ground: &G, number: u32) {
    let waiter = ground.waiter(number);
    match waiter.bell() {
        0 => waiter.rouse(),
        bell => ground.waiter(bell).ring(),
    }
}

impl<G: Ground> std::fmt::Debug for Bell<'_, G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bell({})", self.number)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::Lock;
    use crate::ground::Here;
    use std::time::Duration;

    /// A time that is over.
    fn over() -> Option<Instant> {
        Some(Instant::now())
    }

    #[test]
    fn a_watched_turn_rings_when_it_is_called_and_has_kept_its_place() {
        let (lock, bell) = (Lock::new(), Bell::new(&Here));
        assert!(lock.try_acquire(&Here).is_some());
        let mut turn = Turn::new(&Here);
        turn.stay_in_line();
        assert!(lock.acquire(&mut turn, over()).is_none());
        let number = turn.watch(bell.number()).expect("nobody has called it");
        std::thread::scope(|scope| {
            scope.spawn(|| lock.release(&Here).expect("it is held"));
            while !is_called(&Here, number) {
                bell.hear(Some(Instant::now() + Duration::from_secs(10)));
            }
        });
        assert!(lock.acquire(&mut turn, over()).is_some());
    }

    #[test]
    fn a_turn_that_is_called_already_is_not_watched() {
        let (lock, bell) = (Lock::new(), Bell::new(&Here));
        assert!(lock.try_acquire(&Here).is_some());
        let mut turn = Turn::new(&Here);
        turn.stay_in_line();
        assert!(lock.acquire(&mut turn, over()).is_none());
        lock.release(&Here).expect("it is held");
        assert_eq!(turn.watch(bell.number()), None);
    }

    #[test]
    fn a_bell_that_was_rung_before_is_heard_at_once() {
        let bell = Bell::new(&Here);
        Here.waiter(bell.number()).ring();
        bell.hear(None);
        let began = Instant::now();
        bell.hear(Some(began + Duration::from_millis(5)));
        assert!(began.elapsed() >= Duration::from_millis(5), "it was rung once");
    }
}
