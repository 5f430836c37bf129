//! The checks that this program does itself, reported as Rust's test harness would.

use crate::Result;

/// Counts checks and shows each.
#[derive(Debug, Default)]
pub(crate) struct Trials {
    passed: usize,
    skipped: usize,
    failures: Vec<(String, String)>,
}

impl Trials {
    /// Takes in how one check ended.
    pub(crate) fn add(&mut self, name: impl Into<String>, outcome: Result<()>) {
        let name = name.into();
        match outcome {
            Ok(()) => {
                println!("test {name} ... ok");
                self.passed += 1;
            }
            Err(why) => {
                println!("test {name} ... FAILED");
                self.failures.push((name, why));
            }
        }
    }

    /// Takes in that a check cannot be done here, and why.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        println!("test {name} ... ignored, {why}");
        self.skipped += 1;
    }

    /// Shows why checks failed, then the sum. Whether all passed; that there were none is a failure too.
    pub(crate) fn finish(self) -> bool {
        for (name, why) in &self.failures {
            println!("\n---- {name}\n{why}");
        }
        let ok = self.failures.is_empty() && self.passed + self.skipped > 0;
        let word = if ok { "ok" } else { "FAILED" };
        let Self { passed, skipped, failures } = self;
        println!("\ntest result: {word}. {passed} passed; {} failed; {skipped} ignored", failures.len());
        ok
    }
}
