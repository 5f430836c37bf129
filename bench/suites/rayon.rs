//! `map` on threads against rayon's `par_iter`, by the cost of an item.

use crate::Result;
use crate::effort::Effort;
use crate::record::Record;
use anyplace::Place;
use rayon::prelude::*;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// What an item costs, and its name. All items of a case take about as long together.
const GRAINS: &[(&str, Duration)] = &[
    ("items of 100 ns", Duration::from_nanos(100)),
    ("items of 1 us", Duration::from_micros(1)),
    ("items of 10 us", Duration::from_micros(10)),
    ("items of 100 us", Duration::from_micros(100)),
    ("items of 1 ms", Duration::from_millis(1)),
];

const TOGETHER: Duration = Duration::from_millis(300);

struct Peers {
    place: Place,
    rayon: rayon::ThreadPool,
}

pub(crate) fn run(effort: Effort, record: &mut Record) -> Result<()> {
    let threads = anyplace::usable_cores();
    let place = anyplace::open(format!("threads:{threads}").as_str()).map_err(|error| error.to_string())?;
    let rayon =
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|error| error.to_string())?;
    let peers = Peers { place, rayon };
    let turns = turns_per_micro();
    for (name, cost) in GRAINS {
        let items = effort.items((TOGETHER.as_nanos() / cost.as_nanos()) as usize);
        let each = (turns * cost.as_secs_f64() * 1e6).max(1.0) as u64;
        for _ in 0..effort.rounds() {
            record.add(name, "anyplace", ours(&peers, items, each)?, "ms");
            record.add(name, "rayon", theirs(&peers, items, each), "ms");
        }
    }
    Ok(())
}

/// Work that the processor cannot shorten: each turn needs the one before.
fn work(item: u64, turns: u64) -> u64 {
    (0..turns).fold(item, |value, _| black_box(value.wrapping_mul(0x9E37_79B9).rotate_left(7)))
}

/// How many turns of [`work`] take a microsecond.
fn turns_per_micro() -> f64 {
    const TURNS: u64 = 5_000_000;
    let began = Instant::now();
    black_box(work(1, TURNS));
    TURNS as f64 / (began.elapsed().as_secs_f64() * 1e6)
}

fn ours(peers: &Peers, items: usize, turns: u64) -> Result<f64> {
    let began = Instant::now();
    let results = peers.place.map(move |item: u64| work(item, turns), 0..items as u64);
    let results: std::result::Result<Vec<u64>, _> = results.and_then(Iterator::collect);
    let results = results.map_err(|error| error.to_string())?;
    black_box(results);
    Ok(began.elapsed().as_secs_f64() * 1e3)
}

fn theirs(peers: &Peers, items: usize, turns: u64) -> f64 {
    let began = Instant::now();
    let map = || (0..items as u64).into_par_iter().map(|item| work(item, turns)).collect::<Vec<u64>>();
    black_box(peers.rayon.install(map));
    began.elapsed().as_secs_f64() * 1e3
}
