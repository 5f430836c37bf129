//! The place a run opens, with `-j` in its address.

use anyplace::{Address, Place, Registry, Setup};
use rustix::process::{Resource, getrlimit};

use crate::args::{self, variables};
use crate::report::{Report, Result};

/// A command that runs holds two pipes, a pidfd and sometimes two files.
const FILES_OF_A_JOB: u64 = 6;

/// The Python module that is a worker when it is run.
const WORKER: &str = "anyplace._worker";

/// What it is told: standard output is for results, so what functions print goes to standard error.
const PRINTS: &str = "prints=stderr";

/// What the process itself holds.
const FILES_OF_OURS: u64 = 32;

/// Opens the place that `--on` and `-j` name.
pub(super) fn open(args: &args::Map) -> Result<Place> {
    let told = |error: anyplace::Error| match variables::holding("ANYPLACE", args.on.as_ref()) {
        Some(variable) => Report::from(error).at(variable),
        None => Report::from(error),
    };
    let address: Address = args.on.parse().map_err(told)?;
    let address = match args.jobs {
        Some(jobs) if takes_number(&address) => address.with_target(jobs.on(cores(), possible()).to_string()),
        Some(_) => {
            return Err(Report::usage(format!("-j has no meaning for `{address}`"))
                .help("it sets the number of a place that has one, such as processes:8"));
        }
        None => address,
    };
    registry(args).open(address).map_err(told)
}

/// Functions of Python run in workers of Python.
fn registry(args: &args::Map) -> Registry {
    let worker = [args.python.clone(), "-m".into(), WORKER.into(), PRINTS.into()];
    let setup = Setup { keys: crate::keys::folder(), ..Setup::default() };
    Registry::standard().with_setup(setup).with_worker(worker)
}

/// Its target is a number, or could be.
fn takes_number(address: &Address) -> bool {
    address.count().is_ok()
}

fn cores() -> usize {
    anyplace::usable_cores()
}

/// How many commands can run before files run out.
fn possible() -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(1024).min(65_536);
    usize::try_from(files.saturating_sub(FILES_OF_OURS) / FILES_OF_A_JOB).unwrap_or(1).max(1)
}
