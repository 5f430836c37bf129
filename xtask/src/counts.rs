//! What test runners say at their end: how many trials passed, failed and were skipped, and which were skipped.

use std::ops::AddAssign;

/// How trials ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Trials that passed.
    pub(crate) passed: usize,
    /// Trials that failed.
    pub(crate) failed: usize,
    /// Trials that were not run, or whose failure was expected.
    pub(crate) skipped: usize,
    /// Which were skipped and, where the runner says so, why.
    pub(crate) names: Vec<String>,
}

impl Counts {
    /// Takes in one line of a runner's output: of Rust's test harness, or of pytest with `-ra`.
    pub(crate) fn read(&mut self, line: &str) {
        if let Some(summary) = line.strip_prefix("test result: ") {
            self.read_summary(summary.split(['.', ';']));
        } else if let Some(name) = skipped_in_rust(line) {
            self.names.push(name);
        } else if let Some(rest) = ["SKIPPED ", "XFAIL "].iter().find_map(|word| line.strip_prefix(word)) {
            self.names.push(rest.into());
        } else if let Some(reason) = line.strip_prefix("  ") {
            self.give_reason(reason);
        } else if line.contains(" in ") && line.trim_end_matches('=').trim_end().ends_with(['s', ')']) {
            let words = line.trim_matches(['=', ' ']);
            let summary = words.rsplit_once(" in ").map_or("", |(summary, _)| summary);
            if is_pytest_summary(summary) {
                self.read_summary(summary.split(','));
            }
        }
    }

    /// Takes in `name: reason` of a skipped trial: the behaviours say their reasons after all results.
    fn give_reason(&mut self, line: &str) {
        let is_its =
            |name: &&mut String| line.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with(": "));
        if let Some(name) = self.names.iter_mut().find(is_its) {
            *name = line.into();
        }
    }

    fn read_summary<'a>(&mut self, parts: impl Iterator<Item = &'a str>) {
        for (count, what) in parts.filter_map(counted) {
            match what {
                "passed" | "xpassed" => self.passed += count,
                "failed" | "error" | "errors" => self.failed += count,
                "ignored" | "skipped" | "xfailed" => self.skipped += count,
                _ => {}
            }
        }
    }
}

/// `3 passed` as number and word.
fn counted(part: &str) -> Option<(usize, &str)> {
    let (count, what) = part.trim().split_once(' ')?;
    Some((count.parse().ok()?, what))
}

fn is_pytest_summary(summary: &str) -> bool {
    !summary.is_empty() && summary.split(',').all(|part| counted(part).is_some())
}

fn skipped_in_rust(line: &str) -> Option<String> {
    let (name, reason) = line.strip_prefix("test ")?.split_once(" ... ignored")?;
    Some(format!("{}{}", name.trim_end(), reason.replacen(", ", ": ", 1)))
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.names.extend(other.names);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> Counts {
        let mut counts = Counts::default();
        lines.iter().for_each(|line| counts.read(line));
        counts
    }

    #[test]
    fn rust_results_add_up_and_ignored_tests_are_named() {
        let counts = of(&[
            "test a ... ok",
            "test slow::b ... ignored, needs a network",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ]);
        assert_eq!((counts.passed, counts.failed, counts.skipped), (4, 2, 1));
        assert_eq!(counts.names, ["slow::b: needs a network"]);
    }

    #[test]
    fn reasons_that_come_later_stand_with_their_trial() {
        let counts = of(&["test inline: is killed  ... ignored", "  inline: is killed: its caller runs it"]);
        assert_eq!(counts.names, ["inline: is killed: its caller runs it"]);
    }

    #[test]
    fn pytest_results_count_and_skips_are_named() {
        let counts = of(&[
            "SKIPPED [1] tests/test_a.py:3: pokes a private name",
            "===== 1 failed, 12 passed, 1 skipped, 2 xfailed in 3.21s =====",
        ]);
        assert_eq!((counts.passed, counts.failed, counts.skipped), (12, 1, 3));
        assert_eq!(counts.names, ["[1] tests/test_a.py:3: pokes a private name"]);
        assert_eq!(of(&["7 passed in 0.10s"]).passed, 7);
        assert_eq!(of(&["=== 8 passed in 61.20s (0:01:01) ==="]).passed, 8);
    }

    #[test]
    fn other_text_counts_nothing() {
        let text = [
            "    Finished `dev` profile in 2.1s",
            "5 files were reformatted in 2 folders",
            "12 things in 1s",
        ];
        assert_eq!(of(&text).failed + of(&text[..2]).passed, 0);
    }
}
