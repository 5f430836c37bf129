//! Two ends.

use crate::door::Door;
use crate::share::{PATIENCE, answer, hold_end};
use crate::submit::{ended, submit};
use anyplace::{Error, Kind, Place, Result};
use std::thread;
use std::time::Duration;

pub(super) fn each_end_of_a_pipe_receives_what_the_other_sends(place: &Place) -> Result<()> {
    let (here, there) = place.pipe::<String>("")?;
    here.send("one".to_owned())?;
    here.send("two".to_owned())?;
    ended(submit(place, answer, (there.clone(), 2))?)?;
    assert!(here.poll(PATIENCE)?);
    assert_eq!((here.recv()?, here.recv()?), ("one!".to_owned(), "two!".to_owned()));
    assert!(!here.poll(Duration::from_millis(5))?);
    assert_eq!(here.recv_within(Duration::from_millis(5))?, None);
    drop(there);
    Ok(())
}

fn is_ended(error: &Error) {
    assert_eq!(error.kind(), Kind::Ended, "{error:?}");
    assert!(error.help().is_some(), "{error:?}");
}

pub(super) fn a_pipe_ends_when_its_other_end_is_closed(place: &Place) -> Result<()> {
    let (here, there) = place.pipe::<u64>("")?;
    let again = there.clone();
    there.send(7)?;
    drop(there);
    here.send(8)?;
    drop(again);
    assert!(here.poll(PATIENCE)?);
    assert_eq!(here.recv()?, 7, "what was sent before can be received");
    assert!(here.poll(PATIENCE)?, "the end can be seen");
    is_ended(&here.recv().expect_err("the other end is closed"));
    is_ended(&here.send(9).expect_err("nobody would receive it"));
    let (waits, closes) = place.pipe::<u64>("")?;
    thread::scope(|scope| {
        let waiter = scope.spawn(|| waits.recv());
        drop(closes);
        is_ended(&waiter.join().expect("waiting does not panic").expect_err("nothing comes"));
    });
    Ok(())
}

pub(super) fn a_pipe_of_one_way_goes_from_its_second_end_to_its_first(place: &Place) -> Result<()> {
    let (reads, writes) = place.simplex::<u64>("")?;
    writes.send(1)?;
    assert_eq!(reads.recv()?, 1);
    is_ended(&reads.send(2).expect_err("it only receives"));
    Ok(())
}

/// The other side finds the end of the pipe, not silence.
pub(super) fn a_pipe_ends_when_the_worker_at_its_other_end_is_killed(place: &Place) -> Result<()> {
    let (here, there) = place.pipe::<u64>("")?;
    let door = Door::new()?;
    let holder = submit(place, hold_end, (there.clone(), door.path()))?;
    let held = door.knock()?;
    drop(there);
    assert_eq!(here.recv()?, 7);
    assert!(!here.poll(Duration::from_millis(5))?, "it is held");
    assert!(holder.kill());
    held.ends();
    assert!(here.poll(PATIENCE)?);
    is_ended(&here.recv().expect_err("nobody has the other end"));
    assert!(ended(holder).is_err());
    Ok(())
}
