//! One input and what became of it.

use std::ffi::OsString;
use std::time::Duration;

use anyplace::Finished;
use anyplace::{Error, Exit, Kind, Value};

use crate::input::{Origin, Row};

/// A job that is over.
#[derive(Debug)]
pub(crate) struct Item {
    /// Its place among the inputs, from 1.
    pub(crate) number: u64,
    pub(crate) row: Row,
    pub(crate) attempt: u32,
    pub(crate) took: Duration,
    pub(crate) result: anyplace::Result<Value>,
}

impl Item {
    pub(crate) fn values(&self) -> &[OsString] {
        &self.row.values
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.row.origin
    }

    pub(crate) fn succeeded(&self) -> bool {
        self.result.is_ok()
    }

    /// It was ended, or never begun. Where the run itself ends, that is neither a success nor a failure of its own.
    pub(crate) fn was_cancelled(&self) -> bool {
        self.error().is_some_and(|error| error.kind() == Kind::Cancelled)
    }

    pub(crate) fn error(&self) -> Option<&Error> {
        self.result.as_ref().err()
    }

    /// What its command left, also if it failed.
    pub(crate) fn finished(&self) -> Option<&Finished> {
        match &self.result {
            Ok(Value::Command(finished)) => Some(finished),
            Ok(_) => None,
            Err(error) => Finished::of(error),
        }
    }

    /// The exit code as shells tell it: 128 and the signal, 127 for a program that is not there, 126 for one that
    /// cannot be executed.
    pub(crate) fn exit_code(&self) -> u8 {
        match (self.error().map(Error::kind), self.error().and_then(Error::exit)) {
            (None, _) => 0,
            (_, Some(Exit::Code(code))) => u8::try_from(code).ok().filter(|&code| code > 0).unwrap_or(1),
            (_, Some(Exit::Signal(signal))) => u8::try_from(128 + signal).unwrap_or(1),
            (Some(Kind::NotFound), None) => 127,
            (Some(Kind::PermissionDenied | Kind::Unsupported), None) => 126,
            (Some(_), None) => 1,
        }
    }
}
