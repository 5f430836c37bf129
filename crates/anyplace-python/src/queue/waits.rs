//! Putting and taking with patience.

use super::arguments::Patience;
use super::state::{OPEN, SHUT};
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
        let mut in_time = patience.waits();
        loop {
            if state.is(OPEN) {
                let (block, timeout) = patience.arguments();
                return open(py, "put", (slf, item, block, timeout)).map(drop);
            }
            if state.is(SHUT) {
                return Err(refusal::shut_down(py));
            }
            if state.put(item)? {
                self.takers.call(py, 1);
                return Ok(());
            }
            if state.is(OPEN | SHUT) {
                continue;
            }
            if !in_time {
                return Err(refusal::full(py));
            }
            let ready = || state.has_room() || state.is(OPEN | SHUT);
            in_time = self.putters.wait(py, patience.deadline(), ready)?;
        }
    }

    /// Takes an item, or says why there is none.
    pub(super) fn get_within(&self, slf: &Bound<'_, Self>, patience: Patience) -> PyResult<Py<PyAny>> {
        let (py, state) = (slf.py(), &self.state);
        let mut in_time = patience.waits();
        loop {
            if state.is(OPEN) {
                let (block, timeout) = patience.arguments();
                return open(py, "get", (slf, block, timeout)).map(Bound::unbind);
            }
            if let Some(item) = state.take(py)? {
                self.putters.call(py, 1);
                return Ok(item);
            }
            if state.is(OPEN) {
                continue;
            }
            if state.is(SHUT) {
                return Err(refusal::shut_down(py));
            }
            if !in_time {
                return Err(refusal::empty(py));
            }
            let ready = || state.len() > 0 || state.is(OPEN | SHUT);
            in_time = self.takers.wait(py, patience.deadline(), ready)?;
        }
    }
}
