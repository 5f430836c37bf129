//! Why nothing goes on.

use crate::door::Door;
use crate::share::{PATIENCE, hold_then_get, until};
use crate::submit::{ended, submit};
use anyplace::share::why::Why;
use anyplace::{Kind, Place, Result};
use std::thread;
use std::time::Duration;

pub(super) fn why_tells_who_has_and_who_waits_and_where(place: &Place) -> Result<()> {
    assert!(place.why().objects.is_empty());
    let lock = place.lock("door")?;
    let held = lock.acquire()?;
    let why = thread::scope(|scope| {
        let waiter = scope.spawn(|| lock.acquire_within(PATIENCE).map(|got| got.is_some()));
        until(|| place.why().objects.iter().any(|object| !object.waiters.is_empty()));
        let why = place.why();
        drop(held);
        assert!(waiter.join().expect("waiting does not panic")?);
        Ok::<_, anyplace::Error>(why)
    })?;
    let [door] = why.objects.as_slice() else { panic!("{why}") };
    assert_eq!((door.kind.name(), &*door.name), ("lock", "door"));
    let ([holder], [waiter]) = (door.holders.as_slice(), door.waiters.as_slice()) else { panic!("{why}") };
    assert_eq!((holder.process, waiter.process), (std::process::id(), std::process::id()));
    assert!(holder.thread != 0 && waiter.thread != 0 && holder.thread != waiter.thread, "{why}");
    assert!(waiter.line.contains("behaviours/share/why.rs:"), "{why}");
    assert!(waiter.since.is_some_and(|since| since < PATIENCE), "{why}");
    assert!(why.to_string().contains("lock `door` is held by"), "{why}");
    assert!(why.deadlocks.is_empty());
    Ok(())
}

/// Each of two tasks has what the other wants.
pub(super) fn why_names_a_deadlock(place: &Place) -> Result<()> {
    let (left, right, door) = (place.lock("left")?, place.lock("right")?, Door::new()?);
    let one = submit(place, hold_then_get, (left.clone(), right.clone(), door.path()))?;
    let first = door.knock()?;
    let other = submit(place, hold_then_get, (right.clone(), left.clone(), door.path()))?;
    let second = door.knock()?;
    assert!(place.why().deadlocks.is_empty(), "nobody waits yet");
    drop((first, second));
    until(|| !place.why().deadlocks.is_empty());
    let why: Why = place.why();
    let [ring] = why.deadlocks.as_slice() else { panic!("{why}") };
    let mut names: Vec<&str> = ring.links.iter().map(|link| &*link.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["left", "right"], "{why}");
    assert!(ring.links.iter().all(|link| link.who.task.is_some()), "tasks are named: {why}");
    assert!(why.to_string().contains("deadlock: task "), "{why}");
    place.close_within(Duration::ZERO)?;
    // Once one of them has ended, the other may have what it wanted.
    let (ends, ways_out) =
        ([ended(one), ended(other)], [Kind::Cancelled, Kind::WorkerLost, Kind::TaskFailed]);
    assert!(ends.iter().any(Result::is_err));
    let is_as_told = |error: &anyplace::Error| ways_out.contains(&error.kind());
    assert!(ends.iter().filter_map(|end| end.as_ref().err()).all(is_as_told), "{ends:?}");
    Ok(())
}
