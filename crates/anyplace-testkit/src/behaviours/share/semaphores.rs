//! So many at a time.

use crate::door::Door;
use crate::share::{PATIENCE, hold_permits};
use crate::submit::{ended, submit};
use anyplace::{Kind, Place, Result};
use std::thread;

pub(super) fn a_semaphore_lets_so_many_in(place: &Place) -> Result<()> {
    let seats = place.semaphore("seats", 3)?;
    let taken = (0..3).map(|_| seats.acquire()).collect::<Result<Vec<_>>>()?;
    assert!(seats.try_acquire()?.is_none());
    thread::scope(|scope| {
        let next = scope.spawn(|| seats.acquire_within(PATIENCE).map(|permit| permit.is_some()));
        drop(taken);
        assert!(next.join().expect("waiting does not panic")?);
        Ok::<_, anyplace::Error>(())
    })?;
    assert_eq!(seats.value(), 3);
    Ok(())
}

pub(super) fn permits_of_a_killed_worker_come_back(place: &Place) -> Result<()> {
    let (seats, door) = (place.semaphore("seats", 3)?, Door::new()?);
    let holder = submit(place, hold_permits, (seats.clone(), 2, door.path()))?;
    let held = door.knock()?;
    assert_eq!(seats.value(), 1);
    assert!(holder.kill());
    held.ends();
    assert_eq!(ended(holder).expect_err("it was killed").kind(), Kind::Cancelled);
    let all = (0..3).map(|_| seats.acquire_within(PATIENCE)).collect::<Result<Option<Vec<_>>>>()?;
    assert!(all.is_some(), "two come back");
    assert_eq!(seats.value(), 0, "and no more");
    Ok(())
}

pub(super) fn a_bounded_semaphore_refuses_more_than_it_had(place: &Place) -> Result<()> {
    let seats = place.share()?.semaphore("seats", 2, true)?;
    seats.acquire()?.keep();
    seats.release(1)?;
    let error = seats.release(1).expect_err("all are there");
    assert_eq!(error.kind(), Kind::ConfigInvalid, "{error:?}");
    assert_eq!(seats.value(), 2);
    let unbounded = place.semaphore("more", 0)?;
    unbounded.release(5)?;
    assert_eq!(unbounded.value(), 5);
    Ok(())
}
