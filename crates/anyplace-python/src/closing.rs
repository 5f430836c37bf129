//! Closing places: in a thread of its own, so that neither the collector nor Ctrl-C ever waits for a task.

use crate::making::Making;
use crate::{door, error, gil};
use anyplace_sync::Latch;
use pyo3::prelude::*;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

static NEXT: AtomicU64 = AtomicU64::new(0);
static PLACES: Mutex<Option<HashMap<u64, Entry>>> = Mutex::new(None);

/// A place that the end of the interpreter has to wait for.
struct Entry {
    place: anyplace::Place,
    making: Arc<Making>,
    closing: Option<Arc<Closing>>,
}

/// A place on its way out.
pub(crate) struct Closing {
    over: Latch,
    result: OnceLock<anyplace::Result<()>>,
}

/// Remembers an open place, under the number that is returned.
pub(crate) fn register(place: anyplace::Place, making: Arc<Making>) -> u64 {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    places().get_or_insert_default().insert(number, Entry { place, making, closing: None });
    number
}

/// Starts to close the place, unless that has begun. It takes no more tasks when this returns.
///
/// `None` if it is closed.
pub(crate) fn start(number: u64, grace: Duration) -> Option<Arc<Closing>> {
    let mut places = places();
    let entry = places.as_mut()?.get_mut(&number)?;
    entry.place.refuse();
    if let Some(closing) = entry.closing.clone() {
        let place = entry.place.clone();
        drop(places);
        if grace.is_zero() {
            hurry(place);
        }
        return Some(closing);
    }
    let closing = Arc::new(Closing { over: Latch::new(), result: OnceLock::new() });
    entry.closing = Some(closing.clone());
    let (place, making, told) = (entry.place.clone(), entry.making.clone(), closing.clone());
    drop(places);
    let close = move || {
        drop(told.result.set(place.close_within(grace)));
        making.close();
        let gone = self::places().as_mut().and_then(|places| places.remove(&number));
        drop((gone, place, making));
        told.over.set();
    };
    std::thread::Builder::new()
        .name("anyplace-close".into())
        .spawn(close)
        .map_or_else(|error| drop(closing.result.set(Err(error.into()))), drop);
    Some(closing)
}

/// Whoever began to close the place waits for what runs: somebody else will not.
fn hurry(place: anyplace::Place) {
    let end = move || drop(place.close_within(Duration::ZERO));
    // Without a thread, the other goes on waiting.
    drop(std::thread::Builder::new().name("anyplace-close".into()).spawn(end));
}

impl Closing {
    /// Waits until the place is gone.
    pub(crate) fn wait(&self, py: Python<'_>) -> PyResult<()> {
        door::wait(py, None, |until| {
            self.result.get().is_some_and(Result::is_err) || self.over.wait(Some(until))
        })?;
        match self.result.get() {
            Some(Err(error)) => Err(error::to_python(py, error)),
            _ => Ok(()),
        }
    }
}

/// Closes every place that is still open, and waits for them: the interpreter is about to end. After Ctrl-C what has
/// not begun is cancelled, and what runs is ended where the place can.
#[pyfunction]
pub(crate) fn close_all(py: Python<'_>, is_interrupted: bool) -> PyResult<()> {
    let closed = close_each(py, is_interrupted);
    // Also after an impatient Ctrl-C: a thread that still runs must not ask for the lock of what is gone.
    gil::end();
    closed
}

fn close_each(py: Python<'_>, is_interrupted: bool) -> PyResult<()> {
    let grace = if is_interrupted { Duration::ZERO } else { Duration::MAX };
    loop {
        let number = places().as_ref().and_then(|places| places.keys().next().copied());
        let Some(number) = number else { return Ok(()) };
        if is_interrupted {
            cancel(py, number);
        }
        if let Some(closing) = start(number, grace) {
            closing.wait(py)?;
        }
    }
}

fn cancel(py: Python<'_>, number: u64) {
    let place = places().as_ref().and_then(|places| places.get(&number).map(|entry| entry.place.clone()));
    if let Some(place) = place {
        door::pass(py, || place.cancel());
    }
}

/// Forgets all places without closing them: their threads stayed in the parent of a fork.
pub(crate) fn forget() {
    // The parent may have held the lock when it forked; then the child leaks what it guards.
    if let Ok(mut places) = PLACES.try_lock() {
        std::mem::forget(places.take());
    }
}

fn places() -> MutexGuard<'static, Option<HashMap<u64, Entry>>> {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}
