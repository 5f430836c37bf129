//! The functions that behaviours run: by name where tasks leave the process, as closures or futures where not.

use crate::door;
use anyplace::Context;

/// Twice the number.
#[anyplace::task]
pub(crate) fn double(number: u64) -> u64 {
    number * 2
}

/// What it was given.
#[anyplace::task]
pub(crate) fn echo(text: String) -> String {
    text
}

/// Ten by the number: panics at 0.
#[anyplace::task]
pub(crate) fn ten_by(number: u64) -> u64 {
    10 / number
}

/// Panics with the text.
#[anyplace::task]
pub(crate) fn fail(text: String) -> u64 {
    panic!("{text}")
}

/// Knocks at the door and waits until it is opened.
#[anyplace::task]
pub(crate) fn hold(door: String) -> u32 {
    door::wait_at(&door).expect("the door stands until the behaviour ends");
    std::process::id()
}

/// [`hold`], as a future.
pub(crate) async fn hold_async(door: String) -> u32 {
    door::WaitAt::new(&door).expect("the door stands until the behaviour ends").await;
    std::process::id()
}

/// The item's seed.
#[anyplace::task]
pub(crate) fn seed(_: u64) -> u64 {
    context().seed()
}

/// The item's index, attempt and worker.
#[anyplace::task]
pub(crate) fn who(_: u64) -> (u64, u32, u64) {
    let context = context();
    (context.index, context.attempt, context.worker as u64)
}

/// Notes each attempt in the file and fails until this one.
#[anyplace::task]
pub(crate) fn succeed_at(attempt: u32, notes: String) -> u32 {
    door::note(&notes).expect("the notes stand until the behaviour ends");
    assert_eq!(context().attempt, attempt, "not yet");
    attempt
}

/// The sum of the first numbers, doubled in a place opened here.
#[anyplace::task]
pub(crate) fn sum_in(address: String, count: u64) -> u64 {
    let place = anyplace::open(address).expect("the address is right");
    let doubled = place.map(double, 0..count).expect("the place is open");
    doubled.map(|number| number.expect("doubling cannot fail")).sum()
}

/// Ends the process it runs in, as an out-of-memory killer would.
#[anyplace::task]
pub(crate) fn die(_: u64) -> u64 {
    use rustix::process::{Signal, getpid, kill_process};
    kill_process(getpid(), Signal::KILL).expect("a process may end itself");
    unreachable!("nobody survives SIGKILL")
}

fn context() -> Context {
    anyplace::current().expect("a task has a context")
}
