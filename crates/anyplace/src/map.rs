//! Many items as few tasks: lazy, bounded, in order or as completed.

mod flow;
mod sizer;

pub use flow::{Chunk, Flow, Next};

use crate::error::{Error, Result};
use crate::function::Function;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The results of a map, as an iterator. Nothing is sent before the first `next`, and never much more than is taken.
///
/// An item that fails is an `Err` where the item stands; the others go on. Dropping the iterator cancels what has
/// not begun.
pub struct Map<I, F, T, M>
where
    I: Iterator<Item = T>,
    F: Function<T, M>,
{
    inputs: Option<I>,
    function: Arc<F>,
    flow: Flow,
    ready: std::vec::IntoIter<Result<F::Output>>,
    marker: PhantomData<fn() -> M>,
}

impl<I, F, T, M> Map<I, F, T, M>
where
    I: Iterator<Item = T>,
    F: Function<T, M>,
{
    pub(crate) fn new(mut flow: Flow, function: F, inputs: I) -> Self {
        flow.expect(inputs.size_hint());
        let function = Arc::new(function);
        Self { inputs: Some(inputs), function, flow, ready: Vec::new().into_iter(), marker: PhantomData }
    }

    /// Gives results as they come instead of in the inputs' order.
    #[must_use]
    pub fn unordered(mut self) -> Self {
        self.flow.unordered();
        self
    }

    /// Sends this many items at a time instead of as many as take about 2 ms.
    #[must_use]
    pub fn chunk(mut self, items: usize) -> Self {
        self.flow.chunk(items);
        self
    }

    /// Lets at most this many items be ahead of the results taken.
    #[must_use]
    pub fn ahead(mut self, items: usize) -> Self {
        self.flow.ahead(items);
        self
    }

    /// Declares that doing an item twice does no harm, so that it is done again after a crash in the middle.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.flow.options.idempotent = true;
        self
    }

    fn fill(&mut self) -> Result<()> {
        while let Some(inputs) = &mut self.inputs {
            let room = self.flow.room();
            if room == 0 {
                break;
            }
            let chunk = gather(inputs, room);
            if chunk.len() < room && inputs.size_hint() == (0, Some(0)) {
                self.inputs = None;
            }
            if chunk.is_empty() {
                self.inputs = None;
                break;
            }
            let items = chunk.len();
            let limits = self.flow.limits();
            let work = match <[T; 1]>::try_from(chunk) {
                Ok([input]) if self.flow.sends_singles() => self.function.work(input, limits)?,
                Ok([input]) => self.function.chunk(vec![input], limits)?,
                Err(inputs) => self.function.chunk(inputs, limits)?,
            };
            self.flow.send(items, work)?;
        }
        Ok(())
    }
}

/// Reading the clock costs as much as making a few plain inputs, so a long chunk looks seldom; but a source that
/// takes seconds for each input is noticed at its first.
fn is_time_to_look(length: usize) -> bool {
    length.is_power_of_two() || length.is_multiple_of(64)
}

/// Takes up to `room` inputs, but does not let a slow source hold back those that are there.
fn gather<T>(inputs: &mut impl Iterator<Item = T>, room: usize) -> Vec<T> {
    let began = Instant::now();
    let mut chunk = Vec::with_capacity(room.min(1024));
    while chunk.len() < room
        && let Some(input) = inputs.next()
    {
        chunk.push(input);
        if is_time_to_look(chunk.len()) && began.elapsed() > Duration::from_millis(2) {
            break;
        }
    }
    chunk
}

impl<I, F, T, M> Iterator for Map<I, F, T, M>
where
    I: Iterator<Item = T>,
    F: Function<T, M>,
{
    type Item = Result<F::Output>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(result) = self.ready.next() {
                return Some(result.map_err(|error| self.flow.within(error)));
            }
            if let Err(error) = self.fill() {
                self.inputs = None;
                return Some(Err(error));
            }
            let Next::Chunk(chunk) = self.flow.next(None) else { return None };
            let single = self.flow.sends_singles();
            let items = chunk.items;
            let all = |error: Error| (0..items).map(|_| Err(error.clone())).collect();
            let results = match chunk.outcome.into_result() {
                Ok(value) if single => vec![F::decode(value)],
                Ok(value) => F::decode_items(value).unwrap_or_else(all),
                Err(error) => all(error),
            };
            self.ready = results.into_iter();
        }
    }
}

impl<I, F, T, M> fmt::Debug for Map<I, F, T, M>
where
    I: Iterator<Item = T>,
    F: Function<T, M>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Map({:?})", self.flow)
    }
}
