//! The closing table of the test command.

use crate::counts::Counts;
use std::fmt;

/// How the steps ended, in their order.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// One row for each step that was run.
    pub(crate) rows: Vec<Row>,
}

/// How one step ended.
#[derive(Debug, Default)]
pub(crate) struct Row {
    /// The step's name.
    pub(crate) name: &'static str,
    /// How long it took.
    pub(crate) seconds: f64,
    /// What its runners reported; a step without a runner counts as one trial.
    pub(crate) counts: Counts,
    failure: Option<Failure>,
}

#[derive(Debug)]
struct Failure {
    why: String,
    line: Option<String>,
}

impl Row {
    /// The row of a step that has reported nothing yet.
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    /// Says that the step failed, with the line that shows it again.
    pub(crate) fn fail(&mut self, why: String, line: Option<String>) {
        self.counts.failed = self.counts.failed.max(1);
        self.failure = Some(Failure { why, line });
    }
}

impl Report {
    /// Whether the step was run and failed.
    pub(crate) fn failed(&self, name: &str) -> bool {
        self.rows.iter().any(|row| row.name == name && row.failure.is_some())
    }

    /// How many trials failed.
    pub(crate) fn failures(&self) -> usize {
        self.sum().failed
    }

    fn sum(&self) -> Counts {
        self.rows.iter().fold(Counts::default(), |mut sum, row| {
            sum += row.counts.clone();
            sum
        })
    }

    fn write_skipped(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sum().skipped > 0 {
            writeln!(f, "\nskipped:")?;
        }
        for row in &self.rows {
            row.counts.names.iter().try_for_each(|name| writeln!(f, "  {:<11} {name}", row.name))?;
            let unnamed = row.counts.skipped.saturating_sub(row.counts.names.len());
            if unnamed > 0 && row.counts.names.is_empty() {
                writeln!(f, "  {:<11} {unnamed} that its runner does not name", row.name)?;
            }
        }
        Ok(())
    }

    fn write_failed(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.rows.iter().filter_map(|row| Some((row, row.failure.as_ref()?)));
        for (row, failure) in failed {
            writeln!(f, "\nfailed: {}: {}", row.name, failure.why)?;
            if let Some(line) = &failure.line {
                writeln!(f, "  repeat: {line}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<11} {:>8} {:>7} {:>7} {:>7}", "step", "seconds", "passed", "failed", "skipped")?;
        for row in &self.rows {
            let Counts { passed, failed, skipped, .. } = row.counts;
            writeln!(f, "{:<11} {:>8.1} {passed:>7} {failed:>7} {skipped:>7}", row.name, row.seconds)?;
        }
        self.write_skipped(f)?;
        self.write_failed(f)?;
        let (sum, seconds) = (self.sum(), self.rows.iter().map(|row| row.seconds).sum::<f64>());
        write!(f, "\n{} passed, {} failed, {} skipped", sum.passed, sum.failed, sum.skipped)?;
        write!(f, " in {} min {:02} s", seconds as u64 / 60, seconds as u64 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, passed: usize) -> Row {
        Row { name, seconds: 1.25, counts: Counts { passed, ..Counts::default() }, failure: None }
    }

    #[test]
    fn the_report_names_what_failed_and_what_was_skipped() {
        let mut pytest = row("pytest", 40);
        pytest.counts.skipped = 1;
        pytest.counts.names = vec!["[1] test_a.py:3: why".into()];
        let mut clippy = row("clippy", 0);
        clippy.fail("exit status: 101".into(), Some("cargo clippy".into()));
        let text = Report { rows: vec![clippy, pytest] }.to_string();
        assert!(text.contains("\n  pytest      [1] test_a.py:3: why\n"), "{text}");
        assert!(text.contains("\nfailed: clippy: exit status: 101\n  repeat: cargo clippy\n"), "{text}");
        assert!(text.ends_with("\n40 passed, 1 failed, 1 skipped in 0 min 02 s"), "{text}");
    }
}
