//! Every behaviour on every embedded place. This program is its own worker, so its `main` is not the test harness's.

use anyplace::serve::Offer;
use anyplace::{Address, Driver, Entry, Limits, Registry, Result, Setup};
use anyplace_testkit::behaviours::LIMITED_TO;
use anyplace_testkit::{Kit, Trial};
use libtest_mimic::Arguments;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

fn main() -> ExitCode {
    hush_tasks();
    anyplace::init();
    let mut arguments = Arguments::from_args();
    // One behaviour counts what the process holds, so no other runs beside it.
    arguments.test_threads = Some(1);
    let folder = tempfile::tempdir().expect("a folder for sockets is made");
    let trials = all_trials(folder.path()).unwrap_or_else(|error| panic!("{error:?}"));
    let skipped: Vec<String> = trials.iter().filter_map(skip_line).collect();
    let conclusion = libtest_mimic::run(&arguments, trials.into_iter().map(as_test).collect());
    drop(folder);
    if !arguments.list && tell(&skipped).is_err() {
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

/// Tasks panic on purpose; only what panics outside of them is worth reading.
fn hush_tasks() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if anyplace::current().is_none() {
            print(panic);
        }
    }));
}

fn addresses() -> Vec<String> {
    let stack = format!("progress::retry=2::timeout=1h::limit={LIMITED_TO}::threads:4");
    let plain = ["inline:", "threads:1", "threads:4", "processes:2", "async:8"];
    plain.into_iter().map(str::to_owned).chain([stack, "lacking:".to_owned()]).collect()
}

/// Where this process offers the place of a trial, if it has to. What was shared in a place stays there, so each trial has
/// one of its own; its address, with its ticket, is known when it is offered.
type Stage = Option<String>;

fn all_trials(folder: &Path) -> Result<Vec<(Trial, Stage)>> {
    let kit = kit();
    let mut trials = Vec::new();
    for address in addresses() {
        trials.extend(kit.trials(&address)?.into_iter().map(|trial| (trial, None)));
    }
    for endpoint in [format!("unix:{}", folder.join("place.sock").display()), "tcp://127.0.0.1:0".to_owned()]
    {
        let offer = offer(&endpoint)?;
        let offered = kit.trials(&offer.address().reveal())?;
        trials.extend(offered.into_iter().map(|trial| (trial, Some(endpoint.clone()))));
        offer.close(Duration::ZERO)?;
    }
    Ok(trials)
}

fn kit() -> Kit {
    Kit::new(Registry::standard().with(LACKING))
}

fn offer(endpoint: &str) -> Result<Offer> {
    anyplace::open("processes:2")?.offer(endpoint)
}

fn as_test((trial, stage): (Trial, Stage)) -> libtest_mimic::Trial {
    let (name, is_skipped) = (named(&trial, &stage), trial.skip().is_some());
    let run = move || match stage {
        None => trial.run(),
        Some(endpoint) => run_offered(&trial, &endpoint),
    };
    let run = move || run().map_err(|error| format!("{error:?}").into());
    libtest_mimic::Trial::test(name, run).with_ignored_flag(is_skipped)
}

/// Runs the same trial in a place that is offered for it.
fn run_offered(trial: &Trial, endpoint: &str) -> Result<()> {
    let offer = offer(endpoint)?;
    let trials = kit().trials(&offer.address().reveal())?;
    let same = trials.into_iter().find(|other| other.name() == trial.name());
    same.expect("the same behaviours are shown wherever a place is offered").run()?;
    offer.close(Duration::ZERO)
}

/// What a trial is called: without a ticket, and the same each time.
fn named(trial: &Trial, stage: &Stage) -> String {
    let at = stage.as_deref().unwrap_or(trial.address());
    format!("{at} {}", trial.name())
}

fn skip_line((trial, stage): &(Trial, Stage)) -> Option<String> {
    trial.skip().map(|reason| format!("{}: {reason}", named(trial, stage)))
}

fn tell(skipped: &[String]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} trials are skipped, since they cannot apply:", skipped.len())?;
    skipped.iter().try_for_each(|line| writeln!(out, "  {line}"))
}

/// A driver that lacks every family: each has one trial, for how it says so.
const LACKING: Entry = Entry {
    scheme: "lacking",
    about: "lacks every family",
    forms: &["lacking:"],
    options: &[],
    families: &[],
    check: |_| Ok(()),
    open: |address: &Address, _: &Setup| Ok(Arc::new(Lacking(address.clone()))),
};

#[derive(Debug)]
struct Lacking(Address);

impl Driver for Lacking {
    fn address(&self) -> &Address {
        &self.0
    }

    fn limits(&self) -> Limits {
        Limits {
            workers: 0,
            max_payload: None,
            durable: false,
            ordered: false,
            can_kill: false,
            strict: false,
            takes: &[],
        }
    }

    fn close(&self, _: Duration) -> Result<()> {
        Ok(())
    }
}
