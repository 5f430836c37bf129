//! Every behaviour on every embedded place. This program is its own worker, so its `main` is not the test harness's.

use anyplace::serve::Offer;
use anyplace::{Address, Driver, Entry, Limits, Registry, Result, Setup};
use anyplace_testkit::behaviours::LIMITED_TO;
use anyplace_testkit::{Kit, Trial};
use libtest_mimic::Arguments;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

fn main() -> ExitCode {
    hush_tasks();
    anyplace::init();
    let mut arguments = Arguments::from_args();
    // One behaviour counts what the process holds, so no other runs beside it.
    arguments.test_threads = Some(1);
    let (folder, offers) = offers().unwrap_or_else(|error| panic!("{error:?}"));
    let trials = all_trials(&offers).unwrap_or_else(|error| panic!("{error:?}"));
    let skipped: Vec<String> = trials.iter().filter_map(skip_line).collect();
    let conclusion = libtest_mimic::run(&arguments, trials.into_iter().map(as_test).collect());
    drop((offers, folder));
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

/// Places that this process offers, and the folder of their sockets.
fn offers() -> Result<(TempDir, Vec<Offer>)> {
    let folder = tempfile::tempdir()?;
    let socket = format!("unix:{}", folder.path().join("place.sock").display());
    let offer = |endpoint: &str| anyplace::open("processes:2")?.offer(endpoint);
    Ok((folder, vec![offer(&socket)?, offer("tcp://127.0.0.1:0")?]))
}

fn all_trials(offers: &[Offer]) -> Result<Vec<Trial>> {
    let kit = Kit::new(Registry::standard().with(LACKING));
    let all = addresses().into_iter().chain(offers.iter().map(|offer| offer.address().reveal()));
    let all: Vec<String> = all.collect();
    let trials: Vec<Vec<Trial>> = all.iter().map(|address| kit.trials(address)).collect::<Result<_>>()?;
    Ok(trials.into_iter().flatten().collect())
}

fn as_test(trial: Trial) -> libtest_mimic::Trial {
    let (name, is_skipped) = (format!("{} {}", shown(&trial), trial.name()), trial.skip().is_some());
    let run = move || trial.run().map_err(|error| format!("{error:?}").into());
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
