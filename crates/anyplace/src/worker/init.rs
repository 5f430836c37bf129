//! How a program becomes its own worker.

use super::named::NamedTasks;
use super::serve;
use std::sync::atomic::{AtomicBool, Ordering};

/// The first argument of a program that was started as a worker. An argument, because the environment would be
/// passed on to whatever the worker starts.
pub(crate) const MARKER: &str = "--anyplace-worker-process";

static INITIALISED: AtomicBool = AtomicBool::new(false);

/// Lets this program be started again as a worker: the first line of `main` in programs that run
/// `#[anyplace::task]` functions in `processes:`.
///
/// In the program that a person started it returns at once. In a worker process it runs tasks until the place is
/// closed, and never returns.
///
/// ```standalone_crate
/// #[anyplace::task]
/// fn area(radius: f64) -> f64 {
///     radius * radius * std::f64::consts::PI
/// }
///
/// fn main() -> anyplace::Result<()> {
///     anyplace::init();
///     let place = anyplace::open("processes:2")?;
///     let areas: Vec<f64> = place.map(area, [1.0, 2.0, 3.0])?.collect::<Result<_, _>>()?;
///     assert_eq!(areas[1], area(2.0));
///     place.close()
/// }
/// ```
pub fn init() {
    // In a worker too: its tasks may open places of their own.
    INITIALISED.store(true, Ordering::Release);
    if std::env::args_os().nth(1).is_some_and(|argument| argument == MARKER) {
        std::process::exit(serve(|_| NamedTasks::default()));
    }
}

/// Whether this program can be its own worker.
pub(crate) fn is_initialised() -> bool {
    INITIALISED.load(Ordering::Acquire)
}
