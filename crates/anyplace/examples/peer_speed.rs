//! How quickly tasks go through a place that another process offers: `cargo run --release --example peer_speed -- tcp:`
#![allow(clippy::print_stdout, reason = "an example that prints what it measures")]

use std::time::Instant;

#[anyplace::task]
fn nothing(n: u64) -> u64 {
    n
}

fn main() -> anyplace::Result<()> {
    anyplace::init();
    let folder = tempfile::tempdir()?;
    let endpoint = match std::env::args().nth(1).as_deref() {
        Some("tcp:") => "tcp://127.0.0.1:0".to_owned(),
        _ => format!("unix:{}", folder.path().join("s").display()),
    };
    let offer = anyplace::open("processes:2")?.offer(&endpoint)?;
    let began = Instant::now();
    let place = anyplace::open(offer.address())?;
    println!("open {:?}", began.elapsed());
    place.submit(nothing, 1)?.wait()?;
    let began = Instant::now();
    for n in 0..2000 {
        place.submit(nothing, n)?.wait()?;
    }
    println!("round trip {:?}", began.elapsed() / 2000);
    for count in [10_000_u32, 100_000] {
        let began = Instant::now();
        let handles: Vec<_> =
            (0..count).map(|n| place.submit(nothing, u64::from(n))).collect::<Result<_, _>>()?;
        let submitted = began.elapsed();
        for handle in handles {
            handle.wait()?;
        }
        println!(
            "{count} tasks {:?} each, submitted in {submitted:?}, {:.0}/s",
            began.elapsed() / count,
            f64::from(count) / began.elapsed().as_secs_f64()
        );
    }
    let began = Instant::now();
    let sum: u64 = place.map(nothing, 0..1_000_000_u64)?.map(|n| n.unwrap_or(0)).sum();
    println!("map of 1M: {:.0}/s, {sum}", 1e6 / began.elapsed().as_secs_f64());
    let began = Instant::now();
    place.close()?;
    println!("close {:?}", began.elapsed());
    Ok(())
}
