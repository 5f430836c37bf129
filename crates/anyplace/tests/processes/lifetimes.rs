//! Nothing outlives its owner.

use crate::support::{Door, Held, Nothing, command, this_program, wait_at};
use anyplace::open;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use std::process::Stdio;
use std::time::{Duration, Instant};

crate::trials!["lifetimes":
    workers_of_a_killed_parent_are_gone,
    two_hundred_places_leave_nothing_behind,
];

/// Runs two tasks at the door named by its second argument, for ever.
pub(crate) fn parent() {
    anyplace::init();
    let door = std::env::args().nth(2).unwrap();
    let place = open("processes:2").unwrap();
    let tasks = [place.submit(wait_at, door.clone()).unwrap(), place.submit(wait_at, door).unwrap()];
    for task in tasks {
        task.wait().unwrap();
    }
}

fn workers_of_a_killed_parent_are_gone() -> Nothing {
    let door = Door::new();
    let mut parent = command(&this_program("--role-parent")).arg(door.path()).spawn()?;
    let held = [door.knock(), door.knock()];
    parent.kill()?;
    parent.wait()?;
    held.into_iter().for_each(Held::ends);
    Ok(())
}

#[anyplace::task]
fn next(number: u32) -> u32 {
    number + 1
}

/// Opens, uses and closes places, and compares what this process holds before and after.
pub(crate) fn two_hundred_places() {
    anyplace::init();
    use_one();
    let before = (count("/proc/self/fd"), count("/proc/self/task"));
    (0..200).for_each(|_| use_one());
    // A joined thread leaves the table of threads a moment after it has let go of its joiner.
    let deadline = Instant::now() + Duration::from_secs(10);
    while (count("/proc/self/fd"), count("/proc/self/task")) != before {
        assert!(
            Instant::now() < deadline,
            "descriptors and threads: {before:?} became {:?}",
            count("/proc/self/fd")
        );
        std::thread::yield_now();
    }
    let children = waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT);
    assert_eq!(children.err(), Some(rustix::io::Errno::CHILD), "children are left");
}

fn use_one() {
    let place = open("processes:2").unwrap();
    let results: Vec<u32> = place.map(next, 0..4).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(results, [1, 2, 3, 4]);
    place.close().unwrap();
}

fn count(folder: &str) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

fn two_hundred_places_leave_nothing_behind() -> Nothing {
    let ended = command(&this_program("--role-two-hundred-places")).stderr(Stdio::piped()).output()?;
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    Ok(())
}
