//! The caller's end of a task: wait for it, await it, be called back, cancel it, end it.

use crate::error::{Error, Kind, Result};
use crate::outcome::{Outcome, Value};
use crate::task::{Control, Ending, Shared};
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as PollContext, Poll};
use std::time::{Duration, Instant};

/// The caller's end of a task. Dropping it leaves the task running.
///
/// One completion serves every way to wait: [`wait`](Self::wait) blocks, `.await` works in any runtime,
/// [`then`](Self::then) calls back.
///
/// ```
/// let place = anyplace::open("threads:2")?;
/// let handle = place.submit(|n: u64| n * n, 12)?;
/// assert_eq!(handle.wait()?, 144);
/// # Ok::<(), anyplace::Error>(())
/// ```
#[must_use = "a task whose handle is dropped still runs, but nobody hears of its failure"]
pub struct Handle<R> {
    shared: Arc<Shared>,
    decode: fn(Value) -> Result<R>,
    result: PhantomData<fn() -> R>,
}

impl<R> Handle<R> {
    pub(crate) fn new(shared: Arc<Shared>, decode: fn(Value) -> Result<R>) -> Self {
        Self { shared, decode, result: PhantomData }
    }

    /// Blocks until the task ended, and gives what it returned.
    ///
    /// On a worker of a `threads:` place that has not begun the task, the worker runs it itself: nested tasks
    /// cannot wait for each other for ever.
    ///
    /// # Errors
    /// The error that ended the task.
    pub fn wait(self) -> Result<R> {
        self.shared.wait(None);
        self.finish()
    }

    /// As [`wait`](Self::wait), for at most `limit`; the task goes on when the time is over.
    ///
    /// # Errors
    /// The handle itself, to wait again, when the time was over.
    pub fn wait_for(self, limit: Duration) -> std::result::Result<Result<R>, Self> {
        // A time that no clock reaches has no end.
        if self.shared.wait(Instant::now().checked_add(limit)) { Ok(self.finish()) } else { Err(self) }
    }

    /// Blocks until the task ended or `deadline` came; `true` if it ended.
    pub fn wait_until(&self, deadline: Instant) -> bool {
        self.shared.wait(Some(deadline))
    }

    /// Calls `then` with the outcome, on the thread that brings it (or now, if it is there).
    ///
    /// `then` must be short and must not block: a worker waits for it.
    pub fn then(self, then: impl FnOnce(Result<R>) + Send + 'static)
    where
        R: 'static,
    {
        let (shared, decode) = (self.shared.clone(), self.decode);
        self.shared.on_settled(Box::new(move || then(outcome_of(&shared).into_result().and_then(decode))));
    }

    /// Calls `then` when the task ended (now, if it has), without taking the outcome. The last call counts.
    ///
    /// `then` must be short and must not block, as in [`then`](Self::then).
    pub fn when_done(&self, then: impl FnOnce() + Send + 'static) {
        self.shared.on_settled(Box::new(then));
    }

    /// Whether the task ended.
    pub fn is_done(&self) -> bool {
        self.shared.is_settled()
    }

    /// Whether a worker runs it now.
    pub fn is_running(&self) -> bool {
        self.shared.is_running()
    }

    /// Cancels the task if it has not begun: `true` if it now never will.
    pub fn cancel(&self) -> bool {
        self.shared.cancel()
    }

    /// Ends the task, running or not: `true` if it never begins or the place can end it; its outcome follows.
    pub fn kill(&self) -> bool {
        self.shared.kill(Ending::Cancelled)
    }

    /// The task's control, to cancel or end it from elsewhere.
    pub fn control(&self) -> Control {
        Control(self.shared.clone())
    }

    fn finish(self) -> Result<R> {
        outcome_of(&self.shared).into_result().and_then(self.decode)
    }
}

impl Handle<Value> {
    /// Blocks until the task ended, and gives the outcome as the driver told it.
    pub fn outcome(self) -> Outcome {
        self.shared.wait(None);
        outcome_of(&self.shared)
    }

    /// Has `waker` woken when the task ends, on the thread that brings the outcome; `true` if it has ended, and it is not
    /// woken. The last waker counts. For faces that keep the handle and share it: others `.await` it.
    pub fn wake_when_done(&self, waker: &std::task::Waker) -> bool {
        self.shared.poll(waker)
    }

    /// The outcome if it is there and nobody took it yet: for faces that keep the handle and share it.
    pub fn take(&self) -> Option<Outcome> {
        self.shared.take()
    }
}

fn outcome_of(shared: &Shared) -> Outcome {
    shared
        .take()
        .unwrap_or_else(|| Outcome::Failed(Error::new(Kind::Unexpected, "the outcome was already taken")))
}

impl<R> std::future::Future for Handle<R> {
    type Output = Result<R>;

    fn poll(self: Pin<&mut Self>, context: &mut PollContext<'_>) -> Poll<Result<R>> {
        if self.shared.poll(context.waker()) {
            Poll::Ready(outcome_of(&self.shared).into_result().and_then(self.decode))
        } else {
            Poll::Pending
        }
    }
}

impl<R> fmt::Debug for Handle<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match (self.is_done(), self.is_running()) {
            (true, _) => "done",
            (_, true) => "running",
            _ => "waiting",
        };
        write!(f, "Handle({state})")
    }
}
