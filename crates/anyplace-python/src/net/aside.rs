//! What takes long, on a thread of its own.

use crate::door;
use anyplace_sync::Latch;
use pyo3::prelude::*;
use std::sync::Arc;
use std::thread;

/// Does something long on a thread of its own. If a signal raises meanwhile, `give_up` is called, and says whether the work ends
/// by that: then it is waited for. If not, it is left to end by itself.
pub(super) fn aside<R: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce() -> R + Send + 'static,
    give_up: impl FnOnce() -> bool + Send,
) -> PyResult<R> {
    let over = Arc::new(Latch::new());
    let ring = Ring(over.clone());
    let working = thread::Builder::new().name("anyplace-files".to_owned()).spawn(move || {
        let _ring = ring;
        work()
    })?;
    let waited = door::wait(py, None, |until| over.wait(Some(until)));
    let joined = door::pass(py, || (waited.is_ok() || give_up()).then(|| working.join()));
    waited?;
    let joined = joined.expect("it was waited for");
    Ok(joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

/// Tells that it is over, also after a panic.
struct Ring(Arc<Latch>);

impl Drop for Ring {
    fn drop(&mut self) {
        self.0.set();
    }
}
