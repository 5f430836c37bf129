//! What an address may ask of workers, and workers that do not come.

use crate::support::{Nothing, command, is_gone};
use anyplace::{Exit, Kind, Registry, Setup, open};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::time::{Duration, Instant};

crate::trials!["starts":
    variables_of_the_address_are_in_the_workers_environment,
    workers_stay_on_the_cores_of_the_address,
    without_a_number_there_are_as_many_workers_as_cores_of_the_address,
    a_worker_that_takes_too_much_memory_costs_one_task,
    a_worker_that_keeps_too_much_memory_is_replaced,
    a_worker_that_never_greets_does_not_hold_up_the_end,
];

#[anyplace::task]
fn variable(name: String) -> Option<String> {
    std::env::var(name).ok()
}

fn variables_of_the_address_are_in_the_workers_environment() -> Nothing {
    let place = open("processes:1?env=COLOUR=green,SIZE=3%25")?;
    assert_eq!(place.submit(variable, "COLOUR".to_owned())?.wait()?.as_deref(), Some("green"));
    assert_eq!(place.submit(variable, "SIZE".to_owned())?.wait()?.as_deref(), Some("3%"));
    assert_eq!(std::env::var_os("COLOUR"), None);
    Ok(())
}

#[anyplace::task]
fn cores() -> usize {
    anyplace::usable_cores()
}

/// One of those that this process may use.
fn a_core() -> usize {
    let ours = rustix::thread::sched_getaffinity(None).unwrap();
    (0..rustix::thread::CpuSet::MAX_CPU).find(|core| ours.is_set(*core)).unwrap()
}

fn workers_stay_on_the_cores_of_the_address() -> Nothing {
    let place = open(&*format!("processes:2?cpus={}", a_core()))?;
    assert_eq!(place.submit(cores, ())?.wait()?, 1);
    Ok(())
}

fn without_a_number_there_are_as_many_workers_as_cores_of_the_address() -> Nothing {
    let place = open(&*format!("processes:?cpus={}", a_core()))?;
    assert_eq!(place.limits().workers, 1);
    Ok(())
}

#[anyplace::task]
fn take(bytes: usize) -> usize {
    std::hint::black_box(vec![1_u8; bytes]).len()
}

/// A Rust program that gets no memory ends itself.
fn a_worker_that_takes_too_much_memory_costs_one_task() -> Nothing {
    let place = open("processes:1?memory=200MiB&env=RUST_BACKTRACE=0")?;
    let error = place.submit(take, 1 << 30)?.wait().unwrap_err();
    assert_eq!((error.kind(), error.exit()), (Kind::WorkerLost, Some(Exit::Signal(6))));
    assert!(error.log_tail().unwrap().contains("memory allocation"), "{error:?}");
    assert_eq!(place.submit(take, 1 << 20)?.wait()?, 1 << 20);
    Ok(())
}

/// Raises its own limit, and leaks more than the place allows.
#[anyplace::task]
fn keep(bytes: usize) -> u32 {
    let maximum = getrlimit(Resource::Data).maximum;
    setrlimit(Resource::Data, Rlimit { current: maximum, maximum }).unwrap();
    Vec::leak(vec![1_u8; bytes]);
    std::process::id()
}

fn a_worker_that_keeps_too_much_memory_is_replaced() -> Nothing {
    let place = open("processes:1?memory=100MiB")?;
    let first = place.submit(keep, 1 << 20)?.wait()?;
    let second = place.submit(keep, 200 << 20)?.wait()?;
    let third = place.submit(keep, 0)?.wait()?;
    assert_eq!(first, second);
    assert_ne!(second, third);
    is_gone(second);
    Ok(())
}

fn a_worker_that_never_greets_does_not_hold_up_the_end() -> Nothing {
    let folder = tempfile::tempdir()?;
    let number = folder.path().join("number");
    assert!(command(&["mkfifo".into(), number.clone().into()]).status()?.success());
    let script = format!("echo $$ > {}; exec sleep 3600", number.display());
    let worker = Some(["sh", "-c", &script].map(Into::into).to_vec());
    let place = Registry::standard().with_setup(Setup { worker, ..Setup::default() }).open("processes:1")?;
    let task = place.submit(take, 1)?;
    let pid: u32 = std::fs::read_to_string(number)?.trim().parse().unwrap();
    let closing = Instant::now();
    place.close_within(Duration::ZERO)?;
    assert!(closing.elapsed() < Duration::from_secs(10));
    is_gone(pid);
    assert_eq!(task.wait().unwrap_err().kind(), Kind::Cancelled);
    Ok(())
}
