//! What one call of the hot paths costs, to be counted by callgrind: `cargo xtask callgrind`.
//!
//! Each case is a function of this file that does one thing [`TIMES`] times; only instructions inside of it, on its own
//! thread, are counted. Whoever works on the other side is kept busy meanwhile, so that the count is the same in every
//! run and on every machine: no path here depends on who is faster. Of `processes:` it is the board, both its sides:
//! valgrind cannot run a whole place, since it does not know the system calls that watch processes.

use anyplace::{Handle, Place, Result, open};
use anyplace_sync::ground::{Here, Turn};
use anyplace_sync::queue;
use anyplace_sync::shm::Segment;
use anyplace_sync::shm::board::{Body, Calls, Host, Job, Seat};
use anyplace_sync::shm::hall::{Dict, Hall, Order, Queue};
use anyplace_sync::{Latch, Lock, Pool, PoolConfig, Semaphore, Thunk};
use std::hint::black_box;
use std::sync::Arc;

/// How often a case does its thing.
const TIMES: usize = 500;

/// Prepares, calls the function that is counted, and cleans up.
type Case = fn() -> Result<()>;

/// THE cases, each with the name of the function that is counted.
const CASES: &[(&str, Case)] = &[
    ("latch_set_and_wait", || {
        latch_set_and_wait();
        Ok(())
    }),
    ("pool_spawn", pool),
    ("threads_submit", threads),
    ("board_post", board),
    ("board_claim", board),
    ("board_finish", board),
    ("board_collect", board),
    ("lock_pair", || {
        lock_pair(&Lock::new());
        Ok(())
    }),
    ("semaphore_pair", || {
        semaphore_pair(&Semaphore::new(1, false));
        Ok(())
    }),
    ("thread_queue_pass", || {
        thread_queue_pass(&queue::Queue::fifo(None));
        Ok(())
    }),
    ("hall_queue_pass", hall_queue),
    ("hall_dict_get", hall_dict),
];

fn main() -> Result<()> {
    let wanted = std::env::args().nth(1);
    let mut case = CASES.iter().filter(|(name, _)| wanted.as_deref().is_none_or(|wanted| wanted == *name));
    case.try_for_each(|(_, run)| run())
}

#[inline(never)]
fn latch_set_and_wait() {
    for _ in 0..TIMES {
        let latch = black_box(Latch::new());
        latch.set();
        black_box(latch.wait(None));
    }
}

/// A pool whose only thread waits, so that no job wakes anybody.
fn pool() -> Result<()> {
    let pool: Pool<Thunk> = Pool::new(PoolConfig::new("instructions", 1));
    let (begun, gate) = (Arc::new(Latch::new()), Arc::new(Latch::new()));
    let (here, there) = (begun.clone(), gate.clone());
    let holds = move |_: usize| {
        here.set();
        there.wait(None);
    };
    pool.spawn(Box::new(holds)).expect("the pool is open");
    begun.wait(None);
    pool_spawn(&pool);
    gate.set();
    pool.shutdown();
    Ok(())
}

#[inline(never)]
fn pool_spawn(pool: &Pool<Thunk>) {
    for _ in 0..TIMES {
        pool.spawn(Box::new(|_| ())).expect("the pool is open");
    }
}

/// A place whose only thread waits.
fn threads() -> Result<()> {
    let place = open("threads:1")?;
    let (begun, gate) = (Arc::new(Latch::new()), Arc::new(Latch::new()));
    let (here, there) = (begun.clone(), gate.clone());
    let holds = place.call(move || {
        here.set();
        there.wait(None);
    })?;
    begun.wait(None);
    let handles = threads_submit(&place)?;
    gate.set();
    holds.wait()?;
    // The last to be submitted is the last to end, and none is waited for before it has ended.
    place.submit(next, 0)?.wait()?;
    threads_wait(handles)
}

fn next(number: u64) -> u64 {
    number + 1
}

#[inline(never)]
fn threads_submit(place: &Place) -> Result<Vec<Handle<u64>>> {
    let mut handles = Vec::with_capacity(TIMES);
    for number in 0..TIMES as u64 {
        handles.push(place.submit(next, number)?);
    }
    Ok(handles)
}

/// What it costs is not held to a number: it frees what another thread has set aside, which the allocator does in one of two
/// ways, as that thread's pace has it.
fn threads_wait(handles: Vec<Handle<u64>>) -> Result<()> {
    for handle in handles {
        black_box(handle.wait()?);
    }
    Ok(())
}

/// Both sides of a board, moved by one thread: what a task costs that nobody sleeps for.
fn board() -> Result<()> {
    let (host, segment): (Host<u64>, Arc<Segment>) =
        Host::create(1, "instructions").expect("a memfd is made");
    let seat = Seat::take(&segment, 1, 0, || ()).expect("the board has a seat");
    board_post(&host);
    let jobs = board_claim(&seat);
    board_finish(&seat, &jobs);
    board_collect(&host);
    Ok(())
}

#[inline(never)]
fn board_post(host: &Host<u64>) {
    for number in 0..TIMES as u64 {
        let posted = host.post(Body::Inline(&number.to_le_bytes()), Calls::default(), number);
        black_box(posted.expect("there are more slots"));
    }
}

#[inline(never)]
fn board_claim(seat: &Seat) -> Vec<Job> {
    let mut jobs = Vec::with_capacity(TIMES);
    jobs.extend((0..TIMES).map_while(|_| seat.next()));
    jobs
}

#[inline(never)]
fn board_finish(seat: &Seat, jobs: &[Job]) {
    assert_eq!(jobs.len(), TIMES);
    for job in jobs {
        seat.finish(job, &[0; 8], None, false);
    }
}

#[inline(never)]
fn board_collect(host: &Host<u64>) {
    let mut replies = Vec::with_capacity(TIMES);
    host.collect(&mut replies);
    assert_eq!(black_box(replies).len(), TIMES);
}

#[inline(never)]
fn lock_pair(lock: &Lock) {
    for _ in 0..TIMES {
        black_box(lock.acquire(&mut Turn::new(&Here), None));
        lock.release(&Here).expect("it is ours");
    }
}

#[inline(never)]
fn semaphore_pair(permits: &Semaphore) {
    for _ in 0..TIMES {
        black_box(permits.acquire(&mut Turn::new(&Here), None));
        permits.release(&Here, 1).expect("it is not bounded");
    }
}

#[inline(never)]
fn thread_queue_pass(queue: &queue::Queue<u64>) {
    for number in 0..TIMES as u64 {
        queue.put(number, None).expect("it is open");
        black_box(queue.get(None)).expect("there is one");
    }
}

/// What processes share, used by one: nobody has to be woken.
fn hall_queue() -> Result<()> {
    let hall = Hall::create().expect("a memfd is made");
    let queue = hall.queue(None, Order::Fifo, 0).expect("the hall has room");
    hall_queue_pass(&hall, &queue);
    Ok(())
}

#[inline(never)]
fn hall_queue_pass(hall: &Hall, queue: &Queue) {
    for _ in 0..TIMES {
        let mut message = queue.message(black_box(&[7; 16])).expect("it is short");
        let put = queue.put(&mut Turn::new(hall), &mut message, 0, None);
        put.expect("nothing is waited for").expect("the queue is open");
        black_box(queue.get(&mut Turn::new(hall), None)).expect("there is one").expect("the queue is open");
    }
}

fn hall_dict() -> Result<()> {
    let hall = Hall::create().expect("a memfd is made");
    let dict = hall.dict(None).expect("the hall has room");
    dict.set(b"key", b"value").expect("the hall has memory");
    hall_dict_get(&dict);
    Ok(())
}

#[inline(never)]
fn hall_dict_get(dict: &Dict) {
    for _ in 0..TIMES {
        black_box(dict.get(black_box(b"key"))).expect("it is there");
    }
}
