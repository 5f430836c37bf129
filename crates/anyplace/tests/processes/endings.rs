//! Tasks that are ended, and places that are closed while they run.

use crate::support::{Door, Nothing, command, is_gone, wait_at};
use anyplace::{Kind, Retry, open};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

crate::trials!["endings":
    a_running_task_can_be_killed_and_the_next_runs,
    what_a_killed_task_has_started_ends_with_it,
    workers_of_a_killed_worker_end_with_it,
    a_cancelled_task_never_runs,
    a_busy_place_ends_what_runs_after_its_grace,
    a_place_waits_for_what_runs,
    a_place_can_be_closed_by_a_callback,
    a_worker_is_replaced_after_its_share_of_tasks,
    a_stopped_worker_keeps_no_task_from_another,
];

/// The number of its process, and which worker it is.
#[anyplace::task]
fn who(door: String) -> (u32, usize) {
    (wait_at(door), anyplace::current().unwrap().worker)
}

fn a_stopped_worker_keeps_no_task_from_another() -> Nothing {
    let (place, door) = (open("processes:2")?, Door::new());
    let tasks = [place.submit(who, door.path())?, place.submit(who, door.path())?];
    let held = [door.knock(), door.knock()];
    drop(held);
    let mut workers = Vec::new();
    for task in tasks {
        workers.push(task.wait()?);
    }
    // The first to be woken, when both sleep or look for work.
    let first = workers.iter().find(|(_, worker)| *worker == 0).unwrap().0;
    let first = rustix::process::Pid::from_raw(first as i32).unwrap();
    rustix::process::kill_process(first, rustix::process::Signal::STOP).unwrap();
    let other = place.submit(numbered, 7)?.wait_for(Duration::from_secs(20));
    rustix::process::kill_process(first, rustix::process::Signal::CONT).unwrap();
    assert_eq!(other.expect("the other worker does it")?, 7);
    Ok(())
}

#[anyplace::task]
fn numbered(number: u32) -> u32 {
    number
}

fn a_running_task_can_be_killed_and_the_next_runs() -> Nothing {
    let (place, door) = (open("processes:1")?, Door::new());
    let task = place.submit(wait_at, door.path())?;
    let next = place.submit(wait_at, door.path())?;
    let held = door.knock();
    assert!(task.kill());
    let error = task.wait().unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Cancelled, Retry::MayRepeat));
    held.ends();
    drop(door.knock());
    next.wait()?;
    Ok(())
}

/// Starts a program that would run for an hour, and tells its number.
#[allow(clippy::zombie_processes)] // That nobody waits for it is the point.
#[anyplace::task]
fn start_and_wait_at(door: String) {
    let child = command(&["sleep".into(), "3600".into()]).spawn().unwrap();
    let mut line = UnixStream::connect(door).unwrap();
    line.write_all(&child.id().to_le_bytes()).unwrap();
    line.read_to_end(&mut Vec::new()).unwrap();
}

fn what_a_killed_task_has_started_ends_with_it() -> Nothing {
    let (place, door) = (open("processes:1")?, Door::new());
    let task = place.submit(start_and_wait_at, door.path())?;
    let mut held = door.knock();
    let child = held.number();
    assert!(task.kill());
    held.ends();
    is_gone(child);
    Ok(())
}

/// Opens a place of its own, and waits for a task there.
#[anyplace::task]
fn wait_further_down(door: String) -> u32 {
    open("processes:1").unwrap().submit(wait_at, door).unwrap().wait().unwrap()
}

fn workers_of_a_killed_worker_end_with_it() -> Nothing {
    let (place, door) = (open("processes:1")?, Door::new());
    let returning = place.submit(wait_further_down, door.path())?;
    drop(door.knock());
    returning.wait()?;
    let killed = place.submit(wait_further_down, door.path())?;
    let held = door.knock();
    assert!(killed.kill());
    held.ends();
    Ok(())
}

fn a_cancelled_task_never_runs() -> Nothing {
    let (place, door) = (open("processes:1")?, Door::new());
    let first = place.submit(wait_at, door.path())?;
    let held = door.knock();
    let second = place.submit(wait_at, "no door".to_owned())?;
    assert!(second.cancel());
    drop(held);
    first.wait()?;
    assert_eq!(second.wait().unwrap_err().kind(), Kind::Cancelled);
    Ok(())
}

fn a_busy_place_ends_what_runs_after_its_grace() -> Nothing {
    let (place, door) = (open("processes:1")?, Door::new());
    let running = place.submit(wait_at, door.path())?;
    let waiting = place.submit(wait_at, door.path())?;
    let held = door.knock();
    place.close_within(Duration::ZERO)?;
    let error = running.wait().unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Cancelled, Retry::MayRepeat));
    assert_eq!(waiting.wait().unwrap_err().retry(), Retry::Safe);
    held.ends();
    Ok(())
}

fn a_place_waits_for_what_runs() -> Nothing {
    let (place, door) = (open("processes:1")?, Door::new());
    let task = place.submit(wait_at, door.path())?;
    let held = door.knock();
    let closing = std::thread::spawn(move || place.close());
    drop(held);
    closing.join().unwrap()?;
    task.wait().map(drop)
}

fn a_place_can_be_closed_by_a_callback() -> Nothing {
    let (place, door) = (open("processes:1")?, Door::new());
    let (tell, told) = std::sync::mpsc::channel();
    let closer = place.clone();
    let task = place.submit(wait_at, door.path())?;
    let held = door.knock();
    task.then(move |result| tell.send(result.and_then(|pid| closer.close().map(|()| pid))).unwrap());
    drop(held);
    let pid = told.recv_timeout(Duration::from_secs(30)).expect("closing never ended")?;
    place.close()?;
    drop(place);
    is_gone(pid);
    Ok(())
}

fn a_worker_is_replaced_after_its_share_of_tasks() -> Nothing {
    let (place, door) = (open("processes:1?max_tasks=2")?, Door::new());
    let mut pids = Vec::new();
    for _ in 0..4 {
        let task = place.submit(wait_at, door.path())?;
        drop(door.knock());
        pids.push(task.wait()?);
    }
    assert_eq!((pids[0], pids[2]), (pids[1], pids[3]));
    assert_ne!(pids[0], pids[2]);
    is_gone(pids[0]);
    Ok(())
}
