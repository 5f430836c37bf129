//! One at a time.

use crate::door::Door;
use crate::share::{PATIENCE, add_slowly, get_lock, hold_lock};
use crate::submit::{How, ended, map, submit};
use anyplace::{Kind, Place, Result};
use std::thread;
use std::time::{Duration, Instant};

/// A sum that is read and written in two steps comes out right only if nobody is in between.
pub(super) fn a_lock_keeps_all_others_out(place: &Place) -> Result<()> {
    let (lock, sum) = (place.lock("door")?, place.counter("sum")?);
    let inputs: Vec<_> = (0..40).map(|_| (lock.clone(), sum.clone(), 50)).collect();
    map(place, add_slowly, inputs, How::default())?.try_for_each(|done| done.map(drop))?;
    assert_eq!(sum.get(), 2000);
    assert!(!lock.is_locked());
    Ok(())
}

pub(super) fn a_wait_for_a_lock_ends_in_time(place: &Place) -> Result<()> {
    let (lock, limit) = (place.lock("door")?, Duration::from_millis(20));
    let held = lock.acquire()?;
    let began = Instant::now();
    assert!(lock.acquire_within(limit)?.is_none());
    assert!(began.elapsed() >= limit);
    assert!(lock.try_acquire()?.is_none());
    drop(held);
    assert!(lock.try_acquire()?.is_some(), "nobody is in the way");
    Ok(())
}

/// The one that takes it again and again goes on until the other has had it.
pub(super) fn who_waits_for_a_lock_gets_it_from_one_who_takes_it_again_and_again(
    place: &Place,
) -> Result<()> {
    let (lock, had) = (place.lock("door")?, place.event("had")?);
    let waiter = submit(place, get_lock, (lock.clone(), had.clone()))?;
    let began = Instant::now();
    while !had.is_set() {
        drop(lock.acquire()?);
        assert!(began.elapsed() < PATIENCE, "it never gets the lock");
    }
    assert!(!ended(waiter)?, "nobody was killed");
    Ok(())
}

pub(super) fn a_lock_passes_on_when_its_holder_is_killed(place: &Place) -> Result<()> {
    let (lock, door) = (place.lock("door")?, Door::new()?);
    let holder = submit(place, hold_lock, (lock.clone(), door.path()))?;
    let held = door.knock()?;
    thread::scope(|scope| {
        let next = || lock.acquire_within(PATIENCE).map(|held| held.map(|held| held.was_abandoned()));
        let next = scope.spawn(next);
        assert!(holder.kill());
        held.ends();
        let told = next.join().expect("waiting does not panic")?;
        assert_eq!(told, Some(true), "it passes on, and the next one is told");
        Ok::<_, anyplace::Error>(())
    })?;
    assert_eq!(ended(holder).expect_err("it was killed").kind(), Kind::Cancelled);
    let again = lock.acquire_within(PATIENCE)?;
    assert!(again.is_some_and(|guard| !guard.was_abandoned()), "only the next one is told");
    Ok(())
}

pub(super) fn a_lock_is_released_once_for_each_time(place: &Place) -> Result<()> {
    let lock = place.lock("door")?;
    lock.acquire()?.keep();
    lock.release()?;
    let error = lock.release().expect_err("nobody has it");
    assert_eq!(
        (error.kind(), error.place()),
        (Kind::NotHeld, Some(&*place.address().to_string())),
        "{error:?}"
    );
    assert!(error.help().is_some(), "{error:?}");
    Ok(())
}

pub(super) fn an_rlock_is_its_owners_as_often_as_it_likes(place: &Place) -> Result<()> {
    let lock = place.rlock("door")?;
    let (outer, inner) = (lock.acquire()?, lock.acquire()?);
    let another = || thread::scope(|scope| scope.spawn(|| Ok(lock.try_acquire()?.is_some())).join());
    let gets_it = || -> Result<bool> { another().expect("trying does not panic") };
    assert!(!gets_it()?);
    drop(outer);
    assert!(!gets_it()?, "it was taken twice");
    drop(inner);
    assert!(gets_it()?);
    let mine = lock.acquire()?;
    let stranger =
        thread::scope(|scope| scope.spawn(|| lock.release(anyplace::share::thread_owner())).join());
    assert_eq!(stranger.expect("no panic").expect_err("it is not its own").kind(), Kind::NotHeld);
    drop(mine);
    Ok(())
}
