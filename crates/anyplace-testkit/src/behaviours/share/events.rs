//! Something has happened.

use crate::share::{PATIENCE, until};
use anyplace::{Place, Result};
use std::thread;
use std::time::Duration;

/// Those who wait when it is set go on, though it is not set any more when they look.
pub(super) fn an_event_lets_everybody_on(place: &Place) -> Result<()> {
    let start = place.event("start")?;
    assert!(!start.wait_within(Duration::from_millis(5))?);
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..3).map(|_| scope.spawn(|| start.wait_within(PATIENCE))).collect();
        until(|| place.why().objects.iter().any(|object| object.waiters.len() == 3));
        start.set();
        start.clear();
        for waiter in waiters {
            assert!(waiter.join().expect("waiting does not panic")?);
        }
        Ok::<_, anyplace::Error>(())
    })?;
    assert!(!start.is_set());
    start.set();
    start.wait()
}
