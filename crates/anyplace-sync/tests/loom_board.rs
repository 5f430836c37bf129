//! Every interleaving of the board's protocol, up to loom's bounds:
//! `RUSTFLAGS="--cfg loom" cargo test -p anyplace-sync --release --test loom_board`
//!
//! A lost wake-up shows as a deadlock, which loom reports. Spinning is off: it only puts the sleep off.
#![cfg(all(loom, target_os = "linux"))]

use anyplace_sync::shm::board::{Body, Calls, Host, Seat, Size, Stage, table};
use loom::thread;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

fn explore(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

fn set(workers: usize) -> (Arc<Host<u32>>, Vec<Seat>) {
    let (host, seats) = table(Size { workers, slots: 2 }, || {});
    (Arc::new(host), seats)
}

/// A host whose bell is counted.
fn set_with_bell(workers: usize) -> (Arc<Host<u32>>, Vec<Seat>, Arc<AtomicUsize>) {
    let rings = Arc::new(AtomicUsize::new(0));
    let bell = rings.clone();
    let ring = move || {
        bell.fetch_add(1, SeqCst);
    };
    let (host, seats) = table(Size { workers, slots: 2 }, ring);
    (Arc::new(host), seats, rings)
}

fn post(host: &Host<u32>, task: u32) -> anyplace_sync::shm::board::Ticket {
    host.post(Body::Inline(&[]), Calls::default(), task).expect("there is a free slot")
}

/// Works until the host stops it; gives how many tasks it did.
fn work(seat: &Seat) -> usize {
    let mut done = 0;
    loop {
        match seat.next() {
            Some(job) => {
                seat.finish(&job, &[], None, false);
                done += 1;
            }
            None if seat.is_stopped() => return done,
            None => seat.wait(),
        }
    }
}

fn wait(host: &Host<u32>, ticket: anyplace_sync::shm::board::Ticket) -> usize {
    assert!(host.wait(ticket, None));
    let mut found: Vec<_> = host.collect_one(ticket).into_iter().collect();
    host.collect(&mut found);
    found.len()
}

/// The worker may be anywhere between its last look at the queue and its sleep when the task comes, and the caller
/// anywhere between its last look at the slot and its sleep when the reply comes.
#[test]
fn no_wake_up_is_lost_as_worker_and_caller_fall_asleep() {
    explore(3, || {
        let (host, mut seats) = set(1);
        let seat = seats.remove(0);
        let worker = thread::spawn(move || work(&seat));
        assert_eq!(wait(&host, post(&host, 1)), 1);
        host.stop();
        assert_eq!(worker.join().unwrap(), 1);
    });
}

/// Two tasks, two workers: each task is done once, though one worker may count on the other.
#[test]
fn each_task_is_done_once_whoever_takes_it() {
    // A second preemption is a minute's work and finds nothing that the models of one worker do not.
    explore(1, || {
        let (host, seats) = set(2);
        let workers: Vec<_> = seats.into_iter().map(|seat| thread::spawn(move || work(&seat))).collect();
        let tickets = [post(&host, 1), post(&host, 2)];
        assert_eq!(tickets.map(|ticket| wait(&host, ticket)).iter().sum::<usize>(), 2);
        host.stop();
        assert_eq!(workers.into_iter().map(|worker| worker.join().unwrap()).sum::<usize>(), 2);
    });
}

/// Taking back and beginning race: one of the two happens.
#[test]
fn a_task_is_taken_back_or_done() {
    explore(3, || {
        let (host, mut seats) = set(1);
        let seat = seats.remove(0);
        let ticket = post(&host, 1);
        let worker = thread::spawn(move || work(&seat));
        let taken = host.take_back(ticket).is_some();
        host.stop();
        let done = worker.join().unwrap();
        assert_eq!(usize::from(taken) + done, 1);
        let mut found = Vec::new();
        host.collect(&mut found);
        assert_eq!(found.len(), done);
    });
}

/// Two callers wait for two tasks; either may collect the other's reply, and both wake.
#[test]
fn callers_that_collect_for_each_other_all_wake() {
    explore(2, || {
        let (host, mut seats) = set(1);
        let seat = seats.remove(0);
        let worker = thread::spawn(move || work(&seat));
        let (first, second) = (post(&host, 1), post(&host, 2));
        let other = Arc::clone(&host);
        let caller = thread::spawn(move || wait(&other, first));
        let found = wait(&host, second) + caller.join().unwrap();
        assert_eq!(found, 2);
        host.stop();
        worker.join().unwrap();
    });
}

/// Who waits for any task hears of it.
#[test]
fn no_wake_up_is_lost_for_those_who_wait_for_any() {
    explore(3, || {
        let (host, mut seats) = set(1);
        let seat = seats.remove(0);
        post(&host, 1);
        let worker = thread::spawn(move || work(&seat));
        let mut found = Vec::new();
        while found.is_empty() {
            host.wait_any(None, || false);
            host.collect(&mut found);
        }
        host.stop();
        worker.join().unwrap();
    });
}

/// One worker dies right after it has popped a hint; the other lives and may hold another hint at that moment.
#[test]
fn what_a_dead_worker_had_taken_and_not_begun_is_done_by_another() {
    explore(2, || {
        let (host, mut seats) = set(2);
        let (dead, seat) = (seats.remove(1), seats.remove(0));
        let ticket = post(&host, 1);
        // It dies over the task that it runs, if it was faster.
        let ran = dead.next();
        assert!(ran.is_some());
        let second = post(&host, 2);
        let worker = thread::spawn(move || work(&seat));
        assert!(host.bury(1).running.is_some());
        assert_eq!(host.stage(ticket), Stage::Over);
        assert!(host.wait(second, None));
        host.stop();
        assert_eq!(worker.join().unwrap(), 1);
    });
}

/// One worker dies with a hint that it has not followed, while another takes what it finds.
#[test]
fn a_hint_that_died_is_followed_by_another_once() {
    explore(2, || {
        let (host, mut seats) = set(2);
        let (dead, seat) = (seats.remove(1), seats.remove(0));
        let (first, second) = (post(&host, 1), post(&host, 2));
        let worker = thread::spawn(move || work(&seat));
        dead.take_hint();
        let buried = host.bury(1);
        assert!(buried.running.is_none());
        assert!(host.wait(first, None) && host.wait(second, None));
        host.stop();
        assert_eq!(worker.join().unwrap(), 2);
        let mut found = buried.finished;
        host.collect(&mut found);
        assert_eq!(found.len(), 2);
    });
}

/// What one waits for another may bring home, who says so.
#[test]
fn who_waits_for_any_hears_of_what_another_has_collected() {
    explore(2, || {
        let (host, mut seats) = set(1);
        let seat = seats.remove(0);
        post(&host, 1);
        let found = Arc::new(loom::sync::atomic::AtomicUsize::new(0));
        let (theirs, other) = (Arc::clone(&host), found.clone());
        let collector = thread::spawn(move || {
            let mut replies = Vec::new();
            theirs.collect(&mut replies);
            other.fetch_add(replies.len(), SeqCst);
            theirs.rouse_callers();
        });
        let worker = thread::spawn(move || seat.next().map(|job| seat.finish(&job, &[], None, false)));
        while found.load(SeqCst) == 0 {
            host.wait_any(None, || found.load(SeqCst) > 0);
            let mut replies = Vec::new();
            host.collect(&mut replies);
            found.fetch_add(replies.len(), SeqCst);
        }
        collector.join().unwrap();
        worker.join().unwrap();
        assert_eq!(found.load(SeqCst), 1);
    });
}

/// The host looks whether a worker is free for the second task while the only one takes the first.
#[test]
fn a_task_for_which_no_worker_is_free_is_seen_by_the_host_or_told_by_the_worker() {
    explore(3, || {
        let (host, mut seats, rings) = set_with_bell(2);
        let seat = seats.remove(0);
        host.ring_for_more(true);
        post(&host, 1);
        let worker = thread::spawn(move || seat.next().is_some());
        post(&host, 2);
        let (waiting, free) = host.demand();
        assert!(worker.join().unwrap());
        assert!(waiting > free || rings.load(SeqCst) == 1);
    });
}

/// The host begins to want to hear of room while the last tasks end.
#[test]
fn room_on_the_board_is_seen_by_the_host_or_told_by_the_worker() {
    explore(3, || {
        let (host, mut seats, rings) = set_with_bell(1);
        let seat = seats.remove(0);
        post(&host, 1);
        let worker = thread::spawn(move || seat.next().map(|job| seat.finish(&job, &[], None, false)));
        host.ring_below(1);
        let seen = host.has_run_low();
        worker.join().unwrap();
        assert!(seen || rings.load(SeqCst) == 1);
    });
}
