//! Every interleaving of the protocols, up to loom's bounds:
//! `RUSTFLAGS="--cfg loom" cargo test -p anyplace-sync --release --test loom`
//!
//! A lost wake-up shows as a deadlock, which loom reports. Spinning is off: it only puts the sleep off.
#![cfg(loom)]

use anyplace_sync::{Job, Latch, Pool, PoolConfig};
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;
use std::sync::Arc;
use std::time::Instant;

/// Explores `model` with at most `preemptions` switches that the threads did not ask for.
fn explore(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// A job that counts itself.
struct Count(Arc<AtomicUsize>);

impl Job for Count {
    fn run(self, _worker: usize) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// A job that sets a latch.
struct Ring(Arc<Latch>);

impl Job for Ring {
    fn run(self, _worker: usize) {
        self.0.set();
    }
}

fn pool<J: Job>(threads: usize) -> Pool<J> {
    Pool::new(PoolConfig::new("model", threads))
}

#[test]
fn a_set_latch_wakes_all_who_wait_and_shows_what_was_written() {
    explore(3, || {
        let shared = Arc::new((Latch::new(), AtomicUsize::new(0)));
        let waiting: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    assert!(shared.0.wait_spinning_first(None));
                    assert_eq!(shared.1.load(Relaxed), 7);
                })
            })
            .collect();
        shared.1.store(7, Relaxed);
        shared.0.set();
        waiting.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
}

/// One waits with a deadline that passes, one without: the first must not swallow the wake-up of the second.
#[test]
fn a_deadline_takes_no_wake_up_from_another() {
    explore(3, || {
        let latch = Arc::new(Latch::new());
        let (hasty, patient) = (Arc::clone(&latch), Arc::clone(&latch));
        let hasty = thread::spawn(move || hasty.wait(Some(Instant::now())));
        let patient = thread::spawn(move || assert!(patient.wait(None)));
        latch.set();
        hasty.join().unwrap();
        patient.join().unwrap();
        assert!(latch.wait(Some(Instant::now())), "a set latch stays set");
    });
}

/// The worker may be anywhere between its last look at the queue and its sleep when the second job comes.
#[test]
fn no_wake_up_is_lost_as_a_worker_falls_asleep() {
    explore(3, || {
        let pool = pool(1);
        for _ in 0..2 {
            let done = Arc::new(Latch::new());
            pool.spawn(Ring(Arc::clone(&done))).unwrap();
            done.wait(None);
        }
        pool.join();
    });
}

/// Each job needs the other to run at the same time: the second thread has to be started or woken.
#[test]
fn two_jobs_at_once_get_two_threads() {
    struct Meet(Arc<[Latch; 2]>, usize);
    impl Job for Meet {
        fn run(self, _worker: usize) {
            self.0[self.1].set();
            self.0[1 - self.1].wait(None);
        }
    }
    explore(2, || {
        let pool = pool(2);
        let met = Arc::new([Latch::new(), Latch::new()]);
        pool.spawn(Meet(Arc::clone(&met), 0)).unwrap();
        pool.spawn(Meet(met, 1)).unwrap();
        pool.join();
        assert_eq!(pool.threads_started(), 2);
    });
}

#[test]
fn two_producers_lose_no_job() {
    explore(2, || {
        let (pool, ran) = (pool(1), Arc::new(AtomicUsize::new(0)));
        let (other_pool, other_ran) = (pool.clone(), Arc::clone(&ran));
        let other = thread::spawn(move || other_pool.spawn(Count(other_ran)).unwrap());
        pool.spawn(Count(Arc::clone(&ran))).unwrap();
        other.join().unwrap();
        pool.join();
        assert_eq!(ran.load(Relaxed), 2);
    });
}

/// Wherever the shutdown falls, a job that was taken runs and one that was refused does not.
#[test]
fn a_shutdown_loses_no_job_and_wakes_every_thread() {
    explore(2, || {
        let (pool, ran) = (pool(2), Arc::new(AtomicUsize::new(0)));
        let (other_pool, other_ran) = (pool.clone(), Arc::clone(&ran));
        let other = thread::spawn(move || usize::from(other_pool.spawn(Count(other_ran)).is_ok()));
        let mine = usize::from(pool.spawn(Count(Arc::clone(&ran))).is_ok());
        pool.join();
        let taken = mine + other.join().unwrap();
        assert_eq!(ran.load(Relaxed), taken);
        assert_eq!(pool.queued(), 0);
    });
}

#[test]
fn dropping_the_last_handle_ends_every_thread() {
    explore(2, || {
        let (pool, ran) = (pool(2), Arc::new(AtomicUsize::new(0)));
        for _ in 0..2 {
            pool.spawn(Count(Arc::clone(&ran))).unwrap();
        }
        drop(pool);
        assert_eq!(ran.load(Relaxed), 2);
    });
}
