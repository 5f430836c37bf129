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
    let skipped: Vec<String> = trials.iter().map(|(trial, _)| trial).filter_map(skip_line).collect();
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

<<<<<<< HEAD
/// What a trial's place is reached at, if this process has to offer one there. What was shared in a place stays there, so each
/// trial has one of its own.
type Stage = Option<String>;
=======
/// Places that this process offers, and the folder of their sockets.
fn offers() -> Result<(TempDir, Vec<Offer>)> {
    let folder = tempfile::tempdir()?;
    let socket = format!("unix:{}", folder.path().join("place.sock").display());
    let offer = |endpoint: &str| anyplace::open("processes:2")?.offer(endpoint);
    Ok((folder, vec![offer(&socket)?, offer("tcp://127.0.0.1:0")?]))
}
>>>>>>> main

fn all_trials(folder: &Path) -> Result<Vec<(Trial, Stage)>> {
    let kit = Kit::new(Registry::standard().with(LACKING));
<<<<<<< HEAD
    let mut trials = Vec::new();
    for address in addresses() {
        trials.extend(kit.trials(&address)?.into_iter().map(|trial| (trial, None)));
    }
    let socket = format!("unix:{}", folder.join("place.sock").display());
    let offer = offer(&socket)?;
    trials.extend(kit.trials(&socket)?.into_iter().map(|trial| (trial, Some(socket.clone()))));
    offer.close(Duration::ZERO)?;
    Ok(trials)
}

fn offer(endpoint: &str) -> Result<Offer> {
    anyplace::open("processes:2")?.offer(endpoint)
}

fn as_test((trial, stage): (Trial, Stage)) -> libtest_mimic::Trial {
    let (name, is_skipped) = (format!("{} {}", trial.address(), trial.name()), trial.skip().is_some());
    let run = move || -> Result<()> {
        let offer = stage.as_deref().map(offer).transpose()?;
        trial.run()?;
        offer.map_or(Ok(()), |offer| offer.close(Duration::ZERO))
    };
    let run = move || run().map_err(|error| format!("{error:?}").into());
=======
    let all = addresses().into_iter().chain(offers.iter().map(|offer| offer.address().reveal()));
    let all: Vec<String> = all.collect();
    let trials: Vec<Vec<Trial>> = all.iter().map(|address| kit.trials(address)).collect::<Result<_>>()?;
    Ok(trials.into_iter().flatten().collect())
}

fn as_test(trial: Trial) -> libtest_mimic::Trial {
    let (name, is_skipped) = (format!("{} {}", shown(&trial), trial.name()), trial.skip().is_some());
    let run = move || trial.run().map_err(|error| format!("{error:?}").into());
>>>>>>> main
    libtest_mimic::Trial::test(name, run).with_ignored_flag(is_skipped)
}

/// The address without its ticket.
fn shown(trial: &Trial) -> String {
    trial.address().parse::<Address>().map_or_else(|error| error.to_string(), |address| address.to_string())
}

fn skip_line(trial: &Trial) -> Option<String> {
    trial.skip().map(|reason| format!("{} {}: {reason}", shown(trial), trial.name()))
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
