//! Functions of Rust as handlers.

use super::{Connections, Requests};
use crate::driver::Limits;
use crate::error::{Error, Kind, Result};
use crate::function::Function;
use crate::net::Stream;
use crate::outcome::Value;
use crate::work::Work;
use std::fmt::Display;
use std::marker::PhantomData;
use std::sync::Arc;

/// What a handler of connections returns.
pub trait Took {
    /// Whether that is a failure.
    ///
    /// # Errors
    /// The handler's own.
    fn took(self) -> Result<()>;
}

impl Took for () {
    fn took(self) -> Result<()> {
        Ok(())
    }
}

impl<E: Display> Took for Result<(), E> {
    fn took(self) -> Result<()> {
        self.map_err(failed)
    }
}

/// What a handler of requests returns: bytes, or nothing where a request has no answer.
pub trait Answers {
    /// The bytes of the answer, if there is one.
    ///
    /// # Errors
    /// The handler's own.
    fn answer(self) -> Result<Option<Vec<u8>>>;
}

impl Answers for Vec<u8> {
    fn answer(self) -> Result<Option<Vec<u8>>> {
        Ok(Some(self))
    }
}

impl Answers for Option<Vec<u8>> {
    fn answer(self) -> Result<Option<Vec<u8>>> {
        Ok(self)
    }
}

impl<A: Answers, E: Display> Answers for Result<A, E> {
    fn answer(self) -> Result<Option<Vec<u8>>> {
        self.map_err(failed)?.answer()
    }
}

fn failed(error: impl Display) -> Error {
    Error::new(Kind::TaskFailed, error.to_string())
}

/// A function that has each connection.
pub(super) struct OfConnections<F, M>(Arc<F>, PhantomData<fn() -> M>);

impl<F, M> OfConnections<F, M> {
    pub(super) fn new(function: F) -> Self {
        Self(Arc::new(function), PhantomData)
    }
}

impl<F, M: 'static> Connections for OfConnections<F, M>
where
    F: Function<Stream, M>,
    F::Output: Took,
{
    fn work(&self, stream: &Stream, limits: &Limits) -> Result<Work> {
        self.0.work(stream.clone(), limits)
    }

    fn took(&self, value: Value) -> Result<()> {
        F::decode(value)?.took()
    }
}

/// A function that answers each request.
pub(super) struct OfRequests<F, M>(Arc<F>, PhantomData<fn() -> M>);

impl<F, M> OfRequests<F, M> {
    pub(super) fn new(function: F) -> Self {
        Self(Arc::new(function), PhantomData)
    }
}

impl<F, M: 'static> Requests for OfRequests<F, M>
where
    F: Function<Vec<u8>, M>,
    F::Output: Answers,
{
    fn work(&self, request: Vec<u8>, limits: &Limits) -> Result<Work> {
        self.0.work(request, limits)
    }

    fn answer(&self, value: Value) -> Result<Option<Vec<u8>>> {
        F::decode(value)?.answer()
    }
}
