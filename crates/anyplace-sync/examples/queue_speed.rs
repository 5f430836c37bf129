//! How fast the queue is, beside crossbeam-channel: `cargo run --release -p anyplace-sync --example queue_speed`
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
    use anyplace_sync::queue::Queue;
    use crossbeam_channel::{Receiver, Sender};
    use std::hint::black_box;
    use std::thread::scope;
    use std::time::Instant;

    const ROUNDS: usize = 15;
    const ITEMS: usize = 400_000;
    const TRIPS: usize = 2_000;
    const ROOM: Option<usize> = Some(1024);

    /// What both of them can do.
    trait Line: Sync {
        fn put(&self, item: usize);
        fn get(&self) -> usize;
    }

    struct Ours(Queue<usize>);
    struct Theirs(Sender<usize>, Receiver<usize>);

    impl Line for Ours {
        fn put(&self, item: usize) {
            self.0.put(item, None).unwrap();
        }

        fn get(&self) -> usize {
            self.0.get(None).unwrap()
        }
    }

    impl Line for Theirs {
        fn put(&self, item: usize) {
            self.0.send(item).unwrap();
        }

        fn get(&self) -> usize {
            self.1.recv().unwrap()
        }
    }

    fn ours(capacity: Option<usize>) -> Ours {
        Ours(Queue::fifo(capacity))
    }

    fn theirs(capacity: Option<usize>) -> Theirs {
        let (sender, receiver) =
            capacity.map_or_else(crossbeam_channel::unbounded, crossbeam_channel::bounded);
        Theirs(sender, receiver)
    }

    pub(super) fn main() {
        println!("median of {ROUNDS} interleaved rounds: ours, crossbeam-channel, ours / theirs");
        for (name, capacity) in [("bounded", ROOM), ("unbounded", None)] {
            let alone = |line: &dyn Line| alone(line);
            compare(&format!("{name}, one thread, million/s"), capacity, alone);
            for pairs in [1, 4] {
                let name = format!("{name}, {pairs} x {pairs}, million/s");
                compare(&name, capacity, |line| many(line, pairs));
            }
        }
        trips();
    }

    fn compare(what: &str, capacity: Option<usize>, measure: impl Fn(&dyn Line) -> f64) {
        let mut found = [vec![], vec![]];
        for _ in 0..ROUNDS {
            found[0].push(measure(&ours(capacity)));
            found[1].push(measure(&theirs(capacity)));
        }
        show(what, found);
    }

    fn show(what: &str, found: [Vec<f64>; 2]) {
        let [ours, theirs] = found.map(median);
        println!("{what:<36} {ours:8.2} {theirs:8.2} {:8.2}", ours / theirs);
    }

    fn median(mut values: Vec<f64>) -> f64 {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    fn million_per_second(run: impl FnOnce()) -> f64 {
        let begin = Instant::now();
        run();
        ITEMS as f64 / begin.elapsed().as_secs_f64() / 1e6
    }

    fn take(line: &dyn Line, count: usize) {
        for _ in 0..count {
            black_box(line.get());
        }
    }

    /// Puts some and takes them again.
    fn alone(line: &dyn Line) -> f64 {
        million_per_second(|| {
            for _ in 0..ITEMS / 100 {
                (0..100).for_each(|item| line.put(item));
                take(line, 100);
            }
        })
    }

    fn many(line: &dyn Line, pairs: usize) -> f64 {
        million_per_second(|| {
            scope(|scope| {
                for _ in 0..pairs {
                    scope.spawn(|| (0..ITEMS / pairs).for_each(|item| line.put(item)));
                    scope.spawn(|| take(line, ITEMS / pairs));
                }
            });
        })
    }

    /// There and back, between two threads.
    fn trips() {
        let mut found = [vec![], vec![]];
        for _ in 0..ROUNDS {
            found[0].push(trip(&ours(ROOM), &ours(ROOM)));
            found[1].push(trip(&theirs(ROOM), &theirs(ROOM)));
        }
        show("there and back, µs", found);
    }

    fn trip(there: &dyn Line, back: &dyn Line) -> f64 {
        scope(|scope| {
            scope.spawn(|| (0..TRIPS).for_each(|_| back.put(there.get())));
            let begin = Instant::now();
            (0..TRIPS).for_each(|item| {
                there.put(item);
                black_box(back.get());
            });
            begin.elapsed().as_secs_f64() * 1e6 / TRIPS as f64
        })
    }
}
