//! A task that fails at first and succeeds when it is tried again; the layer stands in the address.
#![allow(clippy::print_stdout)] // A program's printing is its result.

/// Fails on the first attempt, as a busy server would.
fn flaky(name: &str) -> String {
    let attempt = anyplace::current().map_or(1, |context| context.attempt);
    assert!(attempt > 1, "busy");
    format!("{name} arrived")
}

fn main() -> anyplace::Result<()> {
    let place = anyplace::open("retry=2::threads:2")?;
    for line in place.map(flaky, ["one", "two", "three"])?.idempotent() {
        println!("{}", line?);
    }
    Ok(())
}
