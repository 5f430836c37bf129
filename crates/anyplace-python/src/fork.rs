//! After a fork, the child has none of its parent's threads: places of the parent are of no use there.

use anyplace::{Error, Kind, Retry};
use pyo3::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

static GENERATION: AtomicUsize = AtomicUsize::new(0);

/// How many forks lie between the first process and this one.
pub(crate) fn generation() -> usize {
    GENERATION.load(Ordering::Relaxed)
}

/// Notes that this process is the child of a fork.
#[pyfunction]
pub(crate) fn forked() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    crate::baton::forget_others();
    crate::closing::forget();
}

/// The error for whoever uses a place of the parent.
pub(crate) fn error(place: &anyplace::Place) -> Error {
    Error::new(
        Kind::PlaceClosed,
        format!("`{}` was opened before a fork; its threads stayed there", place.address()),
    )
    .at(place.address())
    .during("submit")
    .with_retry(Retry::Safe)
    .with_help("open the place in the child, or start children by `processes:` instead of os.fork()")
}
