//! The same call on every place: as a closure, by name, or as a future.

use crate::door::{Door, PATIENCE};
use crate::work::{hold, hold_async};
use anyplace::work::WorkKind;
use anyplace::{Function, Futures, Handle, Map, NamedTask, Place, Result};
use std::time::Duration;

/// Whether the place runs futures and nothing else.
fn runs_futures(place: &Place) -> bool {
    place.limits().takes == [WorkKind::Future]
}

/// Runs a task in the form that the place takes.
pub(crate) fn submit<N: NamedTask>(place: &Place, task: N, input: N::Input) -> Result<Handle<N::Output>> {
    if runs_futures(place) {
        return place.submit(Futures(|input: N::Input| async move { N::run(input) }), input);
    }
    place.submit(task, input)
}

/// Submits a task that knocks at the door and waits there.
pub(crate) fn submit_hold(place: &Place, door: &Door) -> Result<Handle<u32>> {
    if runs_futures(place) {
        place.submit(Futures(hold_async), door.path())
    } else {
        place.submit(hold, door.path())
    }
}

/// How a map of a behaviour is set before it starts.
#[derive(Clone, Copy, Default)]
pub(crate) struct How {
    pub(crate) unordered: bool,
    pub(crate) chunk: Option<usize>,
}

impl How {
    fn set<I, F, T, M>(self, map: Map<I, F, T, M>) -> Map<I, F, T, M>
    where
        I: Iterator<Item = T>,
        F: Function<T, M>,
    {
        let map = if self.unordered { map.unordered() } else { map };
        match self.chunk {
            Some(items) => map.chunk(items),
            None => map,
        }
    }
}

type Results<N> = Box<dyn Iterator<Item = Result<<N as NamedTask>::Output>>>;

/// Maps a task in the form that the place takes.
pub(crate) fn map<N: NamedTask>(
    place: &Place,
    task: N,
    inputs: impl IntoIterator<Item = N::Input, IntoIter: 'static>,
    how: How,
) -> Result<Results<N>> {
    if runs_futures(place) {
        let function = |input: N::Input| async move { N::run(input) };
        return Ok(Box::new(how.set(place.map_async(function, inputs)?)));
    }
    Ok(Box::new(how.set(place.map(task, inputs)?)))
}

/// What a task came to; an outcome that does not come is a broken promise.
pub(crate) fn ended<R>(handle: Handle<R>) -> Result<R> {
    let patience = Duration::from_secs(PATIENCE.unsigned_abs());
    handle.wait_for(patience).unwrap_or_else(|handle| panic!("{handle:?} has no outcome after {PATIENCE} s"))
}
