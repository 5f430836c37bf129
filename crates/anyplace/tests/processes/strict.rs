//! Strict places: the death of a worker is the end of the place, as in Python's `concurrent.futures`.

use crate::support::{Door, Nothing, is_gone, wait_at};
use anyplace::{Error, Exit, Handle, Kind, Place, Retry, open};
use rustix::process::{Pid, Signal, kill_process};

crate::trials!["strict":
    the_death_of_a_worker_ends_every_task_and_worker,
    an_idle_workers_death_breaks_the_place,
    an_exit_with_code_zero_breaks_the_place_as_well,
    a_chunk_tells_its_guilty_item_from_those_that_ended_with_it,
    a_running_task_that_is_ended_on_request_takes_the_others_with_it,
    a_worker_that_leaves_after_its_tasks_breaks_nothing,
    a_place_that_is_closed_stays_unbroken,
];

#[anyplace::task]
fn leave(code: i32) -> i32 {
    std::process::exit(code)
}

#[anyplace::task]
fn leave_at(number: i32) -> i32 {
    if number == 3 { std::process::exit(9) } else { number }
}

#[anyplace::task]
fn own_number() -> u32 {
    std::process::id()
}

fn kill(pid: u32) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
}

/// What whoever submits to a broken place is told, at once.
fn refusal(place: &Place) -> Error {
    let error = place.submit(own_number, ()).map(drop).unwrap_err();
    assert_eq!(
        (error.kind(), error.operation(), error.retry()),
        (Kind::WorkerLost, Some("submit"), Retry::Safe)
    );
    assert!(error.help().unwrap().contains("strict"), "{error:?}");
    error
}

fn the_death_of_a_worker_ends_every_task_and_worker() -> Nothing {
    let (place, door) = (open("processes:3?strict=true")?, Door::new());
    let warm: Vec<u32> = place.map(own_number, vec![(); 1])?.collect::<anyplace::Result<_>>()?;
    let handles = (0..5).map(|_| place.submit(wait_at, door.path())).collect::<anyplace::Result<Vec<_>>>()?;
    let held = [door.knock(), door.knock(), door.knock()];
    kill(warm[0]);
    let errors: Vec<Error> = handles.into_iter().map(|handle| handle.wait().unwrap_err()).collect();
    assert!(errors.iter().all(|error| error.kind() == Kind::WorkerLost), "{errors:?}");
    assert!(errors.iter().all(|error| error.exit() == Some(Exit::Signal(9))), "{errors:?}");
    let own = errors.iter().filter(|error| error.message().contains("while it ran"));
    assert_eq!(own.count(), 1, "one was run by the worker that was killed: {errors:?}");
    let never_ran = errors.iter().filter(|error| error.retry() == Retry::Safe);
    assert_eq!(never_ran.count(), 2, "{errors:?}");
    refusal(&place);
    is_gone(warm[0]);
    drop(held);
    place.close()
}

fn an_idle_workers_death_breaks_the_place() -> Nothing {
    let (place, door) = (open("processes:2?strict=true")?, Door::new());
    let handles = [place.submit(wait_at, door.path())?, place.submit(wait_at, door.path())?];
    drop([door.knock(), door.knock()]);
    let [first, second] = handles.map(Handle::wait);
    let (killed, other) = (first?, second?);
    kill(killed);
    // The other takes tasks until the place has heard of the death.
    while place.submit(own_number, ()).is_ok_and(|handle| handle.wait().is_ok()) {}
    let error = refusal(&place);
    assert_eq!((error.exit(), error.message().contains(&killed.to_string())), (Some(Exit::Signal(9)), true));
    is_gone(other);
    place.close()
}

fn an_exit_with_code_zero_breaks_the_place_as_well() -> Nothing {
    let place = open("processes:1?strict=true")?;
    let error = place.submit(leave, 0)?.wait().unwrap_err();
    assert_eq!((error.kind(), error.exit()), (Kind::WorkerLost, Some(Exit::Code(0))));
    refusal(&place);
    Ok(())
}

fn a_chunk_tells_its_guilty_item_from_those_that_ended_with_it() -> Nothing {
    let place = open("processes:1?strict=true")?;
    let results: Vec<_> = place.map(leave_at, 0..6)?.chunk(6).collect();
    let told: Vec<_> = results.iter().map(|result| result.as_ref().map_err(Error::message)).collect();
    assert_eq!(told[..3], [Ok(&0), Ok(&1), Ok(&2)]);
    assert!(told[3].unwrap_err().contains("while it ran"), "{told:?}");
    assert!(told[4..].iter().all(|told| told.unwrap_err().ends_with("died: exit code 9")), "{told:?}");
    refusal(&place);
    Ok(())
}

fn a_running_task_that_is_ended_on_request_takes_the_others_with_it() -> Nothing {
    let (place, door) = (open("processes:2?strict=true")?, Door::new());
    let [first, second] = [place.submit(wait_at, door.path())?, place.submit(wait_at, door.path())?];
    let held = [door.knock(), door.knock()];
    assert!(first.kill());
    assert_eq!(first.wait().unwrap_err().kind(), Kind::Cancelled);
    assert_eq!(second.wait().unwrap_err().kind(), Kind::WorkerLost);
    refusal(&place);
    drop(held);
    Ok(())
}

fn a_worker_that_leaves_after_its_tasks_breaks_nothing() -> Nothing {
    let place = open("processes:1?strict=true&max_tasks=1")?;
    let pids: Vec<u32> =
        (0..3).map(|_| place.submit(own_number, ())?.wait()).collect::<anyplace::Result<_>>()?;
    assert!(pids[0] != pids[1] && pids[1] != pids[2], "{pids:?}");
    place.close()
}

fn a_place_that_is_closed_stays_unbroken() -> Nothing {
    let place = open("processes:2?strict=true")?;
    place.submit(own_number, ())?.wait()?;
    place.close()?;
    assert_eq!(place.submit(own_number, ()).map(drop).unwrap_err().kind(), Kind::PlaceClosed);
    Ok(())
}
