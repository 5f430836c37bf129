//! A [`Waiting`]: one operation that may have to wait, and every way to wait for it.

use super::site::Site;
use super::{task, watch};
use crate::error::Result;
use anyplace_sync::ground;
use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// A thread's place in the line of an object.
pub(super) type Turn<'a> = ground::Turn<'a, Site>;

/// A time that is over.
static OVER: LazyLock<Instant> = LazyLock::new(Instant::now);

/// One operation that may have to wait: stepped, waited for, or awaited.
///
/// It stands in line from the first look that was in vain, and leaves the line when it is dropped. What it gives, it gives
/// once.
///
/// ```
/// use anyplace::share::Wait;
/// use std::time::Duration;
///
/// let place = anyplace::open("threads:2")?;
/// let door = place.lock("door")?;
/// let held = door.acquire()?;
/// assert!(door.acquiring().within(Duration::from_millis(1))?.is_none());
/// drop(held);
/// assert!(door.acquiring().now()?.is_some());
/// # Ok::<(), anyplace::Error>(())
/// ```
pub trait Wait: Future<Output = Result<Self::Given>> + Send + Sized {
    /// What it waits for.
    type Given;

    /// Waits until `until`, or for as long as it takes; `None` if that came first. The next call goes on from the same
    /// place in the line.
    ///
    /// # Errors
    /// Those of the operation; `PlaceClosed` as soon as the place is closed.
    fn until(&mut self, until: Option<Instant>) -> Result<Option<Self::Given>>;

    /// Waits for as long as it takes.
    ///
    /// # Errors
    /// As [`until`](Self::until).
    fn wait(mut self) -> Result<Self::Given> {
        loop {
            if let Some(given) = self.until(None)? {
                return Ok(given);
            }
        }
    }

    /// Waits for at most `limit`; `None` if that was not enough.
    ///
    /// # Errors
    /// As [`until`](Self::until).
    fn within(mut self, limit: Duration) -> Result<Option<Self::Given>> {
        // A time that no clock reaches has no end.
        match self.until(Instant::now().checked_add(limit))? {
            Some(given) => Ok(Some(given)),
            None => self.give_up(),
        }
    }

    /// Leaves the line when one's time is over. Of a place that is reached through a socket, something may be on its way just
    /// then: this waits until that is decided, and gives it. Who merely drops the wait gives it back.
    ///
    /// # Errors
    /// As [`until`](Self::until).
    fn give_up(self) -> Result<Option<Self::Given>> {
        Ok(None)
    }

    /// Looks once, and does not wait.
    ///
    /// # Errors
    /// As [`until`](Self::until).
    fn now(mut self) -> Result<Option<Self::Given>> {
        self.look()
    }

    /// As [`now`](Self::now), for those who may wait afterwards.
    ///
    /// # Errors
    /// As [`until`](Self::until).
    fn look(&mut self) -> Result<Option<Self::Given>> {
        self.until(Some(*OVER))
    }

    /// Says from which line of a program of another language it waits, for [`Place::why`](crate::Place::why).
    fn on_line(&mut self, line: impl Into<String>);
}

/// An operation on an object of a site, and its place in the line. `attempt` gives `None` when it is time to stop.
pub(super) struct Waiting<'a, F> {
    turn: Turn<'a>,
    attempt: F,
    line: Line,
    /// By what a future that waits is known to the thread that wakes it.
    watched: Option<u32>,
}

/// From where in a program somebody waits.
enum Line {
    Rust(&'static Location<'static>),
    Other(String),
}

impl<'a, F> Waiting<'a, F> {
    /// In the line of whoever calls it.
    #[track_caller]
    pub(super) fn new<R>(site: &'a Site, attempt: F) -> Self
    where
        F: FnMut(&mut Turn<'a>, Option<Instant>) -> Result<Option<R>>,
    {
        Self { turn: Turn::new(site), attempt, line: Line::Rust(Location::caller()), watched: None }
    }

    fn forget(&mut self) {
        self.watched.take().into_iter().for_each(|number| self.turn.ground().listener().watch.forget(number));
    }
}

impl<'a, F> Waiting<'a, F> {
    /// In line already: `join` sees to it.
    pub(super) fn standing(mut self, join: impl FnOnce(&mut Turn<'a>)) -> Self {
        self.turn.label(task::current(), self.line.to_string());
        join(&mut self.turn);
        self
    }
}

impl<'a, F, R> Waiting<'a, F>
where
    F: FnMut(&mut Turn<'a>, Option<Instant>) -> Result<Option<R>>,
{
    fn attempt(&mut self, until: Option<Instant>) -> Result<Option<R>> {
        let given = (self.attempt)(&mut self.turn, until)?;
        if given.is_none() {
            self.turn.ground().check_open()?;
        }
        Ok(given)
    }

    /// The first look costs no more than it must: only who really waits says who and where it is.
    fn attempt_first(&mut self) -> Result<Option<R>> {
        self.turn.ground().check_open()?;
        let given = self.attempt(Some(*OVER))?;
        if given.is_none() {
            self.turn.label(task::current(), self.line.to_string());
        }
        Ok(given)
    }
}

impl<'a, F, R> Wait for Waiting<'a, F>
where
    F: FnMut(&mut Turn<'a>, Option<Instant>) -> Result<Option<R>> + Send,
{
    type Given = R;

    fn until(&mut self, until: Option<Instant>) -> Result<Option<R>> {
        if !self.turn.is_standing() {
            let given = self.attempt_first()?;
            if given.is_some() || until == Some(*OVER) {
                return Ok(given);
            }
        }
        self.attempt(until)
    }

    fn on_line(&mut self, line: impl Into<String>) {
        self.line = Line::Other(line.into());
        self.turn.label(task::current(), self.line.to_string());
    }
}

/// Nothing in it is ever pinned.
impl<F> Unpin for Waiting<'_, F> {}

impl<'a, F, R> Future for Waiting<'a, F>
where
    F: FnMut(&mut Turn<'a>, Option<Instant>) -> Result<Option<R>> + Send,
{
    type Output = Result<R>;

    /// Looks once, and stays in line.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<R>> {
        let waiting = self.get_mut();
        waiting.forget();
        if !waiting.turn.is_standing() {
            if let Some(given) = waiting.attempt_first()? {
                return Poll::Ready(Ok(given));
            }
            waiting.turn.stay_in_line();
        }
        while waiting.watched.is_none() {
            if let Some(given) = waiting.attempt(Some(*OVER))? {
                return Poll::Ready(Ok(given));
            }
            let site = waiting.turn.ground().listener().own();
            waiting.watched = watch::watch(&site, &waiting.turn, context.waker())?;
        }
        Poll::Pending
    }
}

impl<F> Drop for Waiting<'_, F> {
    fn drop(&mut self) {
        self.forget();
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rust(at) => write!(f, "{}:{}", at.file(), at.line()),
            Self::Other(line) => f.write_str(line),
        }
    }
}

impl<F> fmt::Debug for Waiting<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("is_standing", &self.turn.is_standing()).finish_non_exhaustive()
    }
}
