//! The end of a place, for those who share in it.

use crate::share::until;
use anyplace::{Error, Kind, Place, Result};
use std::thread;

fn is_closed(result: Result<()>, place: &Place) {
    let error: Error = result.expect_err("the place is closed");
    assert_eq!(error.kind(), Kind::PlaceClosed, "{error:?}");
    assert_eq!(error.place(), Some(&*place.address().to_string()), "{error:?}");
    assert!(error.help().is_some(), "{error:?}");
}

pub(super) fn a_closed_place_tells_whoever_waits(place: &Place) -> Result<()> {
    let (lock, event, queue) = (place.lock("door")?, place.event("never")?, place.queue::<u64>("empty", 1)?);
    let changed = place.condition("changed")?;
    let held = lock.acquire()?;
    thread::scope(|scope| {
        let waiters = [
            scope.spawn(|| lock.acquire().map(drop)),
            scope.spawn(|| event.wait()),
            scope.spawn(|| queue.get().map(drop)),
            scope.spawn(|| changed.acquire()?.wait()),
        ];
        let all = || place.why().objects.iter().map(|object| object.waiters.len()).sum::<usize>();
        until(|| all() == waiters.len());
        place.close()?;
        for waiter in waiters {
            is_closed(waiter.join().expect("waiting does not panic"), place);
        }
        Ok::<_, Error>(())
    })?;
    drop(held);
    Ok(())
}

pub(super) fn a_closed_place_shares_nothing_more(place: &Place) -> Result<()> {
    let lock = place.lock("door")?;
    place.close()?;
    is_closed(lock.acquire().map(drop), place);
    is_closed(place.lock("door").map(drop), place);
    is_closed(place.queue::<u64>("", 0).map(drop), place);
    assert!(place.why().objects.is_empty());
    Ok(())
}
