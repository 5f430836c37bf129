//! Workers that die: only what they ran is lost, and the error says what happened.

use crate::support::{Door, Nothing, is_gone, wait_at, work};
use anyplace::{Exit, Kind, Place, Retry, TaskOptions, open};
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::time::Duration;

crate::trials!["crashes":
    a_segfault_costs_only_its_own_task,
    a_kill_costs_only_its_own_task_and_is_likely_out_of_memory,
    an_exit_costs_only_its_own_task,
    an_abort_costs_only_its_own_task,
    a_panic_costs_only_its_own_task,
    a_hung_task_is_ended_at_its_deadline_and_costs_only_itself,
    the_error_has_the_workers_last_lines,
    a_crash_in_a_chunk_costs_only_its_own_item,
    of_an_idempotent_chunk_only_the_guilty_item_fails,
    an_idempotent_task_whose_worker_dies_is_run_again,
    a_worker_that_dies_while_idle_is_replaced,
    a_chunk_whose_worker_dies_in_a_strict_place_ends_with_the_place,
];

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Act {
    Innocent(u32),
    Signal(i32),
    Exit(i32),
    Panic,
    Hang,
}

#[anyplace::task]
#[allow(clippy::print_stderr)] // What a worker writes there is kept for the error.
fn act(wanted: Act) -> u32 {
    match wanted {
        Act::Innocent(number) => number,
        Act::Signal(number) => {
            let signal = Signal::from_named_raw(number).unwrap();
            // Rust's own handler takes the first SIGSEGV, finds no overflown stack, and leaves the next to the kernel.
            loop {
                kill_process(getpid(), signal).unwrap();
            }
        }
        Act::Exit(code) => {
            eprintln!("leaving with {code}");
            std::process::exit(code)
        }
        Act::Panic => panic!("on purpose"),
        Act::Hang => loop {
            std::thread::park();
        },
    }
}

/// Runs one guilty task among twenty innocent ones, of which all must return; gives the guilty one's error.
fn one_guilty(guilty: Act) -> anyplace::Result<anyplace::Error> {
    let place = open("processes:2")?;
    let before = submit_innocent(&place, 0..4)?;
    let options = TaskOptions { timeout: Some(Duration::from_secs(1)), ..TaskOptions::default() };
    let guilty = place.submit_work(work(act, &guilty), options)?;
    let after = submit_innocent(&place, 4..20)?;
    for (number, handle) in before.into_iter().chain(after) {
        assert_eq!(handle.wait()?, number);
    }
    let error = guilty.wait().unwrap_err();
    place.close()?;
    Ok(error)
}

fn submit_innocent(
    place: &Place,
    numbers: std::ops::Range<u32>,
) -> anyplace::Result<Vec<(u32, anyplace::Handle<u32>)>> {
    numbers.map(|number| Ok((number, place.submit(act, Act::Innocent(number))?))).collect()
}

fn a_segfault_costs_only_its_own_task() -> Nothing {
    let error = one_guilty(Act::Signal(Signal::SEGV.as_raw()))?;
    assert_eq!((error.kind(), error.exit()), (Kind::WorkerLost, Some(Exit::Signal(11))));
    assert_eq!(error.retry(), Retry::MayRepeat);
    assert!(error.message().ends_with("died while it ran the task: signal 11 (SIGSEGV)"), "{error:?}");
    Ok(())
}

fn a_kill_costs_only_its_own_task_and_is_likely_out_of_memory() -> Nothing {
    let error = one_guilty(Act::Signal(Signal::KILL.as_raw()))?;
    assert_eq!((error.kind(), error.exit()), (Kind::WorkerLost, Some(Exit::Signal(9))));
    assert!(error.help().unwrap().contains("likely out of memory"), "{error:?}");
    Ok(())
}

fn an_exit_costs_only_its_own_task() -> Nothing {
    let error = one_guilty(Act::Exit(3))?;
    assert_eq!((error.kind(), error.exit()), (Kind::WorkerLost, Some(Exit::Code(3))));
    Ok(())
}

fn an_abort_costs_only_its_own_task() -> Nothing {
    let error = one_guilty(Act::Signal(Signal::ABORT.as_raw()))?;
    assert_eq!((error.kind(), error.exit()), (Kind::WorkerLost, Some(Exit::Signal(6))));
    Ok(())
}

fn a_panic_costs_only_its_own_task() -> Nothing {
    let error = one_guilty(Act::Panic)?;
    assert_eq!((error.kind(), error.message()), (Kind::TaskFailed, "the task panicked: on purpose"));
    Ok(())
}

fn a_hung_task_is_ended_at_its_deadline_and_costs_only_itself() -> Nothing {
    let error = one_guilty(Act::Hang)?;
    assert_eq!((error.kind(), error.retry(), error.attempt()), (Kind::Timeout, Retry::MayRepeat, 1));
    Ok(())
}

fn the_error_has_the_workers_last_lines() -> Nothing {
    let error = one_guilty(Act::Exit(7))?;
    assert_eq!(error.log_tail(), Some("leaving with 7"));
    Ok(())
}

fn ten_with_one_guilty() -> impl Iterator<Item = Act> {
    (0..20)
        .map(|number| if number == 13 { Act::Signal(Signal::SEGV.as_raw()) } else { Act::Innocent(number) })
}

fn a_crash_in_a_chunk_costs_only_its_own_item() -> Nothing {
    let results: Vec<_> = open("processes:2")?.map(act, ten_with_one_guilty())?.chunk(10).collect();
    for (number, result) in results.into_iter().enumerate() {
        match result {
            Ok(value) => assert_eq!(value, number as u32),
            Err(error) => {
                assert_eq!((number, error.kind(), error.retry()), (13, Kind::WorkerLost, Retry::MayRepeat));
            }
        }
    }
    Ok(())
}

fn of_an_idempotent_chunk_only_the_guilty_item_fails() -> Nothing {
    let place = open("processes:2")?;
    let results: Vec<_> = place.map(act, ten_with_one_guilty())?.chunk(10).idempotent().collect();
    let (guilty, innocent): (Vec<_>, Vec<_>) = (0..).zip(results).partition(|(_, result)| result.is_err());
    assert!(innocent.into_iter().all(|(number, result)| result.unwrap() == number));
    let [(13, Err(error))] = guilty.as_slice() else { panic!("{guilty:?}") };
    assert_eq!((error.kind(), error.retry(), error.attempt()), (Kind::WorkerLost, Retry::Never, 4));
    Ok(())
}

/// Notes that it was called, and dies until it was called `times` times.
#[anyplace::task]
fn die_until(notes: String, times: u64) -> u64 {
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(notes).unwrap();
    file.write_all(b".").unwrap();
    let called = file.metadata().unwrap().len();
    if called < times {
        std::process::abort();
    }
    called
}

fn an_idempotent_task_whose_worker_dies_is_run_again() -> Nothing {
    let folder = tempfile::tempdir().unwrap();
    let path = |name| folder.path().join(name).to_str().unwrap().to_owned();
    let place = open("processes:1")?;
    let options = TaskOptions { idempotent: true, ..TaskOptions::default() };
    let third = place.submit_work(work(die_until, &(path("three"), 3)), options.clone())?;
    third.wait()?;
    let never = place.submit_work(work(die_until, &(path("never"), u64::MAX)), options)?;
    assert_eq!(never.wait().unwrap_err().kind(), Kind::WorkerLost);
    assert_eq!(std::fs::read(path("three")).unwrap().len(), 3);
    assert_eq!(std::fs::read(path("never")).unwrap().len(), 4);
    Ok(())
}

fn a_worker_that_dies_while_idle_is_replaced() -> Nothing {
    let (place, door) = (open("processes:1")?, Door::new());
    let first = place.submit(wait_at, door.path())?;
    drop(door.knock());
    let pid = first.wait()?;
    kill_process(rustix::process::Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
    is_gone(pid);
    assert_eq!(place.submit(act, Act::Innocent(5))?.wait()?, 5);
    Ok(())
}

fn a_chunk_whose_worker_dies_in_a_strict_place_ends_with_the_place() -> Nothing {
    let place = open("processes:2?strict=true")?;
    let results: Vec<_> = place.map(act, ten_with_one_guilty())?.chunk(20).collect();
    let (returned, lost): (Vec<_>, Vec<_>) = (0..).zip(results).partition(|(_, result)| result.is_ok());
    assert!(returned.into_iter().all(|(number, result)| number < 13 && result.unwrap() == number));
    assert!(lost.iter().all(|(_, result)| result.as_ref().unwrap_err().kind() == Kind::WorkerLost));
    assert_eq!(lost.len(), 7);
    Ok(())
}
