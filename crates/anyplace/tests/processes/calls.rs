//! Functions called in other processes.

use crate::support::{command, this_program};
use anyplace::{Kind, Result, open};

crate::trials!["calls":
    a_function_runs_in_another_process,
    a_map_gives_results_in_order,
    a_panic_is_the_tasks_error_and_its_worker_goes_on,
    a_hundred_megabytes_travel_both_ways,
    thousands_of_tasks_run_on_a_few_workers,
    tasks_one_after_the_other_need_one_worker,
    a_task_knows_its_item_attempt_and_worker,
    a_task_reads_nothing_from_standard_input,
    what_workers_print_is_passed_on,
];

#[anyplace::task]
fn area(radius: f64) -> f64 {
    radius * radius * std::f64::consts::PI
}

#[anyplace::task]
fn process() -> u32 {
    std::process::id()
}

#[anyplace::task]
fn divide(left: u32, right: u32) -> u32 {
    left / right
}

fn a_function_runs_in_another_process() -> Result<()> {
    let place = open("processes:1")?;
    assert_eq!(place.submit(area, 2.0)?.wait()?, area(2.0));
    assert_ne!(place.submit(process, ())?.wait()?, std::process::id());
    Ok(())
}

fn a_map_gives_results_in_order() -> Result<()> {
    let place = open("processes:2")?;
    let results: Vec<u32> = place.map(divide, (0..5000).map(|n| (n, 1)))?.collect::<Result<_>>()?;
    assert_eq!(results, (0..5000).collect::<Vec<_>>());
    Ok(())
}

fn tasks_one_after_the_other_need_one_worker() -> Result<()> {
    let place = open("processes:8")?;
    let first = place.submit(process, ())?.wait()?;
    for _ in 0..100 {
        assert_eq!(place.submit(process, ())?.wait()?, first);
    }
    Ok(())
}

fn a_panic_is_the_tasks_error_and_its_worker_goes_on() -> Result<()> {
    let place = open("processes:1")?;
    let before = place.submit(process, ())?.wait()?;
    let error = place.submit(divide, (1, 0))?.wait().unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (Kind::TaskFailed, "the task panicked: attempt to divide by zero")
    );
    assert_eq!(place.submit(process, ())?.wait()?, before);
    Ok(())
}

#[anyplace::task]
fn turn(mut text: String) -> String {
    let first = text.remove(0);
    text.push(first);
    text
}

fn a_hundred_megabytes_travel_both_ways() -> Result<()> {
    let place = open("processes:1")?;
    let large = "a".to_owned() + &"b".repeat(100_000_000);
    let turned = place.submit(turn, large)?.wait()?;
    assert_eq!((turned.len(), &turned[..2], &turned[99_999_999..]), (100_000_001, "bb", "ba"));
    Ok(())
}

fn thousands_of_tasks_run_on_a_few_workers() -> Result<()> {
    let place = open("processes:3")?;
    let handles: Vec<_> = (0..5000).map(|n| place.submit(divide, (n, 1))).collect::<Result<_>>()?;
    let pids: Vec<_> = (0..100).map(|_| place.submit(process, ())).collect::<Result<_>>()?;
    for (number, handle) in (0..).zip(handles) {
        assert_eq!(handle.wait()?, number);
    }
    let pids: std::collections::BTreeSet<u32> =
        pids.into_iter().map(anyplace::Handle::wait).collect::<Result<_>>()?;
    assert!((1..=3).contains(&pids.len()));
    Ok(())
}

#[anyplace::task]
fn whoami(_: u8) -> (u64, u64, u32, usize, u64) {
    let context = anyplace::current().unwrap();
    (context.task, context.index, context.attempt, context.workers, context.seed())
}

fn a_task_knows_its_item_attempt_and_worker() -> Result<()> {
    let here: Vec<_> = open("inline:?seed=42")?.map(whoami, [0; 5])?.collect::<Result<_>>()?;
    let there: Vec<_> = open("processes:2?seed=42")?.map(whoami, [0; 5])?.chunk(3).collect::<Result<_>>()?;
    let seeds = |all: &[(u64, u64, u32, usize, u64)]| all.iter().map(|who| who.4).collect::<Vec<_>>();
    assert_eq!(seeds(&here), seeds(&there));
    assert_eq!(there.iter().map(|who| who.1).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert!(there.iter().all(|who| (who.2, who.3) == (1, 2)));
    Ok(())
}

#[anyplace::task]
fn read() -> String {
    std::io::read_to_string(std::io::stdin()).unwrap()
}

fn a_task_reads_nothing_from_standard_input() -> Result<()> {
    assert_eq!(open("processes:1")?.submit(read, ())?.wait()?, "");
    Ok(())
}

#[anyplace::task]
#[allow(clippy::print_stdout, clippy::print_stderr)] // What is printed is what is tested.
fn print_much(lines: u32) {
    (0..lines).for_each(|line| eprintln!("{line:099}"));
    println!("printed");
}

/// Prints more than any pipe holds, in two workers at once.
pub(crate) fn chatty() {
    anyplace::init();
    let place = open("processes:2").unwrap();
    place.map(print_much, [20_000, 20_000]).unwrap().chunk(1).for_each(Result::unwrap);
}

fn what_workers_print_is_passed_on() -> Result<()> {
    let printed = command(&this_program("--role-chatty")).output()?;
    assert!(printed.status.success());
    assert_eq!(
        (printed.stdout.as_slice(), printed.stderr.len()),
        (&b"printed\nprinted\n"[..], 2 * 20_000 * 100)
    );
    Ok(())
}
