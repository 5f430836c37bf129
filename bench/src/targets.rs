//! What has to be reached.

use crate::record::Record;

/// What anyplace has to reach in a case.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// At least this many times as good as the peer.
    Times(&'static str, f64),
    /// At most this value, in the case's unit.
    AtMost(f64),
}

/// THE targets: suite, case, goal.
const TARGETS: &[(&str, &str, Goal)] = &[
    ("threads", "round trip p50", Goal::Times("ThreadPoolExecutor", 4.0)),
    ("threads", "submit all then collect", Goal::Times("ThreadPoolExecutor", 4.0)),
    ("rayon", "items of 1 us", Goal::Times("rayon", 1.0 / 1.1)),
    ("rayon", "items of 10 us", Goal::Times("rayon", 1.0 / 1.1)),
    ("rayon", "items of 100 us", Goal::Times("rayon", 1.0 / 1.1)),
    ("rayon", "items of 1 ms", Goal::Times("rayon", 1.0 / 1.1)),
    ("commands", "true", Goal::Times("xargs", 1.3)),
    ("commands", "true", Goal::Times("parallel", 8.0)),
    ("commands", "echo {}", Goal::Times("xargs", 1.3)),
    ("commands", "echo {}", Goal::Times("parallel", 8.0)),
    ("commands", "nothing", Goal::Times("xargs", 1.3)),
    ("commands", "nothing", Goal::Times("parallel", 8.0)),
    ("commands", "start of one", Goal::AtMost(5.0)),
    ("commands", "peak memory", Goal::AtMost(15.0)),
    ("async", "coroutines that yield once", Goal::Times("gather", 1.0)),
    ("async", "coroutines that sleep 1 ms", Goal::Times("gather", 1.0)),
];

/// The targets of a case.
pub(crate) fn of(suite: &str, case: &str) -> impl Iterator<Item = Goal> {
    TARGETS.iter().filter(move |target| (target.0, target.1) == (suite, case)).map(|target| target.2)
}

/// How many times as good as the peer anyplace is: above 1 is better, whichever way the unit counts.
pub(crate) fn times(ours: f64, theirs: f64, unit: &str) -> f64 {
    if unit.ends_with("/s") { ours / theirs } else { theirs / ours }
}

impl Goal {
    /// `reached`, or `missed by` how much.
    pub(crate) fn verdict(self, record: &Record, suite: &str, case: &str, unit: &str) -> String {
        let median = |who| record.median(suite, case, who).unwrap_or(f64::NAN);
        let ours = median("anyplace");
        match self {
            Self::Times(peer, least) => {
                let found = times(ours, median(peer), unit);
                verdict(format!("{least:.2} times {peer}"), found >= least, (least / found - 1.0) * 100.0)
            }
            Self::AtMost(most) => {
                verdict(format!("at most {most} {unit}"), ours <= most, (ours / most - 1.0) * 100.0)
            }
        }
    }
}

fn verdict(goal: String, is_reached: bool, percent: f64) -> String {
    if is_reached { format!("{goal}: reached") } else { format!("{goal}: missed by {percent:.0} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(ours: f64, theirs: f64) -> Record {
        let mut record = Record { suite: "threads", rows: vec![] };
        record.add("round trip p50", "anyplace", ours, "us");
        record.add("round trip p50", "ThreadPoolExecutor", theirs, "us");
        record
    }

    fn verdict_of(ours: f64, theirs: f64) -> String {
        let goal = of("threads", "round trip p50").next().unwrap();
        goal.verdict(&record(ours, theirs), "threads", "round trip p50", "us")
    }

    #[test]
    fn a_verdict_says_by_how_much_the_target_is_missed() {
        assert_eq!(verdict_of(10.0, 40.0), "4.00 times ThreadPoolExecutor: reached");
        assert_eq!(verdict_of(20.0, 40.0), "4.00 times ThreadPoolExecutor: missed by 100 %");
    }

    #[test]
    fn rates_are_better_when_larger_and_times_when_smaller() {
        assert_eq!((times(8.0, 2.0, "items/s"), times(2.0, 8.0, "ms")), (4.0, 4.0));
    }
}
