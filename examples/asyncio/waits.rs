//! Ten thousand waits at once on an event loop.
#![allow(clippy::print_stdout)] // A program's printing is its result.

use std::time::Duration;

/// Waits as for a distant server.
async fn answer(number: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(10)).await;
    number
}

fn main() -> anyplace::Result<()> {
    let place = anyplace::open("async:10000")?;
    let handles: Vec<_> =
        (0..10_000).map(|number| place.spawn(answer(number))).collect::<anyplace::Result<_>>()?;
    let last = place.spawn(answer(41))?;
    let total: u64 = handles.into_iter().map(anyplace::Handle::wait).sum::<anyplace::Result<u64>>()?;
    println!("the answers add up to {total}, the last one is {}", last.wait()?);
    Ok(())
}
