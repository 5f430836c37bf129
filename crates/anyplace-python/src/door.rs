//! The one door between Python and whatever waits: it lets go of the interpreter's lock and hears Ctrl-C.

use crate::{frame, gil};
use anyplace_sync::ground::{Ground, Turn};
use pyo3::prelude::*;
use std::time::{Duration, Instant};

/// How long a Ctrl-C may go unheard.
const LISTEN: Duration = Duration::from_millis(50);
/// The interpreter tells its main thread of signals, which is the process's unless Python was started in another way. So
/// all other threads look up rarely, and many that wait cost nothing.
const LISTEN_ELSEWHERE: Duration = Duration::from_secs(1);

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
    let mut ear = Ear::new(deadline);
    loop {
        let until = ear.until();
        if gil::without(py, || arrived(until)) {
            return Ok(true);
        }
        if !ear.listen(py)? {
            return Ok(false);
        }
    }
}

/// As [`wait`], in the line of a shared object: `attempt` is a call of the object's that takes a turn. What it gives, or
/// nothing if `deadline` came first; then the turn still stands in the line.
///
/// Who waits so long that somebody may ask why, tells where in the program it does.
pub(crate) fn stand<'g, G: Ground, R: Send>(
    py: Python<'_>,
    turn: &mut Turn<'g, G>,
    deadline: Option<Instant>,
    mut attempt: impl FnMut(&mut Turn<'g, G>, Option<Instant>) -> Option<R> + Send,
) -> PyResult<Option<R>> {
    let mut ear = Ear::new(deadline);
    loop {
        let until = ear.until();
        let found = gil::without(py, || attempt(turn, Some(until)));
        if found.is_some() || !ear.listen(py)? {
            return Ok(found);
        }
        turn.label(0, frame::here(py));
    }
}

/// Does something short that may need a thread which wants the lock.
pub(crate) fn pass<R: Send>(py: Python<'_>, work: impl FnOnce() -> R + Send) -> R {
    gil::without(py, work)
}

/// Interrupts a wait now and then, to listen for signals.
struct Ear {
    deadline: Option<Instant>,
    interval: Duration,
}

impl Ear {
    fn new(deadline: Option<Instant>) -> Self {
        Self { deadline, interval: LISTEN }
    }

    /// When to listen next.
    fn until(&self) -> Instant {
        let listen = Instant::now() + self.interval;
        self.deadline.map_or(listen, |deadline| deadline.min(listen))
    }

    /// Runs the handlers of signals that came; false if the wait is over.
    fn listen(&mut self, py: Python<'_>) -> PyResult<bool> {
        py.check_signals()?;
        self.interval = if is_main_thread() { LISTEN } else { LISTEN_ELSEWHERE };
        Ok(self.deadline.is_none_or(|deadline| Instant::now() < deadline))
    }
}

#[cfg(target_os = "linux")]
fn is_main_thread() -> bool {
    rustix::thread::gettid() == rustix::process::getpid()
}

#[cfg(not(target_os = "linux"))]
fn is_main_thread() -> bool {
    true
}
