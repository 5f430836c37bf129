//! What has to be reached.

use crate::record::{Record, Row};
use crate::spread::shown;

/// What anyplace has to reach in a case.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// At least this many times as good as the peer.
    Times(&'static str, f64),
    /// At most this value, in the case's unit.
    AtMost(f64),
    /// At least this value, in the case's unit.
    AtLeast(f64),
}

use Goal::{AtLeast, AtMost, Times};

/// THE targets: suite, case, goal. A case that is also measured with more workers has the same goals there.
const TARGETS: &[(&str, &str, Goal)] = &[
    ("threads", "round trip p50", Times("ThreadPoolExecutor", 4.0)),
    ("threads", "submit all then collect", Times("ThreadPoolExecutor", 4.0)),
    ("processes", "round trip p50", Times("ProcessPoolExecutor", 40.0)),
    ("processes", "round trip p50", AtMost(5.0)),
    ("processes", "CPU per round trip", Times("ProcessPoolExecutor", 10.0)),
    ("processes", "submit all then collect", Times("ProcessPoolExecutor", 25.0)),
    ("processes", "submit all then collect", Times("multiprocessing.Pool", 10.0)),
    ("processes", "map one item a chunk", Times("ProcessPoolExecutor", 30.0)),
    ("processes", "map as called by default", Times("multiprocessing.Pool", 1.5)),
    ("processes", "map as called by default", AtLeast(8e6)),
    ("processes", "10000 awaited from asyncio", Times("ProcessPoolExecutor", 15.0)),
    ("processes", "100 MB argument", Times("ProcessPoolExecutor", 30.0)),
    ("processes", "100 MB argument", Times("memcpy + touch", 1.0 / 1.5)),
    ("processes", "100 MB result", Times("ProcessPoolExecutor", 15.0)),
    ("processes", "100 MB result", Times("make + memcpy + touch", 1.0 / 1.5)),
    ("processes", "start to first result of a first pool", Times("ProcessPoolExecutor", 1.0)),
    ("processes", "start to first result of a second pool", Times("ProcessPoolExecutor", 1.0)),
    ("processes", "idle CPU of 8 workers", AtMost(0.5)),
    ("share", "threads: Lock acquire + release", Times("threading", 1.5)),
    ("share", "threads: Semaphore there and back", Times("threading", 10.0)),
    ("share", "threads: Condition there and back", Times("threading", 10.0)),
    ("share", "threads: Event there and back", Times("threading", 10.0)),
    ("share", "thread queue: put + get", Times("queue.Queue", 4.0)),
    ("share", "thread queue: put + get", Times("queue.SimpleQueue", 1.0)),
    ("share", "thread queue: 1 producer 1 consumer", Times("queue.Queue", 4.0)),
    ("share", "thread queue: 1 producer 1 consumer", Times("queue.SimpleQueue", 1.0)),
    ("share", "processes: Lock acquire + release", Times("multiprocessing", 1.0)),
    ("share", "process queue: small ints", Times("multiprocessing.Queue", 8.0)),
    ("share", "process queue: small ints", Times("faster-fifo", 8.0)),
    ("share", "process queue: small ints", AtLeast(1.5e6)),
    ("share", "process queue: 1 MB arrays", Times("multiprocessing.Queue", 4.0)),
    ("share", "process queue: 1 MB arrays", AtLeast(6000.0)),
    ("share", "process queue: round trip p50", Times("multiprocessing.Queue", 10.0)),
    ("share", "process queue: idle CPU of 8 blocked in get", AtMost(0.5)),
    ("share", "manager: dict get", Times("multiprocessing", 20.0)),
    ("share", "Rust: bounded queue 1 to 1", Times("crossbeam-channel", 1.0 / 1.2)),
    ("share", "Rust: bounded queue 4 to 4", Times("crossbeam-channel", 1.0 / 1.2)),
    ("share", "Rust: unbounded queue 1 to 1", Times("crossbeam-channel", 1.0 / 1.2)),
    ("share", "Rust: unbounded queue 4 to 4", Times("crossbeam-channel", 1.0 / 1.2)),
    ("share", "Rust: queue there and back", Times("crossbeam-channel", 1.0 / 1.2)),
    ("net", "echo from Python 1 connection", Times("asyncio", 1.0)),
    ("net", "echo from Python 100 connections", Times("asyncio", 1.0)),
    ("net", "echo from Python by requests 1 connection", Times("asyncio", 1.0)),
    ("net", "echo from Python by requests 100 connections", Times("asyncio", 1.0)),
    ("net", "echo from Rust by futures 1 connection", Times("tokio", 1.0)),
    ("net", "echo from Rust by futures 100 connections", Times("tokio", 1.0)),
    ("net", "echo from Rust 1 connection", Times("tokio", 1.0)),
    ("net", "echo from Rust 100 connections", Times("tokio", 1.0)),
    ("net", "echo from Python 10000 idle connections", AtMost(150.0)),
    ("net", "echo from Rust 10000 idle connections", AtMost(150.0)),
    ("net", "call over a unix socket p50", Times("Pyro5", 3.0)),
    ("net", "call over a unix socket p50", Times("ZeroMQ", 2.0)),
    ("net", "call over a unix socket p50", Times("socket", 1.0 / 1.6)),
    ("net", "call over TCP p50", Times("Pyro5", 2.0)),
    ("net", "tasks mapped", Times("Pyro5", 50.0)),
    ("net", "tasks mapped", AtLeast(1e5)),
    ("net", "file over TCP", Times("sendfile", 0.9)),
    ("net", "file over TCP with TLS", AtLeast(1.5)),
    ("rayon", "items of 1 us", Times("rayon", 1.0 / 1.1)),
    ("rayon", "items of 10 us", Times("rayon", 1.0 / 1.1)),
    ("rayon", "items of 100 us", Times("rayon", 1.0 / 1.1)),
    ("rayon", "items of 1 ms", Times("rayon", 1.0 / 1.1)),
    ("commands", "true", Times("xargs", 1.3)),
    ("commands", "true", Times("parallel", 8.0)),
    ("commands", "echo {}", Times("xargs", 1.3)),
    ("commands", "echo {}", Times("parallel", 8.0)),
    ("commands", "nothing", Times("xargs", 1.3)),
    ("commands", "nothing", Times("parallel", 8.0)),
    ("commands", "start of one", AtMost(5.0)),
    ("commands", "peak memory", AtMost(15.0)),
    ("async", "coroutines that yield once", Times("gather", 1.0)),
    ("async", "coroutines that sleep 1 ms", Times("gather", 1.0)),
];

/// How the goals beside a peer came out in a case.
pub(crate) fn beside(record: &Record, row: &Row, peer: &str) -> impl Iterator<Item = String> {
    of(row).filter(move |goal| goal.peer() == Some(peer)).map(|goal| goal.verdict(record, row))
}

/// How the goals that need no peer came out in a case.
pub(crate) fn alone(record: &Record, row: &Row) -> impl Iterator<Item = String> {
    of(row).filter(|goal| goal.peer().is_none()).map(|goal| goal.verdict(record, row))
}

/// The cases of a suite in which something has to be reached.
#[cfg(test)]
pub(crate) fn cases(suite: &str) -> impl Iterator<Item = &'static str> {
    TARGETS.iter().filter(move |target| target.0 == suite).map(|target| target.1)
}

/// The goals of a case: `CASE (4 workers)` has those of `CASE`.
fn of(row: &Row) -> impl Iterator<Item = Goal> {
    let case = row.case.split(" (").next().unwrap_or_default();
    TARGETS
        .iter()
        .filter(move |target| (target.0, target.1) == (row.suite.as_str(), case))
        .map(|target| target.2)
}

impl Goal {
    fn peer(self) -> Option<&'static str> {
        if let Times(peer, _) = self { Some(peer) } else { None }
    }

    /// `reached`, or `missed by` how much.
    fn verdict(self, record: &Record, row: &Row) -> String {
        let ours = record.spread(&row.suite, &row.case, "anyplace").median;
        let unit = &row.unit;
        match self {
            Times(peer, least) => {
                let found = record.times(row, peer).median;
                verdict(ratio(least, peer), least / found)
            }
            AtMost(most) => verdict(format!("at most {most} {unit}"), ours / most),
            AtLeast(least) => verdict(format!("at least {} {unit}", shown(least)), least / ours),
        }
    }
}

/// A goal below 1 says how much slower than a floor is allowed.
fn ratio(least: f64, peer: &str) -> String {
    if least < 1.0 { format!("within {:.1} of {peer}", 1.0 / least) } else { format!("{least} times {peer}") }
}

/// `missing` is what is missing as a factor: up to 1, nothing is.
fn verdict(goal: String, missing: f64) -> String {
    if missing <= 1.0 {
        return format!("{goal}: reached");
    }
    format!("{goal}: missed by {:.0} %", (missing - 1.0) * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts_of(case: &str, ours: f64) -> Vec<String> {
        let mut record = Record { suite: "processes".into(), rows: vec![] };
        record.add(case, "anyplace", ours, "us");
        record.add(case, "ProcessPoolExecutor", 200.0, "us");
        let row = &record.rows[0];
        beside(&record, row, "ProcessPoolExecutor").chain(alone(&record, row)).collect()
    }

    #[test]
    fn a_verdict_says_by_how_much_the_target_is_missed() {
        let reached = ["40 times ProcessPoolExecutor: reached", "at most 5 us: reached"];
        assert_eq!(verdicts_of("round trip p50", 5.0), reached);
        let missed = ["40 times ProcessPoolExecutor: missed by 100 %", "at most 5 us: missed by 100 %"];
        assert_eq!(verdicts_of("round trip p50 (4 workers)", 10.0), missed);
    }

    #[test]
    fn what_was_not_measured_is_not_reached() {
        assert!(verdicts_of("round trip p50", f64::NAN).iter().all(|verdict| verdict.contains("missed")));
    }
}
