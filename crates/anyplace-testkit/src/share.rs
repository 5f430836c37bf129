//! What the behaviours of shared objects run and wait with.

use crate::door;
use anyplace::share::{Array, Barrier, Condition, Dict, Event, Lock, Pipe, Queue, RLock, Semaphore, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(door::PATIENCE.unsigned_abs());

/// Waits until `is_so`; what does not come is a broken promise.
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "it has not come about within {PATIENCE:?}");
        std::thread::yield_now();
    }
}

/// Whether a future was woken.
#[derive(Default)]
pub(crate) struct Woken(pub(crate) Arc<Flag>);

#[derive(Default)]
pub(crate) struct Flag(AtomicBool);

impl Woken {
    pub(crate) fn is_woken(&self) -> bool {
        self.0.0.load(Ordering::Acquire)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// Adds 1 so many times, in two steps that the lock keeps together.
#[anyplace::task]
pub(crate) fn add_slowly(lock: Lock, sum: Value<i64>, times: u64) -> u64 {
    for _ in 0..times {
        let _held = lock.acquire().expect("the place is open");
        sum.set(std::hint::black_box(sum.get()) + 1);
    }
    times
}

/// Takes the lock once, and says whether it was abandoned.
#[anyplace::task]
pub(crate) fn get_lock(lock: Lock, had: Event) -> bool {
    let held = lock.acquire().expect("the place is open");
    had.set();
    held.was_abandoned()
}

/// Takes the lock, knocks, and keeps it until the door is opened.
#[anyplace::task]
pub(crate) fn hold_lock(lock: Lock, door: String) -> u64 {
    let _held = lock.acquire().expect("the place is open");
    door::wait_at(&door).expect("the door stands until the behaviour ends");
    0
}

/// Takes one lock, knocks, and takes the other when the door is opened.
#[anyplace::task]
pub(crate) fn hold_then_get(one: Lock, other: Lock, door: String) -> u64 {
    let _held = one.acquire().expect("the place is open");
    door::wait_at(&door).expect("the door stands until the behaviour ends");
    let _both = other.acquire().expect("nobody can have both");
    0
}

/// Takes so many permits, knocks, and keeps them until the door is opened.
#[anyplace::task]
pub(crate) fn hold_permits(seats: Semaphore, count: u64, door: String) -> u64 {
    for _ in 0..count {
        seats.acquire().expect("the place is open").keep();
    }
    door::wait_at(&door).expect("the door stands until the behaviour ends");
    count
}

/// Puts its number with 0, 1, 2 and so on.
#[anyplace::task]
pub(crate) fn produce(letters: Queue<(u64, u64)>, who: u64, count: u64) -> u64 {
    for number in 0..count {
        letters.put((who, number)).expect("the queue is open");
    }
    count
}

/// Knocks, and then puts and gets until it is killed.
#[anyplace::task]
pub(crate) fn hold_at_queue(letters: Queue<Vec<u8>>, door: String) -> u64 {
    door::wait_at(&door).expect("the door stands until the behaviour ends");
    loop {
        for length in [10, 5000, 10] {
            letters.put(vec![7; length]).expect("the queue is open");
        }
        letters.get().expect("the queue is open");
    }
}

/// Adds 1 and a half so many times.
#[anyplace::task]
pub(crate) fn add_to_both(whole: Value<i64>, float: Value<f64>, times: u64) -> u64 {
    for _ in 0..times {
        whole.add(1);
        float.add(0.5);
    }
    times
}

/// Puts its number in the place of -1, and says whether it was the first.
#[anyplace::task]
pub(crate) fn exchange(first: Value<i64>, number: i64) -> bool {
    first.compare_exchange(-1, number).is_ok()
}

/// Answers so many times.
#[anyplace::task]
pub(crate) fn answer(end: Pipe<String>, times: u64) -> u64 {
    for _ in 0..times {
        let said = end.recv().expect("the other end is open");
        end.send(format!("{said}!")).expect("the other end is open");
    }
    times
}

/// Sends something, knocks, and keeps its end until the door is opened.
#[anyplace::task]
pub(crate) fn hold_end(end: Pipe<u64>, door: String) -> u64 {
    end.send(7).expect("the other end is open");
    door::wait_at(&door).expect("the door stands until the behaviour ends");
    0
}

/// Adds 1 to what each of the first keys stands for.
#[anyplace::task]
pub(crate) fn count_up(counts: Dict<u64, u64>, keys: u64) -> u64 {
    for key in 0..keys {
        let is_done = || {
            let now = counts.get(&key)?;
            counts.exchange(key, now.as_ref(), Some(now.unwrap_or(0) + 1))
        };
        while !is_done().expect("the place is open") {}
    }
    keys
}

/// Writes the square of its number.
#[anyplace::task]
pub(crate) fn fill(squares: Array, at: u64) -> u64 {
    squares.words()[at as usize].store(at * at, Ordering::Relaxed);
    at
}

type Locks = (Lock, RLock, Semaphore);
type Others = (Condition, Event, Barrier, Value<f64>, Queue<String>);

/// Uses an object of each kind.
#[anyplace::task]
pub(crate) fn use_all(locks: Locks, others: Others) -> u64 {
    let (lock, rlock, semaphore) = locks;
    let (condition, event, barrier, value, queue) = others;
    use_locks(&lock, &rlock, &semaphore).expect("the place is open");
    use_others(&condition, &event, &barrier, &value, &queue).expect("the place is open");
    0
}

fn use_locks(lock: &Lock, rlock: &RLock, semaphore: &Semaphore) -> anyplace::Result<()> {
    lock.acquire()?.keep();
    drop(rlock.acquire()?);
    semaphore.acquire()?.keep();
    Ok(())
}

fn use_others(
    condition: &Condition,
    event: &Event,
    barrier: &Barrier,
    value: &Value<f64>,
    queue: &Queue<String>,
) -> anyplace::Result<()> {
    assert!(!condition.acquire()?.notify_one());
    event.set();
    assert!(barrier.wait()?.is_last);
    value.add(0.5);
    queue.put("it was here".to_owned())
}
