//! What operations that have no errors do when the place cannot be reached.

use crate::error::{Error, Result};
use std::cell::RefCell;

thread_local! {
    /// Whether somebody asks for such an error, and the first one.
    static FAILED: RefCell<Failed> = const { RefCell::new(Failed { is_asked_for: false, first: None }) };
}

struct Failed {
    is_asked_for: bool,
    first: Option<Error>,
}

/// Does `work` with shared objects of places on other machines, and gives the error if one of them could not be reached.
///
/// Operations such as [`Value::get`](super::Value::get) have no error, since in memory nothing can go wrong. Of a place that
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
    /// Puts back what was asked for around us, also when `work` panics.
    struct Before(Option<Failed>);

    impl Drop for Before {
        fn drop(&mut self) {
            self.0.take().into_iter().for_each(|before| drop(FAILED.replace(before)));
        }
    }

    let before = Before(Some(FAILED.replace(Failed { is_asked_for: true, first: None })));
    let done = work();
    let failed = FAILED.with_borrow_mut(|failed| failed.first.take());
    drop(before);
    failed.map_or(Ok(done), Err)
}

/// What an operation gives that has no error.
///
/// # Panics
/// If it failed, and nobody asked to be told.
#[track_caller]
pub(in crate::share) fn or_unreached<T: Default>(done: Result<T>) -> T {
    done.unwrap_or_else(|error| {
        let said = error.to_string();
        let is_told = FAILED.with_borrow_mut(|failed| {
            failed.first.get_or_insert(error);
            failed.is_asked_for
        });
        assert!(is_told, "{said} (`anyplace::share::reached` gives this as an error)");
        T::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn fails() -> u64 {
        or_unreached(Err(Error::new(Kind::ConnectionLost, "gone")))
    }

    #[test]
    fn who_asks_is_told_and_who_does_not_sees_a_panic() {
        assert_eq!(reached(fails).unwrap_err().message(), "gone");
        assert_eq!(reached(|| reached(fails).is_err()).unwrap(), true);
        assert_eq!(reached(|| 7).unwrap(), 7);
        assert!(std::panic::catch_unwind(fails).is_err());
    }
}
