//! Functions called in other processes.

use anyplace::{Kind, Result, open};

crate::trials!["calls":
    a_function_runs_in_another_process,
    a_map_gives_results_in_order,
    a_panic_is_the_tasks_error_and_its_worker_goes_on,
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
