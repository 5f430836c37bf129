//! The end of a place.

use crate::door::{Door, Held, Notes};
use crate::leftovers::Holdings;
use crate::submit::{How, ended, map, submit, submit_hold};
use crate::work::{double, succeed_at};
use anyplace::{Handle, Kind, Place, Result, Retry};
use std::thread;
use std::time::Duration;

/// Tasks that keep the place busy, each held at the door.
pub(super) fn busy(place: &Place, door: &Door) -> Result<(Vec<Handle<u32>>, Vec<Held>)> {
    let begin = |_| Ok((submit_hold(place, door)?, door.knock()?));
    let pairs = (0..at_once(place)).map(begin).collect::<Result<Vec<_>>>()?;
    Ok(pairs.into_iter().unzip())
}

/// How many tasks the place runs at once: its workers, or as many as a limit around it lets in.
fn at_once(place: &Place) -> usize {
    let has_limit = place.layers().any(|layer| layer == "limit");
    if has_limit { crate::behaviours::LIMITED_TO } else { place.limits().workers }
}

pub(super) fn a_closed_place_refuses(place: &Place) -> Result<()> {
    place.close()?;
    assert!(place.is_closed());
    for error in [submit(place, double, 1).map(drop), map(place, double, [1], How::default()).map(drop)] {
        let error = error.expect_err("it is closed");
        assert_eq!((error.kind(), error.retry()), (Kind::PlaceClosed, Retry::Safe), "{error:?}");
        assert!(error.help().is_some(), "{error:?}");
    }
    place.close()
}

pub(super) fn closing_waits_for_what_was_accepted(place: &Place) -> Result<()> {
    let notes = Notes::new()?;
    let accept = |_| submit(place, succeed_at, (1, notes.path()));
    let handles: Vec<_> = (0..20).map(accept).collect::<Result<_>>()?;
    place.close()?;
    assert_eq!(notes.count()?, 20);
    assert!(handles.iter().all(Handle::is_done));
    handles.into_iter().try_for_each(|handle| ended(handle).map(drop))
}

/// The place is closed without grace while all its workers are busy and others wait.
pub(super) fn every_accepted_task_has_one_outcome_though_the_place_closes(place: &Place) -> Result<()> {
    let door = Door::new()?;
    let (mut handles, held) = busy(place, &door)?;
    for _ in 0..20 {
        handles.push(submit_hold(place, &door)?);
    }
    thread::scope(|scope| {
        let closer = scope.spawn(|| place.close_within(Duration::ZERO));
        while !place.is_closed() {
            thread::yield_now();
        }
        // Where tasks cannot be ended, this lets them end.
        if !place.limits().can_kill {
            drop(held);
        }
        // From here on nobody may be held: the door is gone, and whoever finds it gone fails.
        drop(door);
        closer.join().expect("closing does not panic")
    })?;
    assert_eq!(place.unfinished(), 0);
    for handle in handles {
        if let Err(error) = ended(handle) {
            let ends = [Kind::Cancelled, Kind::WorkerLost, Kind::PlaceClosed, Kind::TaskFailed];
            assert!(ends.contains(&error.kind()), "{error:?}");
        }
    }
    Ok(())
}

/// A second place like this one is opened, used and closed, and the process holds no more than before. The first one
/// has by then started whatever is started once and stays.
pub(super) fn nothing_is_left_behind(place: &Place) -> Result<()> {
    map(place, double, 0..100, How::default())?.for_each(drop);
    place.close()?;
    let before = Holdings::now()?;
    for _ in 0..3 {
        let place = anyplace::open(place.address())?;
        map(&place, double, 0..100, How::default())?.try_for_each(|result| result.map(drop))?;
        drop(submit(&place, double, 1)?);
        place.close()?;
    }
    before.is_all_again(Duration::from_secs(10))
}
