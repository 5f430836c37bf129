//! Every measurement of a run.

/// Every measurement, in the order they were taken.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The suite that measures now.
    pub(crate) suite: &'static str,
    /// The measurements.
    pub(crate) rows: Vec<Row>,
}

/// One measurement.
#[derive(Debug)]
pub(crate) struct Row {
    /// The suite that took it.
    pub(crate) suite: &'static str,
    /// What was measured.
    pub(crate) case: String,
    /// `anyplace`, or the peer's name.
    pub(crate) who: String,
    /// What came out.
    pub(crate) value: f64,
    /// Its unit: `us`, `ms` and `MB` are better small, `/s` is better large.
    pub(crate) unit: String,
}

impl Record {
    /// Adds a measurement and shows it.
    pub(crate) fn add(&mut self, case: &str, who: &str, value: f64, unit: &str) {
        println!("{case}: {who} {value:.3} {unit}");
        let (case, who, unit) = (case.into(), who.into(), unit.into());
        self.rows.push(Row { suite: self.suite, case, who, value, unit });
    }

    /// The measurements as a table with a header.
    pub(crate) fn csv(&self) -> String {
        let line = |row: &Row| format!("{},{},{},{},{}\n", row.suite, row.case, row.who, row.value, row.unit);
        let lines: String = self.rows.iter().map(line).collect();
        format!("suite,case,who,value,unit\n{lines}")
    }

    /// The cases of the run in order, each with its suite and unit.
    pub(crate) fn cases(&self) -> Vec<&Row> {
        let mut cases: Vec<&Row> = vec![];
        for row in &self.rows {
            if cases.iter().all(|known| (known.suite, &known.case) != (row.suite, &row.case)) {
                cases.push(row);
            }
        }
        cases
    }

    /// Who was measured in a case, ours first.
    pub(crate) fn measured(&self, suite: &str, case: &str) -> Vec<&str> {
        let mut names = vec![];
        for row in self.rows.iter().filter(|row| row.suite == suite && row.case == case) {
            if !names.contains(&row.who.as_str()) {
                names.push(&row.who);
            }
        }
        names
    }

    /// The median of what `who` took in a case.
    pub(crate) fn median(&self, suite: &str, case: &str, who: &str) -> Option<f64> {
        let is_it = |row: &&Row| row.suite == suite && row.case == case && row.who == who;
        let mut values: Vec<f64> = self.rows.iter().filter(is_it).map(|row| row.value).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_of_one_peer_in_one_case() {
        let mut record = Record { suite: "s", rows: vec![] };
        [3.0, 100.0, 2.0].iter().for_each(|value| record.add("trip", "anyplace", *value, "us"));
        record.add("trip", "peer", 7.0, "us");
        assert_eq!(record.median("s", "trip", "anyplace"), Some(3.0));
        assert_eq!(record.measured("s", "trip"), ["anyplace", "peer"]);
        assert_eq!(record.cases().len(), 1);
    }
}
