//! What a call to another process costs from Rust: `cargo run --release --package bench --bin calls`.
//!
//! There is no peer that does the same, so it is no suite: numbers of one machine, each the median of five runs.
#![allow(clippy::print_stdout)] // It is a program whose result is what it prints.

use anyplace::Place;
use std::time::Instant;

const CALLS: u64 = 20_000;
const MANY: u64 = 200_000;
const ITEMS: u64 = 5_000_000;

#[anyplace::task]
fn same(number: u64) -> u64 {
    number
}

fn main() -> anyplace::Result<()> {
    anyplace::init();
    for workers in [1, 2, 4] {
        let opened = Instant::now();
        let place = anyplace::open(format!("processes:{workers}").as_str())?;
        place.submit(same, 0)?.wait()?;
        println!("{workers} workers: first result after {:.1} ms", opened.elapsed().as_secs_f64() * 1e3);
        let rounds = (0..5).map(|_| Ok([round_trip(&place)?, submitted(&place)?, mapped(&place)?]));
        let rounds: Vec<[f64; 3]> = rounds.collect::<anyplace::Result<_>>()?;
        let of = |which: usize| median(rounds.iter().map(|round| round[which]).collect());
        println!("  round trip {:.2} us, submit and collect {:.0} k/s, map {:.1} M/s", of(0), of(1), of(2));
        place.close()?;
    }
    Ok(())
}

/// The median time of one call after the other, in microseconds.
fn round_trip(place: &Place) -> anyplace::Result<f64> {
    let mut times = Vec::with_capacity(CALLS as usize);
    for number in 0..CALLS {
        let begun = Instant::now();
        place.submit(same, number)?.wait()?;
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    Ok(median(times))
}

/// Thousands of calls a second, all submitted first and then collected.
fn submitted(place: &Place) -> anyplace::Result<f64> {
    let begun = Instant::now();
    let handles: Vec<_> = (0..MANY).map(|number| place.submit(same, number)).collect::<Result<_, _>>()?;
    for (number, handle) in (0..).zip(handles) {
        assert_eq!(handle.wait()?, number);
    }
    Ok(MANY as f64 / begun.elapsed().as_secs_f64() / 1e3)
}

/// Millions of items a second.
fn mapped(place: &Place) -> anyplace::Result<f64> {
    let begun = Instant::now();
    let sum = place.map(same, 0..ITEMS)?.try_fold(0, |sum, item| item.map(|item| sum + item))?;
    assert_eq!(sum, ITEMS * (ITEMS - 1) / 2);
    Ok(ITEMS as f64 / begun.elapsed().as_secs_f64() / 1e6)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
