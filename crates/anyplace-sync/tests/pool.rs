//! What a pool promises.
#![cfg(not(loom))]

use anyplace_sync::{Latch, Pool, PoolConfig, Reason, Thunk, current_worker};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);

fn pool(name: &str, threads: usize) -> Pool {
    Pool::new(PoolConfig::new(name, threads))
}

fn job(run: impl FnOnce(usize) + Send + 'static) -> Thunk {
    Box::new(run)
}

/// A job that says when it has begun and then waits until it is told to go on.
fn held(pool: &Pool) -> (Arc<Latch>, Arc<Latch>) {
    let (begun, go_on) = (Arc::new(Latch::new()), Arc::new(Latch::new()));
    let (tell, wait) = (Arc::clone(&begun), Arc::clone(&go_on));
    pool.spawn(job(move |_| {
        tell.set();
        wait.wait(None);
    }))
    .unwrap();
    (begun, go_on)
}

fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, SeqCst);
}

fn set_by_deadline(latch: &Latch) -> bool {
    latch.wait(Some(Instant::now() + SOON))
}

#[test]
fn threads_have_the_pools_name_and_an_index() {
    let pool = pool("named", 1);
    let (tell, told) = mpsc::channel();
    pool.spawn(job(move |worker| tell.send((worker, thread::current().name().map(str::to_owned))).unwrap()))
        .unwrap();
    assert_eq!(told.recv().unwrap(), (0, Some("named-0".to_owned())));
}

#[test]
fn jobs_that_are_taken_back_never_run_and_the_pool_goes_on() {
    let pool = pool("taken", 1);
    let ran = Arc::new(AtomicUsize::new(0));
    let (begun, go_on) = held(&pool);
    assert!(set_by_deadline(&begun));
    for _ in 0..3 {
        let ran = Arc::clone(&ran);
        pool.spawn(job(move |_| count(&ran))).unwrap();
    }
    assert!(pool.take_back().is_some() && pool.take_back().is_some());
    assert_eq!(pool.queued(), 1);
    go_on.set();
    pool.join();
    assert_eq!(ran.load(SeqCst), 1);
    assert!(pool.take_back().is_none());
}

#[test]
fn a_job_knows_its_worker() {
    let (one, other) = (pool("one", 1), pool("other", 1));
    let (tell, told) = mpsc::channel();
    let inside = Arc::new((one.clone(), other));
    let seen = Arc::clone(&inside);
    one.spawn(job(move |worker| {
        tell.send((worker, current_worker(), seen.0.worker(), seen.1.worker())).unwrap();
    }))
    .unwrap();
    assert_eq!(told.recv().unwrap(), (0, Some(0), Some(0), None));
    assert_eq!(current_worker(), None);
}

#[test]
fn threads_start_only_when_no_idle_one_can_take_the_job() {
    let pool = pool("lazy", 4);
    assert_eq!(pool.threads_started(), 0);
    let (begun, go_on) = held(&pool);
    assert!(set_by_deadline(&begun));
    assert_eq!(pool.threads_started(), 1);
    let (second_begun, second_go_on) = held(&pool);
    assert!(set_by_deadline(&second_begun));
    assert_eq!(pool.threads_started(), 2);
    go_on.set();
    second_go_on.set();
}

#[test]
fn no_more_threads_start_than_were_asked_for() {
    let pool = pool("few", 2);
    let held: Vec<_> = (0..2).map(|_| held(&pool)).collect();
    for (begun, _) in &held {
        assert!(set_by_deadline(begun));
    }
    let third = Arc::new(Latch::new());
    let tell = Arc::clone(&third);
    pool.spawn(job(move |_| tell.set())).unwrap();
    assert_eq!((pool.threads_started(), pool.queued()), (2, 1));
    held.iter().for_each(|(_, go_on)| go_on.set());
    assert!(set_by_deadline(&third));
    assert_eq!(pool.threads_started(), 2);
}

#[test]
fn jobs_start_in_the_order_they_came() {
    let pool = pool("fifo", 1);
    let order = Arc::new(Mutex::new(Vec::new()));
    for number in 0..1000 {
        let order = Arc::clone(&order);
        pool.spawn(job(move |_| order.lock().unwrap().push(number))).unwrap();
    }
    pool.join();
    assert!(order.lock().unwrap().iter().copied().eq(0..1000));
}

#[test]
fn a_batch_is_queued_whole_or_not_at_all() {
    let pool = pool("batch", 2);
    let ran = Arc::new(AtomicUsize::new(0));
    let batch = |jobs| {
        let ran = Arc::clone(&ran);
        (0..jobs).map(move |_| {
            let ran = Arc::clone(&ran);
            job(move |_| count(&ran))
        })
    };
    pool.spawn_many(batch(100)).unwrap();
    pool.shutdown();
    let refused = pool.spawn_many(batch(7)).unwrap_err();
    assert_eq!(refused.job.count(), 7);
    pool.join();
    assert_eq!(ran.load(SeqCst), 100);
}

#[test]
fn shutdown_runs_what_is_queued_and_takes_no_more() {
    let pool = pool("closing", 1);
    let (begun, go_on) = held(&pool);
    let ran = Arc::new(AtomicUsize::new(0));
    for _ in 0..10 {
        let ran = Arc::clone(&ran);
        pool.spawn(job(move |_| count(&ran))).unwrap();
    }
    assert!(set_by_deadline(&begun));
    pool.shutdown();
    let late = Arc::clone(&ran);
    let refused = pool.spawn(job(move |_| count(&late))).unwrap_err();
    assert!(matches!(refused.reason, Reason::ShutDown));
    assert_eq!(refused.to_string(), "the pool is shut down");
    go_on.set();
    pool.join();
    assert_eq!(ran.load(SeqCst), 10);
    (refused.job)(0);
    assert_eq!(ran.load(SeqCst), 11, "the job came back whole");
}

/// Jobs that need each other run at the same time, even if the pool was shut down before the second thread started.
#[test]
fn a_closing_pool_still_uses_all_its_threads() {
    for _ in 0..200 {
        let pool = pool("meet", 2);
        let met = Arc::new(Barrier::new(2));
        for _ in 0..2 {
            let met = Arc::clone(&met);
            pool.spawn(job(move |_| {
                met.wait();
            }))
            .unwrap();
        }
        assert!(pool.join_within(SOON));
    }
}

#[test]
fn joining_gives_up_in_time() {
    let pool = pool("busy", 1);
    let (begun, go_on) = held(&pool);
    assert!(set_by_deadline(&begun));
    assert!(!pool.join_within(Duration::from_millis(5)));
    go_on.set();
    assert!(pool.join_within(SOON));
}

#[test]
fn a_worker_does_not_wait_for_its_own_end() {
    let pool = pool("self", 1);
    let (tell, told) = mpsc::channel();
    let inside = pool.clone();
    pool.spawn(job(move |_| tell.send(inside.join_within(SOON)).unwrap())).unwrap();
    assert!(!told.recv().unwrap());
    assert!(pool.join_within(SOON));
}

#[test]
fn a_worker_may_drop_the_last_handle() {
    let pool = pool("orphan", 1);
    let exited = Arc::new(Latch::new());
    let tell = Arc::clone(&exited);
    let (begun, go_on) = held(&pool);
    let mine = pool.clone();
    pool.spawn(job(move |_| {
        drop(mine);
        tell.set();
    }))
    .unwrap();
    assert!(set_by_deadline(&begun));
    drop(pool);
    // The handle in the queued job is the last one now: a drop there that joined would wait for itself.
    go_on.set();
    assert!(set_by_deadline(&exited));
}

#[test]
fn dropping_the_last_handle_runs_everything() {
    let ran = Arc::new(AtomicUsize::new(0));
    let pool = pool("dropped", 3);
    for _ in 0..500 {
        let ran = Arc::clone(&ran);
        pool.spawn(job(move |_| count(&ran))).unwrap();
    }
    drop(pool);
    assert_eq!(ran.load(SeqCst), 500);
}

#[test]
fn a_panic_does_not_end_its_worker() {
    let payloads = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&payloads);
    let on_panic = move |payload: Box<dyn std::any::Any + Send>| {
        heard.lock().unwrap().push(*payload.downcast::<usize>().unwrap());
    };
    let pool: Pool =
        Pool::new(PoolConfig { on_panic: Some(Arc::new(on_panic)), ..PoolConfig::new("panics", 1) });
    let survived = Arc::new(AtomicUsize::new(0));
    for number in 0..5_usize {
        let survived = Arc::clone(&survived);
        pool.spawn(job(move |_| resume_unwind(Box::new(number)))).unwrap();
        pool.spawn(job(move |_| count(&survived))).unwrap();
    }
    pool.join();
    assert_eq!(pool.threads_started(), 1);
    assert_eq!(survived.load(SeqCst), 5);
    assert!(payloads.lock().unwrap().iter().copied().eq(0..5));
}

#[test]
fn a_payload_that_panics_in_its_turn_is_survived() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            resume_unwind(Box::new(()));
        }
    }
    let pool = pool("bombs", 1);
    let survived = Arc::new(AtomicBool::new(false));
    let tell = Arc::clone(&survived);
    pool.spawn(job(|_| resume_unwind(Box::new(Bomb)))).unwrap();
    pool.spawn(job(move |_| tell.store(true, SeqCst))).unwrap();
    pool.join();
    assert!(survived.load(SeqCst));
    assert_eq!(pool.threads_started(), 1);
}

#[test]
fn hooks_run_once_on_each_thread() {
    let (tell, told) = mpsc::channel();
    let hook = |word: &'static str| {
        let tell = tell.clone();
        let say = move |worker: usize| tell.send((word, worker, current_worker())).unwrap();
        Some(Arc::new(say) as Arc<dyn Fn(usize) + Send + Sync>)
    };
    let config = PoolConfig { on_start: hook("start"), on_exit: hook("exit"), ..PoolConfig::new("hooks", 1) };
    let pool: Pool = Pool::new(config);
    pool.spawn(job(|_| ())).unwrap();
    pool.join();
    let said: Vec<_> = told.try_iter().collect();
    assert_eq!(said, [("start", 0, Some(0)), ("exit", 0, Some(0))]);
}

#[test]
fn jobs_may_submit_jobs() {
    fn tree(pool: &Pool, depth: u32, leaves: &Arc<AtomicUsize>) {
        if depth == 0 {
            leaves.fetch_add(1, SeqCst);
            return;
        }
        for _ in 0..2 {
            let (inner, leaves) = (pool.clone(), Arc::clone(leaves));
            pool.spawn(job(move |_| tree(&inner, depth - 1, &leaves))).unwrap();
        }
    }
    let pool = pool("tree", 2);
    let leaves = Arc::new(AtomicUsize::new(0));
    tree(&pool, 10, &leaves);
    let done = Arc::new(Latch::new());
    await_count(&pool, &leaves, 1 << 10, &done);
    assert!(set_by_deadline(&done));
}

/// Sets `done` once `counter` is `goal`, by a job that queues itself again until then.
fn await_count(pool: &Pool, counter: &Arc<AtomicUsize>, goal: usize, done: &Arc<Latch>) {
    if counter.load(SeqCst) == goal {
        done.set();
        return;
    }
    let (inner, counter, done) = (pool.clone(), Arc::clone(counter), Arc::clone(done));
    pool.spawn(job(move |_| await_count(&inner, &counter, goal, &done))).unwrap();
}

#[test]
fn many_producers_lose_nothing() {
    let pool = pool("many", 2);
    let sum = Arc::new(AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5000).for_each(|_| add_one(&pool, &sum)));
        }
    });
    pool.join();
    assert_eq!(sum.load(SeqCst), 20_000);
}

fn add_one(pool: &Pool, sum: &Arc<AtomicUsize>) {
    let sum = Arc::clone(sum);
    pool.spawn(job(move |_| count(&sum))).unwrap();
}

/// Rounds of a few jobs with every worker idle in between: each round has to wake somebody.
#[test]
fn no_wake_up_is_lost_between_idle_gaps() {
    for spin in [Duration::ZERO, Duration::from_micros(5)] {
        let pool: Pool = Pool::new(PoolConfig { spin: Some(spin), ..PoolConfig::new("gaps", 3) });
        for round in 0..3000 {
            let left = Arc::new(AtomicUsize::new(1 + round % 5));
            let done = Arc::new(Latch::new());
            for _ in 0..1 + round % 5 {
                let (left, done) = (Arc::clone(&left), Arc::clone(&done));
                pool.spawn(job(move |_| {
                    if left.fetch_sub(1, SeqCst) == 1 {
                        done.set();
                    }
                }))
                .unwrap();
            }
            assert!(set_by_deadline(&done), "round {round} hangs");
        }
    }
}

/// Producers race with the shutdown: what was taken runs, what was not comes back.
#[test]
fn a_shutdown_amid_submissions_loses_nothing() {
    for _ in 0..200 {
        let pool = pool("race", 2);
        let (ran, taken) = (Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| submit_until_refused(&pool, &ran, &taken));
            }
            while ran.load(SeqCst) < 5 {
                thread::yield_now();
            }
            pool.join();
            assert_eq!(pool.queued(), 0);
        });
        assert_eq!(ran.load(SeqCst), taken.load(SeqCst));
    }
}

fn submit_until_refused(pool: &Pool, ran: &Arc<AtomicUsize>, taken: &AtomicUsize) {
    loop {
        let ran = Arc::clone(ran);
        if pool.spawn(job(move |_| count(&ran))).is_err() {
            return;
        }
        taken.fetch_add(1, SeqCst);
    }
}

/// What a job keeps for the next one is let go of before its thread rests, and only then.
#[test]
fn what_jobs_keep_is_let_go_before_the_thread_rests() {
    static LET_GO: AtomicUsize = AtomicUsize::new(0);
    static FINISHED: Latch = Latch::new();
    let pool: Pool<Thunk> = Pool::new(PoolConfig::new("keeper", 1));
    let gate = Arc::new(Latch::new());
    let opened = Arc::clone(&gate);
    let keep = || {
        anyplace_sync::before_rest(|| {
            LET_GO.fetch_add(1, SeqCst);
            FINISHED.set();
        });
    };
    pool.spawn(Box::new(move |_| {
        opened.wait(None);
        keep();
    }))
    .unwrap();
    pool.spawn(Box::new(move |_| {
        assert_eq!(LET_GO.load(SeqCst), 0);
        keep();
    }))
    .unwrap();
    gate.set();
    assert!(FINISHED.wait(None));
    assert_eq!(LET_GO.load(SeqCst), 1);
}

/// What a thread needs before it runs anything, it takes once, and while the jobs wait.
#[test]
fn jobs_stay_in_the_queue_until_a_thread_has_what_it_needs() {
    static PREPARED: AtomicUsize = AtomicUsize::new(0);
    static PREPARING: Latch = Latch::new();
    static READY: Latch = Latch::new();
    static RESTED: Latch = Latch::new();
    let pool = pool("preparer", 1);
    let ran = Arc::new(AtomicUsize::new(0));
    pool.spawn(job(|_| {
        anyplace_sync::before_work(|| {
            PREPARED.fetch_add(1, SeqCst);
            PREPARING.set();
            READY.wait(None);
        });
        anyplace_sync::before_rest(|| RESTED.set());
    }))
    .unwrap();
    RESTED.wait(None);
    let more = |ran: &Arc<AtomicUsize>| {
        let ran = Arc::clone(ran);
        pool.spawn(job(move |_| count(&ran))).unwrap();
    };
    more(&ran);
    PREPARING.wait(None);
    (0..9).for_each(|_| more(&ran));
    assert_eq!(pool.queued(), 10);
    READY.set();
    pool.join();
    assert_eq!((ran.load(SeqCst), PREPARED.load(SeqCst)), (10, 1));
}
