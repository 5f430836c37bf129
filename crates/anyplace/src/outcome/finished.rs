//! How a command ended, as an outcome.

use super::captured::Captured;
use super::{Outcome, Value};
use crate::error::{Error, Exit, Kind, Retry};
use crate::task::Ending;
use std::fmt;
use std::time::Duration;

/// What a command left when it ended.
///
/// A command that ended with exit code 0 has *returned* it. Otherwise the outcome is an error, and it is the error's
/// source, so that what the command printed is there in every case:
///
/// ```
/// # use anyplace::{Finished, work::{Command, Work}};
/// # let place = anyplace::open("processes:1")?;
/// let command = Command::new(["sh", "-c", "echo gone; exit 3"]);
/// let error = place.submit_work(Work::Command(command), Default::default())?.wait().unwrap_err();
/// let finished = Finished::of(&error).unwrap();
/// assert_eq!(finished.exit, anyplace::Exit::Code(3));
/// assert_eq!(finished.stdout.in_memory(), Some(&b"gone\n"[..]));
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub exit: Exit,
    /// What it wrote on standard output.
    pub stdout: Captured,
    /// What it wrote on standard error.
    pub stderr: Captured,
    /// How long it ran.
    pub took: Duration,
}

/// So much of standard error is a part of the error.
const TAIL: usize = 2048;

impl Finished {
    /// What the command left whose failure this error is.
    pub fn of(error: &Error) -> Option<&Self> {
        std::error::Error::source(error)?.downcast_ref()
    }

    /// The outcome of a command called `name` that ended by itself or because of `ending`.
    pub(crate) fn into_outcome(self, name: &str, ending: Option<Ending>) -> Outcome {
        let took = self.took;
        match (ending, self.exit) {
            (None, Exit::Code(0)) => Outcome::Returned(Value::Command(self)),
            (None, exit) => {
                Outcome::Failed(self.into_error(Kind::TaskFailed, format!("`{name}` ended with {exit}")))
            }
            (Some(Ending::Timeout), _) => Outcome::Failed(
                self.into_error(Kind::Timeout, format!("`{name}` was ended after {took:.1?}")),
            ),
            (Some(Ending::Cancelled), _) => {
                Outcome::Cancelled(self.into_error(Kind::Cancelled, format!("`{name}` was ended on request")))
            }
        }
    }

    fn into_error(self, kind: Kind, message: String) -> Error {
        let (exit, tail) = (self.exit, self.stderr.tail(TAIL));
        Error::new(kind, message)
            .with_exit(exit)
            .with_log_tail(tail)
            .with_retry(Retry::MayRepeat)
            .with_source(self)
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} after {:.1?}", self.exit, self.took)
    }
}

impl std::error::Error for Finished {}
