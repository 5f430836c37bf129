//! Estimates π by throwing darts at a square, on all cores. The same darts fly on every place.
#![allow(clippy::print_stdout)] // A program's printing is its result.

const THROWS: u64 = 200_000;
const BATCHES: u64 = 50;

/// Counts the throws that land in the quarter circle.
fn hits(throws: u64) -> u64 {
    let mut state = anyplace::current().map_or(1, |context| context.seed());
    let mut dart = || (next(&mut state), next(&mut state));
    (0..throws).map(|_| dart()).filter(|(x, y)| x * x + y * y <= 1.0).count() as u64
}

/// A number between 0 and 1: xorshift64* (Vigna 2016).
fn next(state: &mut u64) -> f64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
}

fn main() -> anyplace::Result<()> {
    let place = anyplace::open("threads:?seed=2026")?;
    let counts = place.map(hits, vec![THROWS; BATCHES as usize])?;
    let inside = counts.sum::<anyplace::Result<u64>>()?;
    println!("pi is about {:.2}", 4.0 * inside as f64 / (THROWS * BATCHES) as f64);
    Ok(())
}
