//! Every measurement of a run.

use crate::Result;
use crate::spread::Spread;

/// Every measurement, in the order they were taken.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The suite that measures now.
    pub(crate) suite: String,
    /// The measurements.
    pub(crate) rows: Vec<Row>,
}

/// One measurement.
#[derive(Debug)]
pub(crate) struct Row {
    /// The suite that took it.
    pub(crate) suite: String,
    /// What was measured.
    pub(crate) case: String,
    /// `anyplace`, or the peer's name.
    pub(crate) who: String,
    /// What came out.
    pub(crate) value: f64,
    /// Its unit: `ns`, `us`, `ms`, `MB` and `%` are better small, `/s` is better large.
    pub(crate) unit: String,
}

const HEADER: &str = "suite,case,who,value,unit";

impl Record {
    /// The measurements of a run that was kept.
    pub(crate) fn read(csv: &str) -> Result<Self> {
        let rows: Result<Vec<Row>> = csv.lines().skip(1).map(Row::read).collect();
        Ok(Self { suite: String::new(), rows: rows? })
    }

    /// Adds a measurement and shows it.
    pub(crate) fn add(&mut self, case: &str, who: &str, value: f64, unit: &str) {
        println!("{case}: {who} {value:.3} {unit}");
        let (case, who, unit) = (case.into(), who.into(), unit.into());
        self.rows.push(Row { suite: self.suite.clone(), case, who, value, unit });
    }

    /// The measurements as a table with a header.
    pub(crate) fn csv(&self) -> String {
        let line = |row: &Row| format!("{},{},{},{},{}\n", row.suite, row.case, row.who, row.value, row.unit);
        let lines: String = self.rows.iter().map(line).collect();
        format!("{HEADER}\n{lines}")
    }

    /// The cases of the run in order, each with its suite and unit.
    pub(crate) fn cases(&self) -> Vec<&Row> {
        let mut cases: Vec<&Row> = vec![];
        for row in &self.rows {
            if cases.iter().all(|known| (&known.suite, &known.case) != (&row.suite, &row.case)) {
                cases.push(row);
            }
        }
        cases
    }

    /// Who was measured beside anyplace in a case, in the order of their names.
    pub(crate) fn peers(&self, suite: &str, case: &str) -> Vec<&str> {
        let rows = self.rows.iter().filter(|row| row.suite == suite && row.case == case);
        let mut names: Vec<&str> =
            rows.map(|row| row.who.as_str()).filter(|who| *who != "anyplace").collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// What `who` took in a case.
    pub(crate) fn spread(&self, suite: &str, case: &str, who: &str) -> Spread {
        Spread::of(self.values(suite, case, who))
    }

    /// How many times as good as the peer anyplace was, round by round: each number is made of two that were taken
    /// beside each other.
    pub(crate) fn times(&self, row: &Row, peer: &str) -> Spread {
        let values = |who| self.values(&row.suite, &row.case, who).into_iter();
        Spread::of(
            values("anyplace").zip(values(peer)).map(|(ours, theirs)| row.times(ours, theirs)).collect(),
        )
    }

    fn values(&self, suite: &str, case: &str, who: &str) -> Vec<f64> {
        let is_it = |row: &&Row| row.suite == suite && row.case == case && row.who == who;
        self.rows.iter().filter(is_it).map(|row| row.value).collect()
    }
}

impl Row {
    fn read(line: &str) -> Result<Self> {
        let wrong = || format!("`{line}` is not `{HEADER}`");
        let [suite, case, who, value, unit] = line.split(',').collect::<Vec<_>>()[..] else {
            return Err(wrong());
        };
        let value = value.parse().map_err(|_| wrong())?;
        Ok(Self { suite: suite.into(), case: case.into(), who: who.into(), value, unit: unit.into() })
    }

    /// How many times as good as the peer anyplace is: above 1 is better, whichever way the unit counts.
    fn times(&self, ours: f64, theirs: f64) -> f64 {
        if self.unit.ends_with("/s") { ours / theirs } else { theirs / ours }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(unit: &str, rounds: &[(f64, f64)]) -> Record {
        let mut record = Record { suite: "s".into(), rows: vec![] };
        for (ours, theirs) in rounds {
            record.add("case", "anyplace", *ours, unit);
            record.add("case", "peer", *theirs, unit);
        }
        record
    }

    #[test]
    fn the_median_is_of_one_peer_in_one_case() {
        let record = record("us", &[(3.0, 7.0), (100.0, 7.0), (2.0, 7.0)]);
        assert_eq!(record.spread("s", "case", "anyplace").median, 3.0);
        assert_eq!(record.peers("s", "case"), ["peer"]);
        assert_eq!(record.cases().len(), 1);
    }

    #[test]
    fn ratios_are_taken_within_rounds() {
        // The machine was ten times slower in the second round, for both.
        let record = record("us", &[(1.0, 4.0), (10.0, 40.0), (1.0, 5.0)]);
        let times = record.times(&record.rows[0], "peer");
        assert_eq!((times.least, times.median, times.most), (4.0, 4.0, 5.0));
    }

    #[test]
    fn rates_are_better_when_larger_and_times_when_smaller() {
        for (unit, ours, theirs) in [("items/s", 8.0, 2.0), ("ms", 2.0, 8.0)] {
            let record = record(unit, &[(ours, theirs)]);
            assert_eq!(record.times(&record.rows[0], "peer").median, 4.0);
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_kept() {
        let record = record("items/s", &[(8.0, 2.5)]);
        assert_eq!(Record::read(&record.csv()).unwrap().csv(), record.csv());
    }
}
