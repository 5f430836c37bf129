//! From a typed function to work and back: closures stay in the process, `#[anyplace::task]` functions also travel.

mod future;
mod named;

pub use future::Futures;
pub(crate) use future::future;
pub(crate) use named::find;
pub use named::{NamedTask, Registered};

use crate::context::Context;
use crate::driver::Limits;
use crate::error::{Error, Kind, Result};
use crate::outcome::{Outcome, Value};
use crate::work::{Call, Closure, Work};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A function a place can run: any `Fn(T) -> R`, or a `#[anyplace::task]` function.
///
/// `M` only tells the two apart ([`ByClosure`], [`ByName`]); it is always inferred. The input is `Clone` so that a
/// place with `retry` can give it to the next attempt; it is cloned nowhere else.
///
/// ```compile_fail
/// #[anyplace::task]
/// fn area(radius: f64) -> f64 { radius * radius * std::f64::consts::PI }
///
/// let place = anyplace::open("threads:2").unwrap();
/// place.submit(area, String::from("two")).unwrap(); // a task that takes f64 does not take a String
/// ```
pub trait Function<T, M>: Send + Sync + 'static {
    /// What it returns.
    type Output: Send + 'static;

    /// One call as work, in the best form that a place with these limits takes.
    ///
    /// # Errors
    /// `NotSerializable` if the input cannot travel and has to.
    fn work(self: &Arc<Self>, input: T, limits: &Limits) -> Result<Work>;

    /// The calls of a chunk as one work.
    ///
    /// # Errors
    /// As [`work`](Self::work).
    fn chunk(self: &Arc<Self>, inputs: Vec<T>, limits: &Limits) -> Result<Work>;

    /// The result of one call.
    ///
    /// # Errors
    /// `Unexpected` if the place returned something else.
    fn decode(value: Value) -> Result<Self::Output>;

    /// The results of a chunk's calls, in order.
    ///
    /// # Errors
    /// `Unexpected` if the place returned something else.
    fn decode_items(value: Value) -> Result<Vec<Result<Self::Output>>>;
}

/// Marks [`Function`]s that are closures.
#[derive(Debug)]
pub enum ByClosure {}

/// Marks [`Function`]s that are `#[anyplace::task]` functions.
#[derive(Debug)]
pub enum ByName {}

/// Marks [`Function`]s that give futures: see [`Place::map_async`](crate::Place::map_async).
#[derive(Debug)]
pub enum ByFuture {}

impl<F, T, R> Function<T, ByClosure> for F
where
    F: Fn(T) -> R + Send + Sync + 'static,
    T: Clone + Send + 'static,
    R: Send + 'static,
{
    type Output = R;

    fn work(self: &Arc<Self>, input: T, _: &Limits) -> Result<Work> {
        Ok(one(self.clone(), input))
    }

    fn chunk(self: &Arc<Self>, inputs: Vec<T>, _: &Limits) -> Result<Work> {
        Ok(each(self.clone(), inputs))
    }

    fn decode(value: Value) -> Result<R> {
        local(value)
    }

    fn decode_items(value: Value) -> Result<Vec<Result<R>>> {
        local(value)
    }
}

/// Calls `function` and turns a panic into an error.
fn call<F: Fn(T) -> R, T, R>(function: &F, input: T) -> Result<R> {
    catch_unwind(AssertUnwindSafe(|| function(input))).map_err(|payload| Error::panicked(&*payload))
}

struct One<F, T> {
    function: Arc<F>,
    input: T,
}

impl<F, T, R> Closure for One<F, T>
where
    F: Fn(T) -> R + Send + Sync + 'static,
    T: Clone + Send + 'static,
    R: Send + 'static,
{
    fn run(self: Box<Self>, context: &Context) -> Outcome {
        match context.enter(|| call(&*self.function, self.input)) {
            Ok(value) => Outcome::local(value),
            Err(error) => Outcome::Failed(error.on_attempt(context.attempt)),
        }
    }

    fn again(&self) -> Option<Box<dyn Closure>> {
        Some(Box::new(Self { function: self.function.clone(), input: self.input.clone() }))
    }
}

struct Each<F, T> {
    function: Arc<F>,
    inputs: Vec<T>,
}

impl<F, T, R> Closure for Each<F, T>
where
    F: Fn(T) -> R + Send + Sync + 'static,
    T: Clone + Send + 'static,
    R: Send + 'static,
{
    fn run(self: Box<Self>, context: &Context) -> Outcome {
        let mut results: Vec<Result<R>> = Vec::with_capacity(self.inputs.len());
        let (mut inputs, mut failed) = (self.inputs.into_iter(), 0);
        // Entering the context and catching panics once for a run of items keeps both off the cost of an item.
        while inputs.len() > 0 {
            let run = || context.enter(|| run_on(&*self.function, &mut inputs, context.index, &mut results));
            if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
                results.push(Err(Error::panicked(&*payload).on_attempt(context.attempt)));
                failed += 1;
            }
        }
        Outcome::chunk(results, failed)
    }

    fn again(&self) -> Option<Box<dyn Closure>> {
        Some(Box::new(Self { function: self.function.clone(), inputs: self.inputs.clone() }))
    }
}

/// Calls `function` on each input until there is none or one panics; `first` is the index of `results[0]`.
fn run_on<F: Fn(T) -> R, T, R>(
    function: &F,
    inputs: &mut std::vec::IntoIter<T>,
    first: u64,
    results: &mut Vec<Result<R>>,
) {
    for input in inputs {
        Context::move_to(first + results.len() as u64);
        results.push(Ok(function(input)));
    }
}

pub(crate) fn one<F, T, R>(function: Arc<F>, input: T) -> Work
where
    F: Fn(T) -> R + Send + Sync + 'static,
    T: Clone + Send + 'static,
    R: Send + 'static,
{
    Work::Call(Call::Closure(Box::new(One { function, input })))
}

pub(crate) fn each<F, T, R>(function: Arc<F>, inputs: Vec<T>) -> Work
where
    F: Fn(T) -> R + Send + Sync + 'static,
    T: Clone + Send + 'static,
    R: Send + 'static,
{
    Work::Call(Call::Closure(Box::new(Each { function, inputs })))
}

/// A closure that is used up by its one run.
pub(crate) fn once<R: Send + 'static>(closure: impl FnOnce() -> R + Send + 'static) -> Work {
    let run = move |context: &Context| match catch_unwind(AssertUnwindSafe(|| context.enter(closure))) {
        Ok(value) => Outcome::local(value),
        Err(payload) => Outcome::Failed(Error::panicked(&*payload).on_attempt(context.attempt)),
    };
    Work::Call(Call::Closure(Box::new(run)))
}

/// A value of this process, as the type it was given as.
pub(crate) fn local<R: Any>(value: Value) -> Result<R> {
    match value {
        Value::Local(any) | Value::Chunk { results: any, .. } => {
            any.downcast().map(|value| *value).map_err(|_| other_type())
        }
        _ => Err(other_type()),
    }
}

pub(crate) fn other_type() -> Error {
    Error::new(Kind::Unexpected, "the place returned a value of another type than the task's")
}
