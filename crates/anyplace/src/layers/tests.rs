//! What the layers promise, on places of this process and on drivers made for the test.

mod drivers;
mod limit;
mod order;
mod progress;
mod retry;
mod timeout;

use crate::error::{Error, Result};
use crate::place::Place;
use std::time::Duration;

/// Longer than any test runs: a wait that must be cut short.
const NEVER: Duration = Duration::from_secs(3600);

fn open(address: &str) -> Result<Place> {
    crate::open(address)
}

/// The error of opening this address.
fn refusal(address: &str) -> Error {
    open(address).expect_err(address)
}
