//! Whole protocols of several threads, in many random interleavings:
//! `RUSTFLAGS="--cfg loom --cfg shuttle" cargo test -p anyplace-sync --release --test shuttle`
//!
//! The models of loom are exhaustive and small; these are large, and each interleaving is drawn. A failure prints the
//! schedule, which `shuttle::replay` runs again. As in loom's models nobody sleeps by the clock, and a deadline is over at
//! once: a lost wake-up is a deadlock.
#![cfg(all(loom, shuttle))]

mod model;

use anyplace_sync::ground::Turn;
use anyplace_sync::{Barrier, Condition, Event, Lock, RLock, Semaphore};
use model::Model;
use shuttle::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use shuttle::thread;
use std::sync::Arc;
use std::time::Instant;

/// How many interleavings of each protocol are tried, in each of the two ways to draw them.
const TIMES: usize = 1500;

/// Half of the interleavings are uniform; the other half prefer few switches at unlucky moments (Burckhardt et al. 2010).
fn explore(protocol: impl Fn() + Send + Sync + Clone + 'static) {
    shuttle::check_random(protocol.clone(), TIMES);
    shuttle::check_pct(protocol, TIMES, 3);
}

struct Shared<T> {
    ground: Model<8>,
    it: T,
}

impl<T: Send + Sync + 'static> Shared<T> {
    fn new(it: T) -> Arc<Self> {
        Arc::new(Self { ground: Model::default(), it })
    }

    fn turn(&self) -> Turn<'_, Model<8>> {
        Turn::new(&self.ground)
    }

    /// Runs `work` in so many threads, each with its number, to their end.
    fn in_threads(self: &Arc<Self>, count: usize, work: impl Fn(&Self, usize) + Send + Sync + 'static) {
        let work = Arc::new(work);
        let start = |number| {
            let (shared, work) = (Arc::clone(self), Arc::clone(&work));
            thread::spawn(move || work(&shared, number))
        };
        let threads: Vec<_> = (0..count).map(start).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

/// A queue of two places, made of a lock and two conditions, as every textbook has it.
#[derive(Default)]
struct Bounded {
    lock: Lock,
    not_full: Condition,
    not_empty: Condition,
    items: AtomicUsize,
    taken: AtomicUsize,
}

impl Shared<Bounded> {
    fn wait_for(&self, changed: &Condition, holds: impl Fn() -> bool) {
        self.it.lock.acquire(&mut self.turn(), None).expect("it waits");
        while !holds() {
            let mut turn = self.turn();
            changed.enlist(&mut turn);
            self.it.lock.release(&self.ground).expect("it is ours");
            assert!(changed.sleep(&mut turn, None));
            self.it.lock.acquire(&mut self.turn(), None).expect("it waits");
        }
    }

    fn put(&self) {
        self.wait_for(&self.it.not_full, || self.it.items.load(SeqCst) < 2);
        self.it.items.fetch_add(1, SeqCst);
        self.it.not_empty.notify(&self.ground, 1);
        self.it.lock.release(&self.ground).expect("it is ours");
    }

    fn take(&self) {
        self.wait_for(&self.it.not_empty, || self.it.items.load(SeqCst) > 0);
        self.it.items.fetch_sub(1, SeqCst);
        self.it.taken.fetch_add(1, SeqCst);
        self.it.not_full.notify(&self.ground, 1);
        self.it.lock.release(&self.ground).expect("it is ours");
    }
}

#[test]
fn two_producers_and_two_consumers_pass_all_on() {
    explore(|| {
        let shared = Shared::new(Bounded::default());
        shared.in_threads(4, |shared, number| {
            (0..3).for_each(|_| if number % 2 == 0 { shared.put() } else { shared.take() });
        });
        assert_eq!((shared.it.items.load(SeqCst), shared.it.taken.load(SeqCst)), (0, 6));
    });
}

/// Each takes the lower fork first, so that no circle of waiting can close.
#[test]
fn three_philosophers_dine() {
    explore(|| {
        let shared = Shared::new(<[Lock; 3]>::default());
        shared.in_threads(3, |shared, number| {
            let (one, other) = (number, (number + 1) % 3);
            for _ in 0..2 {
                for fork in [one.min(other), one.max(other)] {
                    shared.it[fork].acquire(&mut shared.turn(), None).expect("it waits");
                }
                for fork in [one, other] {
                    shared.it[fork].release(&shared.ground).expect("it is ours");
                }
            }
        });
        assert!(shared.it.iter().all(|fork| !fork.is_locked()));
    });
}

/// Readers share a semaphore of two permits, a writer takes both, one after the other, under a lock of the writers'.
#[test]
fn readers_and_writers_alternate() {
    explore(|| {
        let it = (Semaphore::new(2, true), Lock::default(), AtomicUsize::new(0));
        let shared = Shared::new(it);
        shared.in_threads(4, |shared, number| {
            let (permits, writers, inside) = &shared.it;
            let take = || assert!(permits.acquire(&mut shared.turn(), None));
            if number < 2 {
                take();
                assert!(inside.fetch_add(1, SeqCst) < 100, "a writer is inside");
                inside.fetch_sub(1, SeqCst);
                return permits.release(&shared.ground, 1).expect("it was ours");
            }
            writers.acquire(&mut shared.turn(), None).expect("it waits");
            take();
            take();
            assert_eq!(inside.fetch_add(100, SeqCst), 0, "somebody is inside");
            inside.fetch_sub(100, SeqCst);
            permits.release(&shared.ground, 2).expect("they were ours");
            writers.release(&shared.ground).expect("it is ours");
        });
        assert_eq!(shared.it.0.value(), 2);
    });
}

/// Some only look, or give up at once while they may just be woken: whoever is patient gets it.
#[test]
fn impatient_threads_take_nothing_from_patient_ones() {
    explore(|| {
        let shared = Shared::new((Semaphore::new(1, true), AtomicUsize::new(0)));
        shared.in_threads(5, |shared, number| {
            let (permits, had) = &shared.it;
            let mut turn = shared.turn();
            let until = (number % 2 == 0).then(Instant::now);
            if until.is_some() {
                turn.join(permits.monitor());
            }
            if permits.acquire(&mut turn, until) {
                had.fetch_add(1, SeqCst);
                permits.release(&shared.ground, 1).expect("it was ours");
            }
        });
        assert!(shared.it.1.load(SeqCst) >= 2, "two are patient");
        assert_eq!(shared.it.0.value(), 1);
    });
}

#[test]
fn an_rlock_guards_what_calls_itself() {
    explore(|| {
        let shared = Shared::new((RLock::default(), AtomicUsize::new(0)));
        shared.in_threads(3, |shared, number| {
            let (lock, inside) = &shared.it;
            let owner = number as u64 + 1;
            for _ in 0..2 {
                lock.acquire(&mut shared.turn(), owner, None).expect("it waits");
            }
            assert_eq!(inside.swap(number + 1, SeqCst), 0);
            inside.store(0, SeqCst);
            for _ in 0..2 {
                lock.release(&shared.ground, owner).expect("it is ours");
            }
        });
        assert!(shared.it.0.holding().is_none());
    });
}

/// More threads than a round takes, and one that opens the doors for all.
#[test]
fn rounds_follow_each_other_with_more_threads_than_places() {
    explore(|| {
        let shared = Shared::new((Barrier::new(2), Event::default(), AtomicUsize::new(0)));
        shared.in_threads(4, |shared, _| {
            let (barrier, open, passed) = &shared.it;
            let arrived = barrier.arrive(&mut shared.turn(), None).expect("it waits").expect("it is whole");
            if arrived.is_last {
                barrier.open(&shared.ground).expect("nobody breaks it");
            }
            if passed.fetch_add(1, SeqCst) == 3 {
                open.set(&shared.ground);
            }
            assert!(open.wait(&mut shared.turn(), None));
        });
        assert_eq!(shared.it.0.waiting(&shared.ground), 0);
    });
}

#[test]
fn a_broken_barrier_keeps_nobody() {
    explore(|| {
        let shared = Shared::new(Barrier::new(4));
        shared.in_threads(4, |shared, number| {
            if number == 3 {
                return shared.it.abort(&shared.ground);
            }
            assert!(shared.it.arrive(&mut shared.turn(), None).expect("it waits").is_err());
        });
        assert!(shared.it.is_broken());
    });
}
