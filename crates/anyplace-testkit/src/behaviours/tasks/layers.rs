//! Layers around the place.

use crate::door::{Door, Notes};
use crate::submit::{How, ended, map, submit, submit_hold};
use crate::work::{fail, succeed_at, ten_by};
use anyplace::layers::{Limit, Progress, Retry, Timeout};
use anyplace::{Kind, Place, Result};
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(30);

/// The handle has its outcome, and the task is gone or the error says that it is not.
pub(super) fn a_task_past_its_time_fails_by_it(place: &Place) -> Result<()> {
    let timed = place.clone().with(Timeout::after(SHORT))?;
    let door = Door::new()?;
    let handle = submit_hold(&timed, &door)?;
    let held = door.knock()?;
    let error = ended(handle).expect_err("its time was over");
    assert_eq!((error.kind(), error.retry()), (Kind::Timeout, anyplace::Retry::MayRepeat), "{error:?}");
    assert!(error.message().contains("30ms"), "{error:?}");
    if place.limits().can_kill {
        held.ends();
    } else {
        assert!(error.message().contains("still runs") && error.help().is_some(), "{error:?}");
    }
    Ok(())
}

/// Attempts are made until one succeeds, and no more.
pub(super) fn a_failure_is_tried_again(place: &Place) -> Result<()> {
    let retried = place.clone().with(Retry::times(5).backoff(Duration::from_millis(1)))?;
    let notes = Notes::new()?;
    assert_eq!(ended(submit(&retried, succeed_at, (3, notes.path()))?)?, 3);
    assert_eq!(notes.count()?, 3);
    Ok(())
}

/// When every attempt fails, the last one's error is the task's, with its number.
pub(super) fn the_last_attempt_is_counted_in_the_error(place: &Place) -> Result<()> {
    let retried = place.clone().with(Retry::times(3))?;
    let error = ended(submit(&retried, fail, "again".to_owned())?).expect_err("it always fails");
    assert_eq!((error.kind(), error.attempt()), (Kind::TaskFailed, 3), "{error:?}");
    Ok(())
}

/// Five tasks through a limit of two: whenever two are held, no third stands at the door.
pub(super) fn at_most_n_run_at_once(place: &Place) -> Result<()> {
    let limited = place.clone().with(Limit::at_most(2))?;
    let door = Door::new()?;
    let handles: Vec<_> = (0..5).map(|_| submit_hold(&limited, &door)).collect::<Result<_>>()?;
    let mut held = vec![door.knock()?];
    for _ in 1..5 {
        held.push(door.knock()?);
        let running = handles.iter().filter(|handle| handle.is_running()).count();
        assert!(running <= 2 && !door.is_knocked(), "{running} run");
        held.remove(0);
    }
    drop(held);
    handles.into_iter().try_for_each(|handle| ended(handle).map(drop))
}

/// A counter around the place sees each item begin and end once.
pub(super) fn progress_counts_every_item_once(place: &Place) -> Result<()> {
    let progress = Progress::counting();
    let counted = place.clone().with(progress.clone())?;
    assert_eq!(ended(submit(&counted, ten_by, 5)?)?, 2);
    ended(submit(&counted, ten_by, 0)?).expect_err("nothing is ten by zero");
    let counts = progress.counts();
    assert_eq!((counts.submitted, counts.returned, counts.failed), (2, 1, 1), "{counts:?}");
    map(&counted, ten_by, 1..=100, How::default())?.for_each(drop);
    let counts = progress.counts();
    assert_eq!((counts.submitted, counts.started, counts.ended()), (102, 102, 102), "{counts:?}");
    map(&counted, ten_by, [5, 0, 2, 0, 0], How { chunk: Some(5), unordered: false })?.for_each(drop);
    let counts = progress.counts();
    assert_eq!((counts.returned, counts.failed), (103, 4), "{counts:?}");
    Ok(())
}
