//! Every interleaving of the objects that threads and processes share, up to loom's bounds:
//! `RUSTFLAGS="--cfg loom" cargo test -p anyplace-sync --release --test loom_share`
//!
//! A lost wake-up shows as a deadlock, which loom reports: in the models nobody sleeps by the clock.
#![cfg(loom)]
#![allow(unsafe_code, reason = "loom watches who touches the guarded number")]

mod model;

use anyplace_sync::ground::{self, Bell, Ground, Monitor, Onlookers, Turn};
use anyplace_sync::{Barrier, Condition, Event, Lock, Semaphore};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicU32, AtomicUsize, Ordering::AcqRel, Ordering::Relaxed};
use loom::thread;
use model::Model;
use std::sync::Arc;
use std::time::Instant;

fn explore(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

struct Shared<T> {
    ground: Model<3>,
    object: T,
    guarded: UnsafeCell<usize>,
    count: AtomicUsize,
}

// SAFETY: `guarded` is what the models are about: loom reports two threads at it.
unsafe impl<T: Sync> Sync for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Shared<T> {}

impl<T> Shared<T> {
    fn new(object: T) -> Arc<Self> {
        let ground = Model::default();
        Arc::new(Self { ground, object, guarded: UnsafeCell::new(0), count: AtomicUsize::new(0) })
    }

    fn touch(&self) {
        // SAFETY: loom checks that nobody else is there.
        self.guarded.with_mut(|value| unsafe { *value += 1 });
    }
}

fn in_threads<T: Send + Sync + 'static>(shared: &Arc<Shared<T>>, count: usize, work: fn(&Shared<T>)) {
    let threads: Vec<_> = (0..count)
        .map(|_| {
            let shared = Arc::clone(shared);
            thread::spawn(move || work(&shared))
        })
        .collect();
    work(shared);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_lock_lets_one_in_at_a_time_and_nobody_sleeps_for_ever() {
    explore(3, || {
        in_threads(&Shared::new(Lock::default()), 1, |shared| {
            for _ in 0..2 {
                shared.object.acquire(&mut Turn::new(&shared.ground), None).unwrap();
                shared.touch();
                shared.object.release(&shared.ground).unwrap();
            }
        });
    });
}

#[test]
fn a_lock_of_three_threads_is_passed_on() {
    explore(2, || {
        in_threads(&Shared::new(Lock::default()), 2, |shared| {
            shared.object.acquire(&mut Turn::new(&shared.ground), None).unwrap();
            shared.touch();
            shared.object.release(&shared.ground).unwrap();
        });
    });
}

/// One gives up while it may just be woken: the other still gets the lock.
#[test]
fn who_gives_up_passes_its_wake_up_on() {
    explore(2, || {
        let shared = Shared::new(Lock::default());
        shared.object.try_acquire(&shared.ground).unwrap();
        let late = Arc::clone(&shared);
        let late = thread::spawn(move || {
            let mut turn = Turn::new(&late.ground);
            turn.join(late.object.monitor());
            if late.object.acquire(&mut turn, Some(Instant::now())).is_some() {
                late.touch();
                late.object.release(&late.ground).unwrap();
            }
        });
        let patient = Arc::clone(&shared);
        let patient = thread::spawn(move || {
            patient.object.acquire(&mut Turn::new(&patient.ground), None).unwrap();
            patient.touch();
            patient.object.release(&patient.ground).unwrap();
        });
        shared.touch();
        shared.object.release(&shared.ground).unwrap();
        late.join().unwrap();
        patient.join().unwrap();
        assert!(!shared.object.is_locked());
    });
}

/// Gives two permits back to two who wait, `together` or one after the other.
fn two_permits_reach_two(together: bool) {
    let shared = Shared::new(Semaphore::new(0, false));
    let takers: Vec<_> = (0..2)
        .map(|_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                assert!(shared.object.acquire(&mut Turn::new(&shared.ground), None));
            })
        })
        .collect();
    let (count, times) = if together { (2, 1) } else { (1, 2) };
    (0..times).for_each(|_| shared.object.release(&shared.ground, count).unwrap());
    takers.into_iter().for_each(|taker| taker.join().unwrap());
    assert_eq!(shared.object.value(), 0);
}

#[test]
fn permits_given_back_together_reach_both() {
    explore(2, || two_permits_reach_two(true));
}

/// The second finds the first in line woken already and about to look, so that one has to wake the other.
#[test]
fn permits_given_back_one_after_the_other_reach_both() {
    explore(2, || two_permits_reach_two(false));
}

#[test]
fn one_permit_is_passed_on_by_three() {
    explore(2, || {
        let shared = Shared::new(Semaphore::new(1, true));
        in_threads(&shared, 2, |shared| {
            assert!(shared.object.acquire(&mut Turn::new(&shared.ground), None));
            shared.touch();
            shared.object.release(&shared.ground, 1).unwrap();
        });
        assert_eq!(shared.object.value(), 1);
    });
}

/// The waiter enlists with the lock in its hands, as conditions are used.
#[test]
fn a_notification_under_the_lock_is_not_missed() {
    explore(2, || {
        let shared = Shared::new((Lock::default(), Condition::default()));
        let waiter = Arc::clone(&shared);
        let waiter = thread::spawn(move || {
            let (lock, changed) = &waiter.object;
            lock.acquire(&mut Turn::new(&waiter.ground), None).unwrap();
            while waiter.count.load(Relaxed) == 0 {
                let mut turn = Turn::new(&waiter.ground);
                changed.enlist(&mut turn);
                lock.release(&waiter.ground).unwrap();
                assert!(changed.sleep(&mut turn, None));
                lock.acquire(&mut Turn::new(&waiter.ground), None).unwrap();
            }
            waiter.touch();
            lock.release(&waiter.ground).unwrap();
        });
        let (lock, changed) = &shared.object;
        lock.acquire(&mut Turn::new(&shared.ground), None).unwrap();
        shared.touch();
        shared.count.store(1, Relaxed);
        changed.notify(&shared.ground, 1);
        lock.release(&shared.ground).unwrap();
        waiter.join().unwrap();
    });
}

#[test]
fn a_set_event_lets_both_go_and_shows_what_was_written() {
    explore(2, || {
        let shared = Shared::new(Event::default());
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    assert!(shared.object.wait(&mut Turn::new(&shared.ground), None));
                    // SAFETY: loom checks that the writer has written.
                    assert_eq!(shared.guarded.with(|value| unsafe { *value }), 1);
                })
            })
            .collect();
        shared.touch();
        shared.object.set(&shared.ground);
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
}

#[test]
fn a_barrier_lets_both_go_in_both_rounds() {
    explore(1, || {
        in_threads(&Shared::new(Barrier::new(2)), 1, |shared| {
            for _ in 0..2 {
                let arrived = shared.object.arrive(&mut Turn::new(&shared.ground), None).unwrap().unwrap();
                if arrived.is_last {
                    shared.object.open(&shared.ground).unwrap();
                }
            }
        });
    });
}

/// A queue between processes in small: what is in it is guarded by one monitor, and who waits for it stands in the line of
/// another, which is entered only if somebody seems to be there.
#[derive(Default)]
struct Letters {
    state: Monitor,
    items: Monitor,
    room: Monitor,
    inside: AtomicU32,
}

impl Shared<Letters> {
    /// Changes how many are inside, at most one, if that is possible.
    fn change(&self, from: u32, to: u32) -> Option<()> {
        let _inside = self.object.state.enter(&self.ground);
        (self.object.inside.load(Relaxed) == from).then(|| {
            self.touch();
            self.object.inside.store(to, Relaxed);
        })
    }

    fn call(&self, line: &Monitor) {
        if line.is_awaited() {
            line.enter(&self.ground).wake(1);
        }
    }

    fn put(&self) {
        let turn = &mut Turn::new(&self.ground);
        turn.wait(&self.object.room, None, |_, _| self.change(0, 1)).unwrap();
        self.call(&self.object.items);
    }

    fn get(&self) {
        let turn = &mut Turn::new(&self.ground);
        turn.wait(&self.object.items, None, |_, _| self.change(1, 0)).unwrap();
        self.call(&self.object.room);
    }
}

#[test]
fn whoever_changes_what_others_wait_for_sees_them_in_their_line() {
    explore(3, || {
        let shared = Shared::new(Letters::default());
        let theirs = Arc::clone(&shared);
        let getting = thread::spawn(move || (0..2).for_each(|_| theirs.get()));
        (0..2).for_each(|_| shared.put());
        getting.join().unwrap();
        assert_eq!(shared.object.inside.load(Relaxed), 0);
    });
}

/// Acquires the lock as a future does: it looks, has the bell rung when it is called, and comes back then. Before it listens
/// for as long as it takes, it listens for a moment.
fn acquire_by_bell<'g, G: Ground>(lock: &'g Lock, bell: &Bell<'_, G>, turn: &mut Turn<'g, G>) {
    turn.stay_in_line();
    while lock.acquire(turn, Some(Instant::now())).is_none() {
        let Some(number) = turn.watch(bell.number()) else { continue };
        bell.hear(Some(Instant::now()));
        while !ground::is_called(turn.ground(), number) {
            bell.hear(None);
        }
    }
}

#[test]
fn a_bell_is_heard_when_a_turn_is_called() {
    explore(3, || {
        let shared = Shared::new(Lock::default());
        shared.object.try_acquire(&shared.ground).unwrap();
        let holder = Arc::clone(&shared);
        let holder = thread::spawn(move || {
            holder.touch();
            holder.object.release(&holder.ground).unwrap();
        });
        let bell = Bell::new(&shared.ground);
        acquire_by_bell(&shared.object, &bell, &mut Turn::new(&shared.ground));
        shared.touch();
        holder.join().unwrap();
    });
}

/// Two ring at once, and the second may find the bell rung by the first.
#[test]
fn a_bell_is_heard_for_each_of_two_turns() {
    explore(2, || {
        let shared = Shared::new([Lock::default(), Lock::default()]);
        let holders: Vec<_> = (0..2)
            .map(|which| {
                let shared = Arc::clone(&shared);
                shared.object[which].try_acquire(&shared.ground).unwrap();
                thread::spawn(move || shared.object[which].release(&shared.ground).unwrap())
            })
            .collect();
        let bell = Bell::new(&shared.ground);
        let mut turns = [Turn::new(&shared.ground), Turn::new(&shared.ground)];
        let mut left: Vec<_> = shared.object.iter().zip(&mut turns).collect();
        left.iter_mut().for_each(|(_, turn)| turn.stay_in_line());
        while !left.is_empty() {
            left.retain_mut(|(lock, turn)| lock.acquire(turn, Some(Instant::now())).is_none());
            let watched: Vec<_> = left.iter().map(|(_, turn)| turn.watch(bell.number())).collect();
            let is_called =
                |number: &Option<u32>| number.is_none_or(|number| ground::is_called(&shared.ground, number));
            while !watched.is_empty() && !watched.iter().any(is_called) {
                bell.hear(None);
            }
        }
        holders.into_iter().for_each(|holder| holder.join().unwrap());
    });
}

/// A counter that is changed without a monitor, and those who wait until it is as they want it.
#[derive(Default)]
struct Shelf {
    takers: Onlookers,
    putters: Onlookers,
    inside: AtomicU32,
}

impl Shared<Shelf> {
    fn change(&self, from: u32, to: u32) -> Option<()> {
        self.object.inside.compare_exchange(from, to, AcqRel, Relaxed).ok().map(drop)
    }

    /// Puts one, where there is room for one.
    fn put_alone(&self) {
        let is_room = || self.object.inside.load(Relaxed) == 0;
        let turn = &mut Turn::new(&self.ground);
        self.object.putters.wait(turn, None, || self.change(0, 1), is_room).unwrap();
        self.object.takers.call(&self.ground, 1);
    }

    fn take(&self) {
        let inside = &self.object.inside;
        let one_less = || inside.fetch_update(AcqRel, Relaxed, |inside| inside.checked_sub(1)).ok();
        let turn = &mut Turn::new(&self.ground);
        self.object.takers.wait(turn, None, one_less, || inside.load(Relaxed) > 0).unwrap();
        self.object.putters.call(&self.ground, 1);
    }
}

#[test]
fn onlookers_see_what_others_change_without_a_monitor() {
    explore(3, || {
        let shared = Shared::new(Shelf::default());
        let taker = Arc::clone(&shared);
        let taking = thread::spawn(move || (0..2).for_each(|_| taker.take()));
        (0..2).for_each(|_| shared.put_alone());
        taking.join().unwrap();
        assert_eq!(shared.object.inside.load(Relaxed), 0);
    });
}

/// The second call may find the first in line about to look, so that one has to wake the other.
#[test]
fn of_two_onlookers_each_finds_one_of_two() {
    explore(2, || {
        let shared = Shared::new(Shelf::default());
        let takers: Vec<_> = (0..2)
            .map(|_| {
                let taker = Arc::clone(&shared);
                thread::spawn(move || taker.take())
            })
            .collect();
        for _ in 0..2 {
            shared.object.inside.fetch_add(1, AcqRel);
            shared.object.takers.call(&shared.ground, 1);
        }
        takers.into_iter().for_each(|taking| taking.join().unwrap());
        assert_eq!(shared.object.inside.load(Relaxed), 0);
    });
}
