//! What is left when a pool is idle or gone. One test: it counts the threads and the CPU time of the whole process.
#![cfg(all(target_os = "linux", not(loom)))]

use anyplace_sync::{Latch, Pool, PoolConfig, Thunk};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

const WATCH: Duration = Duration::from_millis(300);

#[test]
fn an_idle_pool_uses_no_cpu_and_a_dropped_one_leaves_no_thread() {
    let before = threads();
    let pool: Pool = Pool::new(PoolConfig::new("idle", 4));
    let met = Arc::new((Mutex::new(0), Condvar::new()));
    for _ in 0..4 {
        let met = Arc::clone(&met);
        pool.spawn(meet(met)).unwrap();
    }
    wait_for_four(&met);
    assert_eq!(threads(), before + 4);
    settle(&pool);
    assert!(idle_cpu() < WATCH / 50);
    drop(pool);
    assert!(threads_fall_to(before));
}

fn meet(met: Arc<(Mutex<usize>, Condvar)>) -> Thunk {
    Box::new(move |_| {
        *met.0.lock().unwrap() += 1;
        met.1.notify_all();
        wait_for_four(&met);
    })
}

fn wait_for_four(met: &(Mutex<usize>, Condvar)) {
    drop(met.1.wait_while(met.0.lock().unwrap(), |count| *count < 4).unwrap());
}

fn settle(pool: &Pool) {
    let done = Arc::new(Latch::new());
    let tell = Arc::clone(&done);
    pool.spawn(Box::new(move |_| tell.set())).unwrap();
    done.wait(None);
}

/// The CPU time the process uses while the only busy thread waits.
fn idle_cpu() -> Duration {
    let before = cpu_time();
    let nobody = Latch::new();
    assert!(!nobody.wait(Some(Instant::now() + WATCH)));
    cpu_time() - before
}

fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap()
}

/// Linux lists a thread a moment longer than its joiner waits (plain threads too: about one join in a thousand).
fn threads_fall_to(count: usize) -> bool {
    let deadline = Instant::now() + Duration::from_secs(1);
    while threads() != count && Instant::now() < deadline {
        std::thread::yield_now();
    }
    threads() == count
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}
