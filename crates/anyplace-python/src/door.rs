//! The one door between Python and whatever waits: it lets go of the interpreter's lock and hears Ctrl-C.

use crate::gil;
use pyo3::prelude::*;
use std::time::{Duration, Instant};

/// How long a Ctrl-C may go unheard.
const LISTEN: Duration = Duration::from_millis(50);

/// Waits without the lock until `arrived`, which waits until the deadline it is given, says so; false if `deadline`
/// came first.
///
/// # Errors
/// What a signal's handler raises: `KeyboardInterrupt` after Ctrl-C.
pub(crate) fn wait(
    py: Python<'_>,
    deadline: Option<Instant>,
    mut arrived: impl FnMut(Instant) -> bool + Send,
) -> PyResult<bool> {
    loop {
        let listen = Instant::now() + LISTEN;
        let until = deadline.map_or(listen, |deadline| deadline.min(listen));
        if gil::without(py, || arrived(until)) {
            return Ok(true);
        }
        py.check_signals()?;
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Ok(false);
        }
    }
}

/// Does something short that may need a thread which wants the lock.
pub(crate) fn pass<R: Send>(py: Python<'_>, work: impl FnOnce() -> R + Send) -> R {
    gil::without(py, work)
}
