//! Calls from Rust, and values of Rust callers and objects: numbers and texts in the encoding that every language reads, all else as postcard.

use super::object::Verb;
use super::proxy::Proxy;
use crate::error::{Error, Kind, Result, Retry};
use crate::work::{Encoding, Payload, PayloadRef};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::{Duration, Instant};

impl Proxy {
    /// Calls a method from Rust and waits: the argument is one value, or a tuple.
    ///
    /// # Errors
    /// What the object answers; `WorkerLost` if its process is gone; `NotSerializable`.
    pub fn call<A, R>(&self, method: &str, arguments: A) -> Result<R>
    where
        A: Serialize,
        R: DeserializeOwned,
    {
        self.ask(Verb::Call, method, &arguments, None)
    }

    /// As [`call`](Self::call), for at most `limit`. The time goes with the call, and with those that the object makes in it:
    /// whichever of them has not begun when it is over never begins. One that has begun goes on, and nobody hears of it.
    ///
    /// An object of this process is called on this thread, which is not cut off: there the time counts until it is the
    /// call's turn.
    ///
    /// ```
    /// use anyplace::serve::objects::{Answer, Object, Request};
    /// use std::time::Duration;
    ///
    /// struct Sum;
    /// impl Object for Sum {
    ///     fn ask(&self, request: &Request<'_>) -> anyplace::Result<Answer> {
    ///         let (left, right): (u64, u64) = request.arguments()?;
    ///         Answer::of(&(left + right))
    ///     }
    /// }
    ///
    /// let place = anyplace::open("threads:2")?;
    /// let sum = place.create(Sum)?;
    /// assert_eq!(sum.call_within::<_, u64>(Duration::from_secs(1), "add", (20_u64, 22_u64))?, 42);
    /// # Ok::<(), anyplace::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Timeout`, which says whether the call may have run; and as [`call`](Self::call).
    pub fn call_within<A, R>(&self, limit: Duration, method: &str, arguments: A) -> Result<R>
    where
        A: Serialize,
        R: DeserializeOwned,
    {
        // A time that no clock reaches has no end.
        self.ask(Verb::Call, method, &arguments, Instant::now().checked_add(limit))
    }

    /// An attribute of the object, as it is now.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn attribute<R: DeserializeOwned>(&self, name: &str) -> Result<R> {
        self.ask(Verb::Get, name, &(), None)
    }

    /// Changes an attribute of the object.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn set_attribute(&self, name: &str, value: impl Serialize) -> Result<()> {
        self.ask(Verb::Set, name, &value, None)
    }

    /// Calls a method that gives values one by one: the object makes them as they are taken, but for those that are on their way.
    ///
    /// # Errors
    /// As [`call`](Self::call); `NotSerializable` if the method gives a single value.
    pub fn values<A, R>(
        &self,
        method: &str,
        arguments: A,
    ) -> Result<impl Iterator<Item = Result<R>> + use<A, R>>
    where
        A: Serialize,
        R: DeserializeOwned,
    {
        let arguments = encode(&arguments)?;
        let replied = self.begin(Verb::Call, method, arguments.as_ref(), None)?.wait()?;
        let values = replied.stream.ok_or_else(|| single(method))?;
        Ok(values.map(|value| decode(value?.as_ref(), "a value")))
    }

    fn ask<R: DeserializeOwned>(
        &self,
        verb: Verb,
        method: &str,
        arguments: &impl Serialize,
        until: Option<Instant>,
    ) -> Result<R> {
        let arguments = encode(arguments)?;
        let pending = self.begin(verb, method, arguments.as_ref(), until)?;
        let replied = pending.answered(until).ok_or_else(|| Self::not_in_time(method))??;
        decode(replied.value.as_ref(), method)
    }
}

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Payload> {
    let bytes = postcard::to_stdvec(value).map_err(|error| wrong("encoded", &error))?;
    Ok(Payload::new(Encoding::Postcard, bytes))
}

pub(super) fn decode<T: DeserializeOwned>(payload: PayloadRef<'_>, what: &str) -> Result<T> {
    if payload.encoding != Encoding::Postcard {
        return Err(Error::new(Kind::NotSerializable, format!("`{what}` is not called as Rust calls it"))
            .with_retry(Retry::Safe)
            .with_help("objects of another language are called from that language"));
    }
    postcard::from_bytes(payload.bytes).map_err(|error| wrong("decoded", &error))
}

fn wrong(what: &str, error: &postcard::Error) -> Error {
    Error::new(Kind::NotSerializable, format!("a value of a call cannot be {what}: {error}"))
        .with_retry(Retry::Safe)
}

fn single(method: &str) -> Error {
    Error::new(Kind::NotSerializable, format!("`{method}` gave one value, and not values one by one"))
        .during("call")
        .with_retry(Retry::MayRepeat)
        .with_help("`call` it")
}
