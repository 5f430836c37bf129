//! Tasks that somebody ends.

use super::closing::busy;
use crate::door::{Door, Notes};
use crate::submit::{ended, submit, submit_hold};
use crate::work::succeed_at;
use anyplace::{Handle, Kind, Place, Result, Retry};

/// A task that is cancelled while all workers are busy never runs, and its error says so.
pub(super) fn a_cancelled_task_never_begins(place: &Place) -> Result<()> {
    let (door, notes) = (Door::new()?, Notes::new()?);
    let (running, held) = busy(place, &door)?;
    let waiting = submit(place, succeed_at, (1, notes.path()))?;
    assert!(waiting.cancel());
    drop(held);
    let error = ended(waiting).expect_err("it was cancelled");
    assert_eq!((error.kind(), error.retry()), (Kind::Cancelled, Retry::Safe), "{error:?}");
    running.into_iter().try_for_each(|handle| ended(handle).map(drop))?;
    place.close()?;
    assert_eq!(notes.count()?, 0);
    Ok(())
}

/// Tasks that wait have their outcome when `cancel` returns; those that run go on.
pub(super) fn cancelling_a_place_ends_what_waits_at_once(place: &Place) -> Result<()> {
    let (door, notes) = (Door::new()?, Notes::new()?);
    let (running, held) = busy(place, &door)?;
    let wait = |_| submit(place, succeed_at, (1, notes.path()));
    let waiting: Vec<_> = (0..20).map(wait).collect::<Result<_>>()?;
    place.cancel();
    assert!(waiting.iter().all(Handle::is_done));
    assert!(running.iter().all(Handle::is_running));
    drop(held);
    for handle in waiting {
        let error = ended(handle).expect_err("it was cancelled");
        assert_eq!((error.kind(), error.retry()), (Kind::Cancelled, Retry::Safe), "{error:?}");
    }
    running.into_iter().try_for_each(|handle| ended(handle).map(drop))?;
    assert_eq!(notes.count()?, 0);
    Ok(())
}

/// Killing ends the task itself, not only its handle, and the place goes on.
pub(super) fn a_running_task_can_be_killed(place: &Place) -> Result<()> {
    let (door, other) = (Door::new()?, Door::new()?);
    let handle = submit_hold(place, &door)?;
    let held = door.knock()?;
    assert!(handle.kill());
    let error = ended(handle).expect_err("it was killed");
    assert_eq!((error.kind(), error.retry()), (Kind::Cancelled, Retry::MayRepeat), "{error:?}");
    held.ends();
    let next = submit_hold(place, &other)?;
    drop(other.knock()?);
    ended(next).map(drop)
}

/// Where a task cannot be ended, asking for it changes nothing.
pub(super) fn a_place_that_cannot_kill_says_so(place: &Place) -> Result<()> {
    let door = Door::new()?;
    let handle = submit_hold(place, &door)?;
    let held = door.knock()?;
    assert!(!handle.kill());
    assert!(!handle.cancel());
    drop(held);
    assert_eq!(ended(handle)?, std::process::id());
    Ok(())
}
