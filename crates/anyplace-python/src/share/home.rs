//! Where a shared object is made: in a place, or in memory that this process shares with whom it is handed to.

use crate::place::Place;
use anyplace::driver::Share;
use anyplace::{Result, share};
use pyo3::prelude::*;
use std::sync::Arc;

/// What the place shares; without one, what the process does.
pub(crate) fn home(place: Option<&Bound<'_, Place>>) -> Result<Arc<dyn Share>> {
    place.map_or_else(|| Ok(share::commons()), |place| place.get().engine().share())
}
