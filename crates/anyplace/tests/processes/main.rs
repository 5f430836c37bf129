//! `processes:` with real processes. This program is its own worker, so its `main` is not the test harness's.

mod backlogs;
mod calls;
mod crashes;
mod distant;
mod endings;
mod exhausted;
mod lifetimes;
mod objects;
mod peers;
mod serving;
mod setups;
mod sharing;
mod starts;
mod strict;
mod support;

use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = support::run_role() {
        return code;
    }
    anyplace::init();
    let trials = [
        backlogs::trials(),
        calls::trials(),
        crashes::trials(),
        distant::trials(),
        endings::trials(),
        exhausted::trials(),
        lifetimes::trials(),
        objects::trials(),
        peers::trials(),
        serving::trials(),
        setups::trials(),
        sharing::trials(),
        starts::trials(),
        strict::trials(),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials.into_iter().flatten().collect()).exit_code()
}

type Test = (&'static str, fn() -> anyplace::Result<()>);

/// The trials of one file. A failed promise panics; an error of the place fails the trial with all it says.
fn of(group: &'static str, tests: &'static [Test]) -> Vec<Trial> {
    let trial = |(name, test): &'static Test| {
        Trial::test(format!("{group}::{name}"), move || test().map_err(|error| format!("{error:?}").into()))
    };
    tests.iter().map(trial).collect()
}

/// Lists tests by the names of their functions.
macro_rules! trials {
    ($group:literal: $($name:ident),+ $(,)?) => {
        pub(crate) fn trials() -> Vec<libtest_mimic::Trial> {
            crate::of($group, &[$((stringify!($name), $name)),+])
        }
    };
}
use trials;
