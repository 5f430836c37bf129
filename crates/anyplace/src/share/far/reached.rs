//! What operations that have no errors do when the place cannot be reached.

use crate::error::{Error, Kind, Result};
use std::cell::{Cell, RefCell};

thread_local! {
    /// How many ask for such an error, one inside of the other.
    static ASKED: Cell<u32> = const { Cell::new(0) };
    /// Whether there is one.
    static HAS_FAILED: Cell<bool> = const { Cell::new(false) };
    static FAILED: RefCell<Option<Error>> = const { RefCell::new(None) };
}

/// Does `work` with shared objects of places on other machines, and gives the error if one of them could not be reached.
///
/// Operations such as [`Value::get`](crate::share::Value::get) have no error, since in memory nothing can go wrong. Of a place that
/// is reached through a socket they have one, and panic, unless they are called in here.
///
/// # Errors
/// `ConnectionLost`, `Unreachable`, `PlaceClosed`: what the first such operation met.
///
/// ```
/// use anyplace::share::reached;
///
/// let place = anyplace::open("threads:2")?;
/// let hits = place.counter("hits")?;
/// hits.add(2);
/// assert_eq!(reached(|| hits.get())?, 2);
/// # Ok::<(), anyplace::Error>(())
/// ```
pub fn reached<T>(work: impl FnOnce() -> T) -> Result<T> {
    /// Nobody asks any more, also when `work` panics.
    struct Asking;

    impl Drop for Asking {
        fn drop(&mut self) {
            ASKED.set(ASKED.get() - 1);
        }
    }

    ASKED.set(ASKED.get() + 1);
    let asking = Asking;
    let done = work();
    drop(asking);
    if HAS_FAILED.replace(false) { Err(failed()) } else { Ok(done) }
}

#[cold]
fn failed() -> Error {
    let first = FAILED.take();
    first.unwrap_or_else(|| Error::new(Kind::ConnectionLost, "it cannot be reached"))
}

/// What an operation gives that has no error.
///
/// # Panics
/// If it failed, and nobody asked to be told.
#[track_caller]
pub(in crate::share) fn or_unreached<T: Default>(done: Result<T>) -> T {
    done.unwrap_or_else(|error| {
        assert!(ASKED.get() > 0, "{error} (`anyplace::share::reached` gives this as an error)");
        if !HAS_FAILED.replace(true) {
            FAILED.set(Some(error));
        }
        T::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails() -> u64 {
        or_unreached(Err(Error::new(Kind::ConnectionLost, "gone")))
    }

    #[test]
    fn who_asks_is_told_and_who_does_not_sees_a_panic() {
        assert_eq!(reached(fails).unwrap_err().message(), "gone");
        assert!(reached(|| reached(fails).is_err()).unwrap());
        assert_eq!(reached(|| 7).unwrap(), 7);
        assert!(std::panic::catch_unwind(fails).is_err());
    }
}
