//! What the classes of `anyplace.threading` do that has to be quick: each is one of the engine's on the ground of this
//! process, called straight from the interpreter. What is called rarely, and what tells rather than does, is Python's
//! (`anyplace/threading/`).
//!
//! A call first tries, with the interpreter's lock: mostly that is all. If it has to wait, it goes through the door.

mod awaited;
mod barrier;
mod condition;
mod event;
mod lock;
mod patience;
pub(crate) mod quick;
mod rlock;
mod semaphore;

use crate::share::{SharedLock, SharedRLock, SharedSemaphore};
use pyo3::prelude::*;
use pyo3::types::PyType;

pub(crate) use awaited::ThreadTurn;
pub(crate) use barrier::ThreadBarrier;
pub(crate) use condition::ThreadCondition;
pub(crate) use event::ThreadEvent;
pub(crate) use lock::ThreadLock;
pub(crate) use rlock::ThreadRLock;
pub(crate) use semaphore::ThreadSemaphore;

/// Gives a class of locks, which inherits from ours, methods that cost less to call.
#[pyfunction]
pub(crate) fn quicken<'py>(class_: Bound<'py, PyType>) -> PyResult<Bound<'py, PyType>> {
    if class_.is_subclass_of::<ThreadLock>()? {
        quick::quicken::<ThreadLock>(&class_)?;
    } else if class_.is_subclass_of::<SharedLock>()? {
        quick::quicken::<SharedLock>(&class_)?;
    } else if class_.is_subclass_of::<SharedRLock>()? {
        quick::quicken::<SharedRLock>(&class_)?;
    } else if class_.is_subclass_of::<SharedSemaphore>()? {
        quick::quicken::<SharedSemaphore>(&class_)?;
    } else {
        quick::quicken::<ThreadRLock>(&class_)?;
    }
    Ok(class_)
}
