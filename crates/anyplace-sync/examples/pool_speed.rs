//! How fast the pool is, beside rayon: `cargo run --release -p anyplace-sync --example pool_speed`
//!
//! Each line is the median of interleaved rounds, since the speed of a shared machine drifts.
#![allow(clippy::print_stdout)] // A program's printing is its result.

#[cfg(not(loom))]
fn main() {
    speed::main();
}

#[cfg(loom)]
fn main() {}

#[cfg(not(loom))]
mod speed {
    use anyplace_sync::{Latch, Pool, PoolConfig, Thunk, usable_cores};
    use rayon::prelude::*;
    use std::hint::black_box;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::time::Instant;

    const ROUNDS: usize = 9;
    const JOBS: usize = 100_000;
    const TRIPS: usize = 2_000;
    const ITEMS: usize = 1 << 20;
    const CHUNK: usize = 1 << 12;

    type Measure = fn(&Peers) -> f64;

    struct Peers {
        pool: Pool,
        rayon: rayon::ThreadPool,
        items: Arc<Vec<u64>>,
    }

    pub(super) fn main() {
        let threads = usable_cores();
        let peers = Peers {
            pool: Pool::new(PoolConfig::new("speed", threads)),
            rayon: rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap(),
            items: Arc::new((0..ITEMS as u64).collect()),
        };
        println!("{threads} threads, median of {ROUNDS} interleaved rounds: pool, rayon");
        compare(&peers, "no-op jobs from outside, million/s", [submit_pool, submit_rayon]);
        compare(&peers, "no-op jobs from inside, million/s", [nested_pool, nested_rayon]);
        compare(&peers, "round trip, µs", [trip_pool, trip_rayon]);
        compare(&peers, "map over chunks, ms", [map_pool, map_rayon]);
    }

    fn compare(peers: &Peers, what: &str, measures: [Measure; 2]) {
        let mut found = [vec![], vec![]];
        for _ in 0..ROUNDS {
            found.iter_mut().zip(measures).for_each(|(found, measure)| found.push(measure(peers)));
        }
        let [ours, theirs] = found.map(median);
        println!("{what:<36} {ours:8.3} {theirs:8.3}");
    }

    fn median(mut values: Vec<f64>) -> f64 {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    /// Counts down to a latch.
    struct Rest(AtomicUsize, Latch);

    impl Rest {
        fn of(count: usize) -> Arc<Self> {
            Arc::new(Self(AtomicUsize::new(count), Latch::new()))
        }

        fn one_less(&self) {
            if self.0.fetch_sub(1, Relaxed) == 1 {
                self.1.set();
            }
        }
    }

    fn million_per_second(run: impl FnOnce(&Arc<Rest>)) -> f64 {
        let (begin, rest) = (Instant::now(), Rest::of(JOBS));
        run(&rest);
        rest.1.wait_spinning_first(None);
        JOBS as f64 / begin.elapsed().as_secs_f64() / 1e6
    }

    fn one_less(rest: &Arc<Rest>) -> Thunk {
        let rest = Arc::clone(rest);
        Box::new(move |_| rest.one_less())
    }

    fn submit_pool(peers: &Peers) -> f64 {
        million_per_second(|rest| (0..JOBS).for_each(|_| peers.pool.spawn(one_less(rest)).unwrap()))
    }

    fn submit_rayon(peers: &Peers) -> f64 {
        million_per_second(|rest| {
            (0..JOBS).for_each(|_| {
                let rest = Arc::clone(rest);
                peers.rayon.spawn(move || rest.one_less());
            });
        })
    }

    fn nested_pool(peers: &Peers) -> f64 {
        million_per_second(|rest| {
            let (pool, rest) = (peers.pool.clone(), Arc::clone(rest));
            let spawn_all = move |_| (0..JOBS).for_each(|_| pool.spawn(one_less(&rest)).unwrap());
            peers.pool.spawn(Box::new(spawn_all)).unwrap();
        })
    }

    fn nested_rayon(peers: &Peers) -> f64 {
        million_per_second(|rest| {
            let rest = Arc::clone(rest);
            peers.rayon.spawn(move || {
                (0..JOBS).for_each(|_| {
                    let rest = Arc::clone(&rest);
                    rayon::spawn(move || rest.one_less());
                });
            });
        })
    }

    /// One job at a time: submit, run, hear of it.
    fn round_trips(mut submit: impl FnMut(Arc<Latch>)) -> f64 {
        let mut times: Vec<f64> = vec![];
        for _ in 0..TRIPS {
            let (begin, done) = (Instant::now(), Arc::new(Latch::new()));
            submit(Arc::clone(&done));
            done.wait_spinning_first(None);
            times.push(begin.elapsed().as_secs_f64() * 1e6);
        }
        median(times)
    }

    fn trip_pool(peers: &Peers) -> f64 {
        round_trips(|done| peers.pool.spawn(Box::new(move |_| done.set())).unwrap())
    }

    fn trip_rayon(peers: &Peers) -> f64 {
        round_trips(|done| peers.rayon.spawn(move || done.set()))
    }

    fn work(item: u64) -> u64 {
        (0..16).fold(item, |value, _| value.wrapping_mul(0x9E37_79B9).rotate_left(7))
    }

    fn sum(items: &[u64]) -> u64 {
        items.iter().fold(0, |sum, &item| sum ^ work(item))
    }

    fn map_pool(peers: &Peers) -> f64 {
        let (begin, rest) = (Instant::now(), Rest::of(ITEMS / CHUNK));
        let jobs = (0..ITEMS / CHUNK).map(|chunk| -> Thunk {
            let (items, rest) = (Arc::clone(&peers.items), Arc::clone(&rest));
            Box::new(move |_| {
                black_box(sum(&items[chunk * CHUNK..][..CHUNK]));
                rest.one_less();
            })
        });
        peers.pool.spawn_many(jobs).unwrap();
        rest.1.wait_spinning_first(None);
        begin.elapsed().as_secs_f64() * 1e3
    }

    fn map_rayon(peers: &Peers) -> f64 {
        let begin = Instant::now();
        peers.rayon.install(|| {
            peers.items.par_chunks(CHUNK).for_each(|chunk| {
                black_box(sum(chunk));
            });
        });
        begin.elapsed().as_secs_f64() * 1e3
    }
}
