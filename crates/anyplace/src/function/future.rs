//! A Rust future as work.

use crate::context::{Context, within_engine};
use crate::driver::Limits;
use crate::error::{Error, Kind, Result, Retry};
use crate::function::{ByFuture, Function, local};
use crate::outcome::{Done, Outcome, Value};
use crate::work::{Abort, Call, Future, Spawn, Work};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as PollContext, Poll};

/// A future as work that can run once.
pub(crate) fn future<R>(future: impl std::future::Future<Output = R> + Send + 'static) -> Work
where
    R: Send + 'static,
{
    Work::Call(Call::Future(Box::new(Once(Box::pin(future)))))
}

/// A function that gives a future for each input: what `Place::map_async` maps, and `Place::submit` takes.
#[derive(Debug)]
pub struct Futures<F>(pub F);

impl<F, T, G, R> Function<T, ByFuture> for Futures<F>
where
    F: Fn(T) -> G + Send + Sync + 'static,
    G: std::future::Future<Output = R> + Send + 'static,
    T: Clone + Send + 'static,
    R: Send + 'static,
{
    type Output = R;

    fn work(self: &Arc<Self>, input: T, _: &Limits) -> Result<Work> {
        Ok(Work::Call(Call::Future(Box::new(One { function: self.clone(), input }))))
    }

    /// Places that run futures take items one by one, so that each waits by itself.
    fn chunk(self: &Arc<Self>, _: Vec<T>, _: &Limits) -> Result<Work> {
        Err(Error::new(Kind::Unsupported, "futures are not sent in chunks"))
    }

    fn decode(value: Value) -> Result<R> {
        local(value)
    }

    fn decode_items(value: Value) -> Result<Vec<Result<R>>> {
        local(value)
    }
}

struct One<F, T> {
    function: Arc<Futures<F>>,
    input: T,
}

impl<F, T, G, R> Future for One<F, T>
where
    F: Fn(T) -> G + Send + Sync + 'static,
    G: std::future::Future<Output = R> + Send + 'static,
    T: Clone + Send + 'static,
    R: Send + 'static,
{
    fn start(self: Box<Self>, context: Context, runtime: &dyn Spawn, done: Done) -> Abort {
        let Self { function, input } = *self;
        // Called inside the future, so that a panic of the function itself is the item's error, too.
        let future = Box::pin(async move { (function.0)(input).await });
        runtime.spawn(Box::pin(Running { future: Some(future), context, done: Some(done) }))
    }

    fn again(&self) -> Option<Box<dyn Future>> {
        Some(Box::new(Self { function: self.function.clone(), input: self.input.clone() }))
    }
}

struct Once<R>(Pin<Box<dyn std::future::Future<Output = R> + Send>>);

impl<R: Send + 'static> Future for Once<R> {
    fn start(self: Box<Self>, context: Context, runtime: &dyn Spawn, done: Done) -> Abort {
        runtime.spawn(Box::pin(Running { future: Some(self.0), context, done: Some(done) }))
    }
}

/// Polls the future inside its task's context, turns a panic into an outcome, and tells `Cancelled` when it is
/// dropped before its end: that is how a runtime aborts.
struct Running<R> {
    future: Option<Pin<Box<dyn std::future::Future<Output = R> + Send>>>,
    context: Context,
    done: Option<Done>,
}

impl<R: Send + 'static> std::future::Future for Running<R> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, poll: &mut PollContext<'_>) -> Poll<()> {
        let this = &mut *self;
        let Some(future) = &mut this.future else { return Poll::Ready(()) };
        let polled = catch_unwind(AssertUnwindSafe(|| this.context.enter(|| future.as_mut().poll(poll))));
        let outcome = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(value)) => Outcome::local(value),
            Err(payload) => Outcome::Failed(Error::panicked(&*payload).on_attempt(this.context.attempt)),
        };
        this.finish(outcome);
        Poll::Ready(())
    }
}

impl<R> Running<R> {
    /// Tells the outcome, once. The future goes first: it may hold the last clone of its own place.
    fn finish(&mut self, outcome: Outcome) {
        if let Some(done) = self.done.take() {
            within_engine(|| {
                self.future = None;
                done.call(outcome);
            });
        }
    }
}

impl<R> Drop for Running<R> {
    fn drop(&mut self) {
        let error = Error::new(Kind::Cancelled, "the future was ended while it waited");
        self.finish(Outcome::Cancelled(error.with_retry(Retry::MayRepeat)));
    }
}
