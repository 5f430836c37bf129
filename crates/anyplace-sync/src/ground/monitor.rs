//! A [`Monitor`]: one thread at a time is inside, and others stand in line for what it guards.

use super::{Ground, Party, bell, clock};
use crate::futex::Futex;
use crate::primitives::atomic::AtomicU32;
use crate::primitives::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

/// Set in the word beside the holder's number: somebody may sleep on it.
const AWAITED: u32 = 1;
/// Being inside takes tens of nanoseconds, so who comes next looks this often before it sleeps.
const LOOKS: u32 = 200;
/// How long one sleeps before asking whether the thread inside still lives.
const DOUBT: Duration = Duration::from_millis(10);
/// How long the first in line lets others pass, in nanoseconds.
const PATIENCE: u64 = 1_000_000;
/// How many sleepers are woken after the monitor is left, so that they find it open.
const LATER: usize = 8;

/// What a shared object begins with: a word that says who is inside, and the two ends of a line.
///
/// All zero is a fresh one. Its words are the object's own: two monitors never share a line.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Monitor {
    guard: Futex<true>,
    first: AtomicU32,
    last: AtomicU32,
    /// The ground's era when the line was last known to be whole.
    era: AtomicU32,
}

/// The right to look at and change what a monitor guards. Dropping it leaves.
pub struct Inside<'m, G: Ground> {
    monitor: &'m Monitor,
    ground: &'m G,
    was_left: bool,
    asleep: [u32; LATER],
    sleepers: usize,
}

impl Monitor {
    /// One that nobody has been inside of.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        let [first, last, era] = [const { AtomicU32::new(0) }; 3];
        Self { guard: Futex::new(0), first, last, era }
    }

    /// Enters, after whoever is inside has left or died.
    pub fn enter<'m, G: Ground>(&'m self, ground: &'m G) -> Inside<'m, G> {
        let me = ground.me() << 1;
        let entered = self.guard.word().compare_exchange(0, me, Acquire, Relaxed).is_ok();
        let was_left = !entered && self.enter_after_others(ground, me);
        let mut inside = Inside { monitor: self, ground, was_left, asleep: [0; LATER], sleepers: 0 };
        if was_left || self.era.load(Relaxed) != ground.era() {
            inside.repair();
        }
        inside
    }

    /// True if the one before us died inside.
    #[cold]
    fn enter_after_others<G: Ground>(&self, ground: &G, me: u32) -> bool {
        let word = self.guard.word();
        if !cfg!(loom) {
            for _ in 0..LOOKS {
                if word.load(Relaxed) == 0 && word.compare_exchange(0, me, Acquire, Relaxed).is_ok() {
                    return false;
                }
                std::hint::spin_loop();
            }
        }
        loop {
            let now = word.load(Relaxed);
            if now == 0 {
                // Others may sleep, too, and nobody would tell us: so whoever leaves next wakes one.
                if word.compare_exchange(0, me | AWAITED, Acquire, Relaxed).is_ok() {
                    return false;
                }
            } else if now & AWAITED != 0
                || word.compare_exchange(now, now | AWAITED, Relaxed, Relaxed).is_ok()
            {
                // Loom knows no time, and in its models nobody dies inside.
                let until = (!cfg!(loom)).then(|| Instant::now() + DOUBT);
                self.guard.sleep_while(now | AWAITED, until);
                let in_time = until.is_none_or(|until| Instant::now() < until);
                if !in_time && self.inherit(ground, now | AWAITED, me) {
                    return true;
                }
            }
        }
    }

    /// Takes the monitor over from one that died inside.
    fn inherit<G: Ground>(&self, ground: &G, now: u32, me: u32) -> bool {
        let word = self.guard.word();
        word.load(Relaxed) == now
            && ground.is_gone(now >> 1)
            && word.compare_exchange(now, me | AWAITED, Acquire, Relaxed).is_ok()
    }

    /// Whether somebody is in the line or inside. Whoever changes what others wait for, and then finds nobody, was seen by
    /// all who join the line later, if they look at it inside.
    pub fn is_awaited(&self) -> bool {
        // The word first: who is inside may be about to join, and has when the word says that it left.
        self.guard.word().load(Acquire) != 0 || self.first.load(Relaxed) != 0
    }

    /// Who is inside now; 0 if nobody.
    pub fn holder(&self) -> Party {
        self.guard.word().load(Relaxed) >> 1
    }
}

impl<G: Ground> Inside<'_, G> {
    /// Whether the one before died inside: what it was about to do is half done. Its line has been set right.
    pub fn was_left(&self) -> bool {
        self.was_left
    }

    /// The first in line; 0 if nobody waits.
    pub fn first(&self) -> u32 {
        self.monitor.first.load(Relaxed)
    }

    /// The numbers of those in line, in order.
    pub fn line(&self) -> impl Iterator<Item = u32> + '_ {
        let next =
            |&number: &u32| Some(self.ground.waiter(number).next.load(Relaxed)).filter(|&next| next != 0);
        std::iter::successors(Some(self.first()).filter(|&first| first != 0), next)
    }

    /// Whether somebody else than `number` waits.
    pub fn others_wait(&self, number: u32) -> bool {
        let first = self.first();
        first != 0 && (first != number || self.monitor.last.load(Relaxed) != number)
    }

    /// Whether `number`, or a newcomer (0), may try now: the first in line lets others pass for a millisecond, since
    /// handing everything on in order would cost a sleep and a wake-up each time. Nor does anybody stand behind one that was
    /// woken and does not come, because its process is stopped, or is no more and nobody has noticed.
    pub fn may_try(&self, number: u32) -> bool {
        let first = self.first();
        first == 0
            || first == number
            || cfg!(loom)
            || clock::now().saturating_sub(self.ground.waiter(first).since()) < PATIENCE
            || self.ground.waiter(first).is_late()
    }

    /// Puts `number` at the end of the line.
    pub(super) fn join(&mut self, number: u32) {
        self.ground.waiter(number).join(self.object());
        self.link(number);
    }

    fn object(&self) -> u64 {
        self.ground.name_of(self.monitor)
    }

    fn link(&mut self, number: u32) {
        let waiter = self.ground.waiter(number);
        let last = self.monitor.last.load(Relaxed);
        waiter.previous.store(last, Relaxed);
        waiter.next.store(0, Relaxed);
        if last == 0 {
            self.monitor.first.store(number, Relaxed);
        } else {
            self.ground.waiter(last).next.store(number, Relaxed);
        }
        self.monitor.last.store(number, Relaxed);
    }

    /// Takes `number`, which is in the line, out of it.
    pub(super) fn part(&mut self, number: u32) {
        let waiter = self.ground.waiter(number);
        waiter.part();
        let (next, previous) = (waiter.next.load(Relaxed), waiter.previous.load(Relaxed));
        let before = if previous == 0 { &self.monitor.first } else { &self.ground.waiter(previous).next };
        before.store(next, Relaxed);
        let after = if next == 0 { &self.monitor.last } else { &self.ground.waiter(next).previous };
        after.store(previous, Relaxed);
    }

    /// Has up to `count` of the line look again, from its front. Those that are about to anyway count, unless they are late.
    pub fn wake(&mut self, mut count: usize) {
        let mut next = self.first();
        while count > 0 && next != 0 {
            let waiter = self.ground.waiter(next);
            if !waiter.is_woken() && waiter.wake() {
                self.rouse_later(next);
            }
            count -= usize::from(!waiter.is_late());
            next = waiter.next.load(Relaxed);
        }
    }

    /// Tells up to `count` of the line, from its front, that what they waited for has come; they are out of the line then.
    /// How many were told.
    pub fn tell(&mut self, count: usize) -> usize {
        (0..count).take_while(|_| self.tell_first()).count()
    }

    fn tell_first(&mut self) -> bool {
        let number = self.first();
        if number == 0 {
            return false;
        }
        self.part(number);
        if self.ground.waiter(number).tell(self.object()) {
            self.rouse_later(number);
        }
        true
    }

    /// Whether `number` was told, and is out of the line.
    pub fn is_told(&self, number: u32) -> bool {
        number != 0 && self.ground.waiter(number).is_told()
    }

    /// Takes the threads of a party that is no more out of the line, and gives their records back; whoever is first then
    /// looks again, since the dead may have been woken for it. True if there were any.
    pub fn bury(&mut self, party: Party) -> bool {
        let dead: Vec<u32> =
            self.line().filter(|&number| self.ground.waiter(number).party() == party).collect();
        for &number in &dead {
            self.part(number);
            self.ground.give_waiter(number);
        }
        self.wake(usize::from(!dead.is_empty()));
        !dead.is_empty()
    }

    /// Tells others what threads of a party that is no more were told here and may never have heard. Done twice it tells one
    /// too many.
    pub fn tell_on(&mut self, party: Party) {
        for number in 1..=self.ground.waiters() {
            let waiter = self.ground.waiter(number);
            if waiter.party() == party && waiter.is_told_of(self.object()) {
                self.tell(1);
                waiter.forget();
            }
        }
    }

    fn rouse_later(&mut self, number: u32) {
        if self.sleepers == LATER {
            return bell::rouse(self.ground, number);
        }
        self.asleep[self.sleepers] = number;
        self.sleepers += 1;
    }

    /// Makes the line anew from what its members say: links may be half changed, and members be no more.
    #[cold]
    fn repair(&mut self) {
        self.monitor.era.store(self.ground.era(), Relaxed);
        let object = self.object();
        let all = (1..=self.ground.waiters()).map(|number| (number, self.ground.waiter(number)));
        let mut line: Vec<_> = all
            .filter(|(_, waiter)| waiter.object() == object && self.is_there(waiter.party()))
            .map(|(number, waiter)| (waiter.since(), number))
            .collect();
        line.sort_unstable();
        self.monitor.first.store(0, Relaxed);
        self.monitor.last.store(0, Relaxed);
        line.iter().for_each(|&(_, number)| self.link(number));
        self.wake(1);
    }
}

impl<G: Ground> Inside<'_, G> {
    fn is_there(&self, party: Party) -> bool {
        party != 0 && !self.ground.is_gone(party)
    }
}

impl<G: Ground> Drop for Inside<'_, G> {
    fn drop(&mut self) {
        let guard = &self.monitor.guard;
        if guard.word().swap(0, Release) & AWAITED != 0 {
            guard.wake(1);
        }
        for &number in &self.asleep[..self.sleepers] {
            bell::rouse(self.ground, number);
        }
    }
}

impl<G: Ground> std::fmt::Debug for Inside<'_, G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inside").field("line", &self.line().collect::<Vec<_>>()).finish_non_exhaustive()
    }
}
