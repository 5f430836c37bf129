//! Putting and taking with patience.

use super::arguments::Patience;
use super::state::{OPEN, SHUT};
use super::waiters::Place;
use super::{Queue, open, refusal};
use pyo3::prelude::*;

impl Queue {
    /// Puts an item, or says why not.
    pub(super) fn put_within(
        &self,
        slf: &Bound<'_, Self>,
        item: &Bound<'_, PyAny>,
        patience: Patience,
    ) -> PyResult<()> {
        let (py, state) = (slf.py(), &self.state);
        let (mut in_time, mut place) = (patience.waits(), Place::Last);
        loop {
            // A comparison may raise: then the room that this thread was called for is another's.
            if state.put(item).inspect_err(|_| self.putters.call(py, 1))? {
                self.takers.call(py, 1);
                return Ok(());
            }
            if state.is(OPEN) {
                let (block, timeout) = patience.arguments();
                return open(py, "put", (slf, item, block, timeout)).map(drop);
            }
            if state.is(SHUT) {
                return Err(refusal::shut_down(py));
            }
            if !in_time {
                return Err(refusal::full(py));
            }
            in_time = self.putters.wait(py, patience.deadline(), place)?;
            place = Place::First;
        }
    }

    /// Takes an item, or says why there is none.
    pub(super) fn get_within(&self, slf: &Bound<'_, Self>, patience: Patience) -> PyResult<Py<PyAny>> {
        let (py, state) = (slf.py(), &self.state);
        let (mut in_time, mut place) = (patience.waits(), Place::Last);
        loop {
            // As above: then the item is another's.
            if let Some(item) = state.take(py).inspect_err(|_| self.takers.call(py, 1))? {
                self.putters.call(py, 1);
                return Ok(item);
            }
            if state.is(OPEN) {
                let (block, timeout) = patience.arguments();
                return open(py, "get", (slf, block, timeout)).map(Bound::unbind);
            }
            if state.is(SHUT) {
                return Err(refusal::shut_down(py));
            }
            if !in_time {
                return Err(refusal::empty(py));
            }
            in_time = self.takers.wait(py, patience.deadline(), place)?;
            place = Place::First;
        }
    }
}
