//! How a task ended, and the promise that it ends once.

mod captured;
mod finished;
mod items;

pub use captured::Captured;
pub use finished::Finished;
pub use items::{Item, Items, ItemsWriter};
pub(crate) use items::{ending, outcome};

use crate::context::caught;
use crate::error::{Error, Kind, Retry};
use crate::task::Shared;
use crate::work::Payload;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// How a task ended.
#[derive(Debug)]
pub enum Outcome {
    /// It returned this.
    Returned(Value),
    /// It ran and failed.
    Failed(Error),
    /// It was cancelled before it began, or ended on request while it ran.
    Cancelled(Error),
    /// Its worker died, or its place was closed: whether it ran is in the error's `retry`.
    Lost(Error),
}

/// What a task returned.
pub enum Value {
    /// A value of this process.
    Local(Box<dyn Any + Send>),
    /// Bytes of another process.
    Encoded(Payload),
    /// The results of a chunk's calls in this process, as a list that only its maker knows; so that layers can count,
    /// it says how many failed.
    Chunk {
        /// The list.
        results: Box<dyn Any + Send>,
        /// How many of the calls failed.
        failed: u32,
    },
    /// One outcome per call of a chunk, in order.
    Items(Items),
    /// What a command left.
    Command(Finished),
}

impl Outcome {
    /// Returned with a value of this process.
    pub fn local<T: Any + Send>(value: T) -> Self {
        Self::Returned(Value::Local(Box::new(value)))
    }

    /// Returned with the results of a chunk's calls, of which `failed` failed.
    pub fn chunk<T: Any + Send>(results: Vec<T>, failed: u32) -> Self {
        Self::Returned(Value::Chunk { results: Box::new(results), failed })
    }

    /// Cancelled before it began.
    pub fn cancelled() -> Self {
        Self::Cancelled(
            Error::new(Kind::Cancelled, "the task was cancelled before it began").with_retry(Retry::Safe),
        )
    }

    /// Its place was closed before it began.
    pub(crate) fn too_late() -> Self {
        Self::Lost(
            Error::new(Kind::PlaceClosed, "the place was closed before the task could begin")
                .with_retry(Retry::Safe)
                .with_help("submit before it is closed, or open it again"),
        )
    }

    /// The value, or the error of the three other endings.
    ///
    /// # Errors
    /// Whatever ended the task.
    pub fn into_result(self) -> crate::Result<Value> {
        match self {
            Self::Returned(value) => Ok(value),
            Self::Failed(error) | Self::Cancelled(error) | Self::Lost(error) => Err(error),
        }
    }

    /// Tells the error, if there is one, where it happened.
    pub(crate) fn within(self, place: &str) -> Self {
        match self {
            Self::Returned(value) => Self::Returned(value),
            Self::Failed(error) => Self::Failed(error.within(place, "run")),
            Self::Cancelled(error) => Self::Cancelled(error.within(place, "run")),
            Self::Lost(error) => Self::Lost(error.within(place, "run")),
        }
    }

    /// The error, unless it returned.
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::Returned(_) => None,
            Self::Failed(error) | Self::Cancelled(error) | Self::Lost(error) => Some(error),
        }
    }
}

impl From<Error> for Outcome {
    /// The ending that the error's kind stands for.
    fn from(error: Error) -> Self {
        match error.kind() {
            Kind::Cancelled => Self::Cancelled(error),
            Kind::WorkerLost | Kind::PlaceClosed => Self::Lost(error),
            _ => Self::Failed(error),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(_) => f.write_str("Local"),
            Self::Chunk { failed, .. } => write!(f, "Chunk({failed} failed)"),
            Self::Encoded(payload) => write!(f, "Encoded({payload:?})"),
            Self::Items(items) => items.fmt(f),
            Self::Command(finished) => write!(f, "Command({finished:?})"),
        }
    }
}

/// The duty to say how a task ended: called exactly once.
///
/// Calling consumes it. Dropping it uncalled (a driver that forgot, a thread that panicked) tells `Lost`, so nobody
/// waits for ever.
pub struct Done(Option<Then>);

enum Then {
    Settle(Arc<Shared>),
    Call(Box<dyn FnOnce(Outcome) + Send>),
}

impl Done {
    /// Calls `then` with the outcome.
    pub fn new(then: impl FnOnce(Outcome) + Send + 'static) -> Self {
        Self(Some(Then::Call(Box::new(then))))
    }

    /// Settles a handle: the common case, without an allocation.
    pub(crate) fn settle(shared: Arc<Shared>) -> Self {
        Self(Some(Then::Settle(shared)))
    }

    /// Whether it settles a handle, and nobody stands in between.
    pub(crate) fn settles(&self) -> bool {
        matches!(self.0, Some(Then::Settle(_)))
    }

    /// Says how the task ended.
    pub fn call(mut self, outcome: Outcome) {
        self.tell(outcome);
    }

    fn tell(&mut self, outcome: Outcome) {
        match self.0.take() {
            Some(Then::Settle(shared)) => shared.settle(outcome),
            Some(Then::Call(then)) => caught(|| then(outcome)),
            None => {}
        }
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        if self.0.is_some() {
            let error = Error::new(Kind::WorkerLost, "the task was dropped without an outcome");
            self.tell(Outcome::Lost(
                error
                    .with_retry(Retry::MayRepeat)
                    .with_help("this is a fault of the driver; please report it"),
            ));
        }
    }
}

impl fmt::Debug for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Done")
    }
}
