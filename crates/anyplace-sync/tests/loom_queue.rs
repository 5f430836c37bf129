//! Every interleaving of the queue's protocol, up to loom's bounds:
//! `RUSTFLAGS="--cfg loom" cargo test -p anyplace-sync --release --test loom_queue`
//!
//! A lost wake-up shows as a deadlock, which loom reports. The store is a plain one behind a lock here.
#![cfg(loom)]

use anyplace_sync::Line;
use anyplace_sync::queue::{NotPut, NotTaken, Queue};
use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use loom::thread::{self, JoinHandle};
use std::sync::Arc;
use std::time::Instant;

type Numbers = Arc<Queue<usize>>;

/// Explores `model` with at most `preemptions` switches that the threads did not ask for.
fn explore(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

fn fifo(capacity: Option<usize>) -> Numbers {
    Arc::new(Queue::fifo(capacity))
}

/// Runs `step` in a thread of its own.
fn begin<T: 'static>(queue: &Numbers, step: impl FnOnce(&Queue<usize>) -> T + 'static) -> JoinHandle<T> {
    let queue = Arc::clone(queue);
    thread::spawn(move || step(&queue))
}

/// A deadline that has passed: in loom it passes wherever the others are by then.
fn soon() -> Option<Instant> {
    Some(Instant::now())
}

#[test]
fn an_item_wakes_who_waits_for_it() {
    explore(3, || {
        let queue = fifo(None);
        let taking = begin(&queue, |queue| queue.get(None));
        queue.put(7, None).unwrap();
        assert_eq!(taking.join().unwrap(), Ok(7));
    });
}

#[test]
fn two_items_wake_two_who_wait() {
    explore(2, || {
        let queue = fifo(None);
        let taking = [(); 2].map(|()| begin(&queue, |queue| queue.get(None).unwrap()));
        queue.put(1, None).unwrap();
        queue.put(2, None).unwrap();
        assert_eq!(taking.map(|taking| taking.join().unwrap()).iter().sum::<usize>(), 3);
    });
}

/// One waits with a deadline that passes, one without: if the hasty one was woken and goes empty-handed, or takes the item,
/// the patient one still gets the other.
#[test]
fn who_gives_up_takes_no_wake_up_from_another() {
    explore(2, || {
        let queue = fifo(None);
        let hasty = begin(&queue, |queue| queue.get(soon()));
        let patient = begin(&queue, |queue| queue.get(None).unwrap());
        queue.put(1, None).unwrap();
        let taken = hasty.join().unwrap();
        if taken.is_ok() {
            queue.put(2, None).unwrap();
        }
        assert_eq!(patient.join().unwrap() + taken.unwrap_or(0), if taken.is_ok() { 3 } else { 1 });
    });
}

#[test]
fn room_wakes_who_waits_for_it() {
    explore(2, || {
        let queue = fifo(Some(1));
        let putting = begin(&queue, |queue| (0..2).for_each(|item| queue.put(item, None).unwrap()));
        assert_eq!([queue.get(None), queue.get(None)], [Ok(0), Ok(1)]);
        putting.join().unwrap();
    });
}

#[test]
fn two_who_wait_for_room_both_get_it() {
    explore(2, || {
        let queue = fifo(Some(1));
        queue.put(0, None).unwrap();
        let putting = [1, 2].map(|item| begin(&queue, move |queue| queue.put(item, None).unwrap()));
        let taken: usize = (0..3).map(|_| queue.get(None).unwrap()).sum();
        assert_eq!(taken, 3);
        putting.into_iter().for_each(|putting| putting.join().unwrap());
    });
}

/// Wherever the end falls: what was put is taken, what was refused is not, and nobody waits for ever.
#[test]
fn a_shut_down_loses_no_item_and_wakes_all() {
    explore(2, || {
        let queue = fifo(None);
        let putting = begin(&queue, |queue| usize::from(queue.put(1, None).is_ok()));
        let taking = begin(&queue, |queue| queue.iter().count());
        queue.shut_down(false);
        assert_eq!(taking.join().unwrap(), putting.join().unwrap());
        assert_eq!(queue.get(None), Err(NotTaken::ShutDown));
    });
}

#[test]
fn a_shut_down_wakes_who_waits_for_room() {
    explore(3, || {
        let queue = fifo(Some(1));
        queue.put(0, None).unwrap();
        let putting = begin(&queue, |queue| queue.put(1, None));
        queue.shut_down(false);
        assert_eq!(putting.join().unwrap(), Err(NotPut::ShutDown(1)));
        assert_eq!((queue.try_get(), queue.unfinished()), (Ok(0), 1));
    });
}

#[test]
fn who_discards_leaves_nothing_unfinished() {
    explore(2, || {
        let queue = fifo(None);
        let putting = begin(&queue, |queue| queue.put(1, None).is_ok());
        let joining = begin(&queue, |queue| queue.join(None));
        queue.shut_down(true);
        putting.join().unwrap();
        assert!(joining.join().unwrap());
        assert_eq!((queue.try_get(), queue.unfinished()), (Err(NotTaken::ShutDown), 0));
    });
}

#[test]
fn the_last_done_wakes_who_joins() {
    explore(3, || {
        let queue = fifo(None);
        queue.put_many([1, 2], None).unwrap();
        let working = begin(&queue, |queue| queue.iter().take(2).for_each(|_| queue.task_done().unwrap()));
        assert!(queue.join(None));
        working.join().unwrap();
        assert_eq!(queue.unfinished(), 0);
    });
}

/// The line alone, without a lock around what it is about.
#[test]
fn a_line_of_two_hears_of_two_changes() {
    explore(2, || {
        let shared = Arc::new((Line::new(), loom::sync::Mutex::new(0)));
        let waiting = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.0.wait(None, || *shared.1.lock().unwrap() == 2))
        });
        for _ in 0..2 {
            *shared.1.lock().unwrap() += 1;
            shared.0.call_all();
        }
        waiting.into_iter().for_each(|waiting| assert!(waiting.join().unwrap()));
    });
}

/// Whoever leaves the line as it is called takes its call along: the next one looks as often as in a line that is new.
#[test]
fn a_deadline_leaves_no_call_behind() {
    explore(3, || {
        let shared = Arc::new((Line::new(), AtomicUsize::new(0)));
        let hasty = Arc::clone(&shared);
        let hasty = thread::spawn(move || hasty.0.wait(soon(), || hasty.1.load(SeqCst) > 0));
        shared.1.store(1, SeqCst);
        shared.0.call_all();
        hasty.join().unwrap();
        assert_eq!(looks_in_vain(&shared.0), looks_in_vain(&Line::new()));
    });
}

fn looks_in_vain(line: &Line) -> usize {
    let mut looks = 0;
    let ready = || {
        looks += 1;
        false
    };
    assert!(!line.wait(soon(), ready));
    looks
}
