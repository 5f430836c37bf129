//! What is only touched with the interpreter's lock.

use pyo3::prelude::*;
use std::cell::RefCell;

/// A `T` that the interpreter's lock guards: touching it costs a look at a flag.
#[derive(Default)]
pub(super) struct Held<T>(RefCell<T>);

// SAFETY: the `RefCell` is only touched by who holds the interpreter's lock (`with` asks for the token, `visit` is for the
// garbage collector, which holds it), so never by two threads at once. The module asks for that lock where Python could do
// without.
unsafe impl<T: Send> Sync for Held<T> {}

impl<T> Held<T> {
    /// Touches it. `touch` must not run Python code, and so drops no object: that may come back here.
    #[inline]
    pub(super) fn with<R>(&self, _py: Python<'_>, touch: impl FnOnce(&mut T) -> R) -> R {
        touch(&mut self.0.borrow_mut())
    }

    /// Shows it to the garbage collector, unless that runs in the middle of a touch.
    pub(super) fn visit<R>(&self, visit: impl FnOnce(&T) -> R) -> Option<R> {
        self.0.try_borrow().ok().map(|thing| visit(&thing))
    }

    /// Takes it away, for the garbage collector.
    pub(super) fn clear(&self) -> T
    where
        T: Default,
    {
        self.0.take()
    }
}
