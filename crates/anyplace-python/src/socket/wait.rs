//! Waiting for a socket: a step is tried, and tried again when the descriptor is ready.
//!
//! A descriptor without time-out is a blocking one, as in the standard library: programs hand it to others, who rely on
//! that. Our own calls do not block in it. They ask for a step that does not wait (`MSG_DONTWAIT`), and wait by the door,
//! in `poll`, where a Ctrl-C and a `close` by another thread are heard.
//!
//! A short step is taken without letting go of the interpreter's lock: it takes a microsecond or two, and who lets go of
//! the lock beside a thread that computes gets it back after five milliseconds.

use super::hope::Hope;
use super::patience::Patience;
use super::raised::{raised, timed_out};
use super::sys::{self, Fd};
use crate::{door, gil};
use pyo3::prelude::*;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Instant;

/// From so many bytes on, other threads may run Python while a step is taken.
pub(super) const LONG: usize = 64 << 10;

/// What is soon, in milliseconds: for so long a signal that comes in the moment before the wait may go unheard.
const SOON: i32 = 100;

/// What a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    Readable,
    Writable,
}

impl Until {
    fn events(self) -> i16 {
        match self {
            Self::Readable => libc::POLLIN,
            Self::Writable => libc::POLLOUT,
        }
    }
}

/// How a step begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// At once, with the interpreter's lock: the step is short and never waits.
    Short,
    /// At once, without the lock: the step never waits.
    Long,
    /// When the descriptor is ready: else the step would wait in the system.
    WhenReady,
    /// At once, without the lock: the step waits in the system, which knows best when it can go on.
    Blocking,
}

/// As [`take`], for a step that others like it foretell.
pub(super) fn take_hoping<R: Send>(
    py: Python<'_>,
    fd: &AtomicI32,
    hope: &Hope,
    (until, begin, patience): (Until, Begin, Patience),
    mut step: impl FnMut(Fd) -> io::Result<R> + Send,
) -> PyResult<R> {
    if begin != Begin::Short || patience == Patience::Not {
        return take(py, fd, (until, begin, patience), step);
    }
    if hope.lives() {
        match tell(step(now(fd)), patience) {
            Some(taken) => return taken.map_err(|error| raised(py, &error)),
            None => hope.lose(),
        }
    }
    take(py, fd, (until, Begin::WhenReady, patience), step)
}

/// Takes a step of a socket, waiting as its patience allows.
///
/// # Errors
/// `OSError`; `TimeoutError`; what a signal's handler raises.
pub(super) fn take<R: Send>(
    py: Python<'_>,
    fd: &AtomicI32,
    (until, begin, patience): (Until, Begin, Patience),
    mut step: impl FnMut(Fd) -> io::Result<R> + Send,
) -> PyResult<R> {
    let tried = match begin {
        Begin::Short => tell(step(now(fd)), patience),
        Begin::Long => gil::without(py, || tell(step(now(fd)), patience)),
        Begin::Blocking => return blocking(py, fd, step),
        Begin::WhenReady if patience == Patience::Not => tell(step(now(fd)), patience),
        Begin::WhenReady => None,
    };
    // All waits of this call have one end.
    let patience = if tried.is_none() { patience.in_all() } else { patience };
    let soon = match tried {
        Some(taken) => Some(taken),
        None => soon(py, fd, until, patience, &mut step)?,
    };
    let taken = match soon {
        Some(taken) => Some(taken),
        None => late(py, fd, until, patience, &mut step)?,
    };
    taken.ok_or_else(timed_out)?.map_err(|error| raised(py, &error))
}

/// Takes it if the descriptor is ready soon. Most are, and without time-out that costs no look at a clock.
fn soon<R: Send>(
    py: Python<'_>,
    fd: &AtomicI32,
    until: Until,
    patience: Patience,
    step: &mut (impl FnMut(Fd) -> io::Result<R> + Send),
) -> PyResult<Option<io::Result<R>>> {
    let most = patience.milliseconds().unwrap_or(SOON).min(SOON);
    let taken = gil::without(py, || match sys::poll(now(fd), until.events(), most) {
        Ok(true) => Some(step(now(fd))).filter(|taken| !taken.as_ref().is_err_and(is_not_yet)),
        _ => None,
    });
    if taken.is_none() {
        py.check_signals()?;
    }
    Ok(taken)
}

/// Takes it whenever the descriptor is ready, however long that takes.
fn late<R: Send>(
    py: Python<'_>,
    fd: &AtomicI32,
    until: Until,
    patience: Patience,
    step: &mut (impl FnMut(Fd) -> io::Result<R> + Send),
) -> PyResult<Option<io::Result<R>>> {
    let deadline = patience.deadline();
    door::attend(py, deadline, step, |step, end| again(fd, until, end, step), |_| ())
}

/// Takes it when the descriptor is ready; nothing if `end` or a signal came first.
fn again<R>(
    fd: &AtomicI32,
    until: Until,
    end: Instant,
    step: &mut impl FnMut(Fd) -> io::Result<R>,
) -> Option<io::Result<R>> {
    loop {
        match ready(now(fd), until, end) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(Err(error)),
        }
        match step(now(fd)) {
            Err(error) if is_not_yet(&error) => {}
            taken => return Some(taken),
        }
    }
}

/// Takes it as often as signals interrupt it.
fn blocking<R: Send>(
    py: Python<'_>,
    fd: &AtomicI32,
    mut step: impl FnMut(Fd) -> io::Result<R> + Send,
) -> PyResult<R> {
    loop {
        match gil::without(py, || step(now(fd))) {
            Err(error) if error.kind() == ErrorKind::Interrupted => py.check_signals()?,
            taken => return taken.map_err(|error| raised(py, &error)),
        }
    }
}

/// Waits until a socket is ready, and nothing else.
pub(super) fn attend(py: Python<'_>, fd: &AtomicI32, until: Until, patience: Patience) -> PyResult<()> {
    take(py, fd, (until, Begin::WhenReady, patience), |_| Ok(()))
}

/// What a first try came to; nothing if there is to be another.
fn tell<R>(tried: io::Result<R>, patience: Patience) -> Option<io::Result<R>> {
    match tried {
        Err(error) if error.kind() == ErrorKind::Interrupted => None,
        Err(error) if is_not_yet(&error) && patience != Patience::Not => None,
        taken => Some(taken),
    }
}

fn is_not_yet(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

fn now(fd: &AtomicI32) -> Fd {
    fd.load(Ordering::Relaxed)
}

/// False if `end` came first, or a signal that this thread waits for. One that was closed is ready: the step says what it is.
fn ready(fd: Fd, until: Until, end: Instant) -> io::Result<bool> {
    loop {
        if fd < 0 {
            return Ok(true);
        }
        match sys::poll(fd, until.events(), milliseconds(end)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                if anyplace_sync::signal_came() {
                    return Ok(false);
                }
            }
            found => return found,
        }
    }
}

/// What is left until `end`, rounded up.
fn milliseconds(end: Instant) -> i32 {
    let left = end.saturating_duration_since(Instant::now());
    i32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(i32::MAX)
}
