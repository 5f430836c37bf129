//! The one door between Python and whatever waits: it lets go of the interpreter's lock and hears Ctrl-C.

use crate::{frame, gil};
use anyplace_sync::ending_at_signals;
use anyplace_sync::ground::{self, Ground, Turn};
use pyo3::prelude::*;
use std::time::{Duration, Instant};

/// How long a Ctrl-C may go unheard.
const LISTEN: Duration = Duration::from_millis(50);
/// The same where a signal ends the sleep by itself, and only one is missed that comes microseconds before.
const LISTEN_AGAIN: Duration = Duration::from_millis(150);
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

/// Waits without the lock until `attempt`, which waits until the deadline it is given, gives something; nothing if
/// `deadline` came first.
///
/// It has to sleep as [`anyplace_sync`] does: there a signal [ends](ending_at_signals) the wait, so the main thread needs
/// to look up for those only that come just before it sleeps. Who waits so long that somebody may ask why is told
/// to `tell` it.
///
/// # Errors
/// As [`wait`].
pub(crate) fn attend<W: Send, R: Send>(
    py: Python<'_>,
    deadline: Option<Instant>,
    waiting: &mut W,
    mut attempt: impl FnMut(&mut W, Instant) -> Option<R> + Send,
    tell: impl Fn(&mut W),
) -> PyResult<Option<R>> {
    let mut ear = Ear::new(deadline).quick();
    loop {
        let until = ear.until();
        let found = gil::without(py, || ending_at_signals(|| attempt(waiting, until)));
        if found.is_some() || !ear.listen(py)? {
            return Ok(found);
        }
        tell(waiting);
    }
}

/// As [`attend`], in the line of a shared object: `attempt` is a call of the object's that takes a turn. If `deadline` came
/// first, the turn still stands in the line.
pub(crate) fn stand<'g, G: Ground, R: Send>(
    py: Python<'_>,
    turn: &mut Turn<'g, G>,
    deadline: Option<Instant>,
    mut attempt: impl FnMut(&mut Turn<'g, G>, Option<Instant>) -> Option<R> + Send,
) -> PyResult<Option<R>> {
    let tell = |turn: &mut Turn<'g, G>| turn.label(0, frame::here(py));
    attend(py, deadline, turn, |turn, until| attempt(turn, Some(until)), tell)
}

/// Does something short that may need a thread which wants the lock.
pub(crate) fn pass<R: Send>(py: Python<'_>, work: impl FnOnce() -> R + Send) -> R {
    gil::without(py, work)
}

/// Interrupts a wait now and then, to listen for signals.
struct Ear {
    deadline: Option<Instant>,
    began: Instant,
    interval: Duration,
    /// Whether a signal interrupts the wait by itself.
    is_quick: bool,
}

impl Ear {
    fn new(deadline: Option<Instant>) -> Self {
        Self { deadline, began: Instant::now(), interval: LISTEN, is_quick: false }
    }

    /// For a wait that a signal interrupts by itself, where the system can do that.
    fn quick(self) -> Self {
        Self { is_quick: cfg!(target_os = "linux"), ..self }
    }

    /// When to listen next.
    fn until(&self) -> Instant {
        let listen = Instant::now() + self.interval;
        self.deadline.map_or(listen, |deadline| deadline.min(listen))
    }

    /// Runs the handlers of signals that came; false if the wait is over.
    fn listen(&mut self, py: Python<'_>) -> PyResult<bool> {
        py.check_signals()?;
        self.interval = self.next_interval();
        Ok(self.deadline.is_none_or(|deadline| Instant::now() < deadline))
    }

    /// A signal that comes between a look and the sleep, or to another thread, interrupts nothing: that is heard after an
    /// eighth of the time that the wait has taken by then.
    fn next_interval(&self) -> Duration {
        if !is_main_thread() {
            LISTEN_ELSEWHERE
        } else if self.is_quick {
            (self.began.elapsed() / 8).clamp(LISTEN_AGAIN, LISTEN_ELSEWHERE)
        } else {
            LISTEN
        }
    }
}

#[cfg(target_os = "linux")]
fn is_main_thread() -> bool {
    ground::thread() == std::process::id()
}

#[cfg(not(target_os = "linux"))]
fn is_main_thread() -> bool {
    true
}
