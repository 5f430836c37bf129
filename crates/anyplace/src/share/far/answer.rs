//! An [`Answer`]: what came of an operation far away.

use crate::error::{Error, Kind, Result};
use crate::wire::peer::share::Said;
use crate::work::Payload;
use anyplace_sync::{Acquired, Arrived};
use serde::de::DeserializeOwned;

/// What came of an operation.
#[derive(Debug)]
pub(in crate::share) struct Answer {
    pub(in crate::share) said: Said,
    pub(in crate::share) values: Vec<Payload>,
}

impl Answer {
    /// What was given as a number.
    pub(in crate::share) fn number(&self) -> i64 {
        match self.said {
            Said::Done(number) | Said::Refused(number) => number,
            Said::NotNow => 0,
        }
    }

    /// A lock is ours: whether its last holder was lost.
    pub(in crate::share) fn acquired(&self) -> Acquired {
        Acquired { abandoned: self.number() != 0 }
    }

    /// All have come to a barrier.
    pub(in crate::share) fn arrived(&self) -> Arrived {
        let number = self.number();
        Arrived { index: (number >> 1) as u32, is_last: number & 1 == 1 }
    }

    /// What the one value is.
    pub(super) fn read<T: DeserializeOwned>(self) -> Result<T> {
        let bytes = self.value().map(|value| value.bytes).unwrap_or_default();
        postcard::from_bytes(&bytes).map_err(|error| {
            Error::new(Kind::NotSerializable, format!("the answer is not what was asked for: {error}"))
        })
    }

    /// The one value.
    pub(in crate::share) fn value(self) -> Option<Payload> {
        self.values.into_iter().next()
    }
}
