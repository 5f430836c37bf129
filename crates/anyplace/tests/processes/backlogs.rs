//! More tasks than the board has room for, and tasks that are taken back.

use crate::support::{Door, Nothing, wait_at};
use anyplace::{Place, open};
use std::sync::mpsc;
use std::time::{Duration, Instant};

crate::trials!["backlogs":
    a_task_behind_a_board_of_cancelled_ones_begins,
    a_task_behind_cancelled_ones_is_called_back_though_nobody_waits,
];

/// As many tasks as a board of few workers holds.
const BOARD: usize = 1024;

/// Shorter than what a keeper that nobody calls sleeps.
const PATIENCE: Duration = Duration::from_millis(1500);

#[anyplace::task]
fn same(number: u32) -> u32 {
    number
}

/// Fills what is free of the board, and takes all of that back.
fn fill_with_cancelled(place: &Place, tasks: usize) -> Nothing {
    let tasks = (0..tasks).map(|_| place.submit(same, 1)).collect::<anyplace::Result<Vec<_>>>()?;
    for task in &tasks {
        // One may have been faster.
        task.cancel();
    }
    Ok(())
}

fn a_task_behind_a_board_of_cancelled_ones_begins() -> Nothing {
    let place = open("processes:1")?;
    fill_with_cancelled(&place, BOARD)?;
    let last = place.submit(same, 7)?;
    assert!(last.wait_until(Instant::now() + PATIENCE), "its slots were taken by tasks that had ended");
    assert_eq!(last.wait()?, 7);
    Ok(())
}

fn a_task_behind_cancelled_ones_is_called_back_though_nobody_waits() -> Nothing {
    let (place, door) = (open("processes:1")?, Door::new());
    let first = place.submit(wait_at, door.path())?;
    let held = door.knock();
    fill_with_cancelled(&place, BOARD - 1)?;
    let (told, tells) = mpsc::channel();
    place.submit(same, 7)?.when_done(move || told.send(()).unwrap());
    drop(held);
    assert!(tells.recv_timeout(PATIENCE).is_ok(), "nobody posted it when the board was free");
    first.wait()?;
    Ok(())
}
