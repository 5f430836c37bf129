//! Locks, semaphores, conditions, events and barriers between threads of one process.
#![cfg(not(loom))]

use anyplace_sync::ground::{Here, Turn};
use anyplace_sync::{Barrier, Broken, Condition, Event, Lock, RLock, Semaphore, TooOften, Value};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

fn soon(milliseconds: u64) -> Option<Instant> {
    Some(Instant::now() + Duration::from_millis(milliseconds))
}

/// Waits until `count` stand in line for what `line` looks at.
fn until_waiting(line: impl Fn() -> usize, count: usize) {
    let late = Instant::now() + Duration::from_secs(20);
    while line() < count {
        assert!(Instant::now() < late, "{} of {count} came", line());
        thread::yield_now();
    }
}

#[test]
fn a_lock_lets_one_in_at_a_time() {
    let (lock, inside, total) = (Lock::new(), AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    lock.acquire(&mut Turn::new(&Here), None).expect("without a deadline it waits");
                    assert_eq!(inside.fetch_add(1, SeqCst), 0);
                    total.fetch_add(1, SeqCst);
                    inside.fetch_sub(1, SeqCst);
                    lock.release(&Here).expect("it is ours");
                }
            });
        }
    });
    assert_eq!(total.into_inner(), 80_000);
    assert!(lock.release(&Here).is_err(), "nobody has it");
}

#[test]
fn a_wait_ends_at_its_deadline_and_keeps_its_place() {
    let lock = Lock::new();
    lock.try_acquire(&Here).expect("it is free");
    let mut turn = Turn::new(&Here);
    assert!(lock.acquire(&mut turn, soon(5)).is_none());
    assert!(turn.is_standing());
    assert!(lock.acquire(&mut turn, soon(5)).is_none());
    lock.release(&Here).unwrap();
    assert!(lock.acquire(&mut turn, soon(5)).is_some());
    assert!(!turn.is_standing());
}

/// The hog releases and takes it again at once, for as long as the other has not had it.
#[test]
fn one_who_waits_for_a_millisecond_is_next() {
    let (lock, done) = (Lock::new(), AtomicBool::new(false));
    lock.try_acquire(&Here).expect("it is free");
    let tries = thread::scope(|scope| {
        scope.spawn(|| {
            lock.acquire(&mut Turn::new(&Here), None).expect("it waits");
            done.store(true, SeqCst);
            lock.release(&Here).unwrap();
        });
        until_waiting(|| lock.monitor().enter(&Here).line().count(), 1);
        let begin = Instant::now();
        while !done.load(SeqCst) {
            lock.release(&Here).unwrap();
            lock.acquire(&mut Turn::new(&Here), None).expect("it waits");
        }
        lock.release(&Here).unwrap();
        begin.elapsed()
    });
    assert!(tries < Duration::from_secs(2), "it took {tries:?}");
}

#[test]
fn an_rlock_counts_what_its_owner_takes() {
    let lock = RLock::new();
    for _ in 0..3 {
        assert!(lock.try_acquire(&Here, 1).is_some());
    }
    assert!(lock.try_acquire(&Here, 2).is_none());
    assert!(lock.release(&Here, 2).is_err());
    assert_eq!(lock.release_all(&Here, 1), Ok(3));
    assert!(lock.try_acquire(&Here, 2).is_some());
    assert!(!lock.is_owned(&Here, 1));
}

#[test]
fn a_semaphore_has_as_many_inside_as_permits() {
    let (permits, inside, most) = (Semaphore::new(3, true), AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    assert!(permits.acquire(&mut Turn::new(&Here), None));
                    most.fetch_max(inside.fetch_add(1, SeqCst) + 1, SeqCst);
                    inside.fetch_sub(1, SeqCst);
                    permits.release(&Here, 1).unwrap();
                }
            });
        }
    });
    assert!(most.into_inner() <= 3);
    assert_eq!(permits.value(), 3);
    assert_eq!(permits.release(&Here, 1), Err(TooOften { bounded: true }));
}

#[test]
fn permits_given_back_together_reach_all_who_wait() {
    let permits = Semaphore::new(0, false);
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| assert!(permits.acquire(&mut Turn::new(&Here), soon(20_000))));
        }
        until_waiting(|| permits.monitor().enter(&Here).line().count(), 5);
        permits.release(&Here, 5).unwrap();
    });
    assert_eq!(permits.value(), 0);
}

#[test]
fn the_longest_waiting_is_notified_first() {
    let changed = Condition::new();
    let (mut first, mut second) = (Turn::new(&Here), Turn::new(&Here));
    changed.enlist(&mut first);
    changed.enlist(&mut second);
    assert_eq!(changed.notify(&Here, 1), 1);
    assert!(!changed.sleep(&mut second, soon(1)));
    assert!(changed.sleep(&mut first, soon(1)));
    assert_eq!(changed.notify(&Here, 7), 1);
    assert!(changed.sleep(&mut second, None));
    assert_eq!(changed.notify(&Here, 7), 0);
}

#[test]
fn an_event_lets_all_go_who_waited_when_it_was_set() {
    let open = Event::new();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(open.wait(&mut Turn::new(&Here), soon(20_000))));
        }
        until_waiting(|| open.monitor().enter(&Here).line().count(), 4);
        open.set(&Here);
        open.clear(&Here);
    });
    assert!(!open.wait(&mut Turn::new(&Here), soon(1)));
}

#[test]
fn a_barrier_makes_rounds() {
    let (barrier, rounds) = (Barrier::new(3), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for round in 0..500 {
                    assert_eq!(rounds.load(SeqCst), round);
                    let arrived = barrier.arrive(&mut Turn::new(&Here), None).expect("it waits").unwrap();
                    if arrived.is_last {
                        rounds.fetch_add(1, SeqCst);
                        barrier.open(&Here).unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(rounds.into_inner(), 500);
}

#[test]
fn more_threads_than_a_barrier_takes_wait_for_the_next_round() {
    let (barrier, left, passed) = (Barrier::new(2), AtomicUsize::new(1200), AtomicUsize::new(0));
    let another = || left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while another() {
                    let arrived = barrier.arrive(&mut Turn::new(&Here), None).expect("it waits").unwrap();
                    if arrived.is_last {
                        barrier.open(&Here).unwrap();
                    }
                    passed.fetch_add(1, SeqCst);
                }
            });
        }
    });
    assert_eq!(passed.into_inner(), 1200);
}

#[test]
fn who_waits_at_a_barrier_that_breaks_is_told() {
    let barrier = Barrier::new(3);
    thread::scope(|scope| {
        let waits = scope.spawn(|| barrier.arrive(&mut Turn::new(&Here), None));
        until_waiting(|| barrier.waiting(&Here), 1);
        barrier.abort(&Here);
        assert_eq!(waits.join().unwrap(), Some(Err(Broken)));
        assert_eq!(barrier.arrive(&mut Turn::new(&Here), None), Some(Err(Broken)));
        barrier.reset(&Here);
        assert_eq!(barrier.arrive(&mut Turn::new(&Here), soon(1)), None);
    });
}

#[test]
fn a_value_loses_no_addition() {
    let (whole, fraction) = (Value::default(), Value::default());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10_000 {
                    whole.add(1);
                    fraction.add_float(0.5);
                }
            });
        }
    });
    assert_eq!((whole.load(), fraction.load_float()), (40_000, 20_000.0));
}

/// Every wait gives up at some moment, so that wake-ups meet threads that are just leaving.
#[test]
fn a_wake_up_is_not_lost_with_one_who_gives_up() {
    let permits = Semaphore::new(1, true);
    let taken = AtomicUsize::new(0);
    thread::scope(|scope| {
        for seed in 1..=6u64 {
            let (permits, taken) = (&permits, &taken);
            scope.spawn(move || {
                for round in 0..400 {
                    let patience = Duration::from_micros((seed * 131 + round * 17) % 300);
                    if permits.acquire(&mut Turn::new(&Here), Some(Instant::now() + patience)) {
                        taken.fetch_add(1, SeqCst);
                        thread::yield_now();
                        permits.release(&Here, 1).unwrap();
                    }
                }
            });
        }
    });
    assert!(taken.into_inner() > 0);
    assert_eq!(permits.value(), 1);
    assert!(permits.acquire(&mut Turn::new(&Here), soon(1)));
}

/// It was told, and is dropped before it looks, as a future is that is cancelled.
#[test]
fn a_notification_is_not_lost_with_one_who_gives_up() {
    let condition = Condition::new();
    let [mut first, mut second] = [Turn::new(&Here), Turn::new(&Here)];
    condition.enlist(&mut first);
    condition.enlist(&mut second);
    assert_eq!(condition.notify(&Here, 1), 1);
    drop(first);
    assert!(condition.sleep(&mut second, Some(Instant::now())));
}
