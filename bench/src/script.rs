//! Suites written in Python.

use crate::Result;
use crate::effort::Effort;
use crate::record::Record;
use std::process::{Command, Stdio};

/// Runs a script with the environment's Python, and records the `case,who,value,unit` lines that it prints.
pub(crate) fn run(script: &str, effort: Effort, record: &mut Record) -> Result<()> {
    let python = std::env::var("ANYPLACE_BENCH_PYTHON").unwrap_or_else(|_| "python3".into());
    let (rounds, items) = (effort.rounds().to_string(), effort.items(10_000).to_string());
    let mut command = Command::new(&python);
    command.args([script, "--rounds", &rounds, "--items", &items]).stderr(Stdio::inherit());
    let output = command.output().map_err(|error| format!("{python}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{script}: {}", output.status));
    }
    String::from_utf8_lossy(&output.stdout).lines().try_for_each(|line| add(line, record))
}

fn add(line: &str, record: &mut Record) -> Result<()> {
    let wrong = || format!("a suite printed `{line}` instead of `case,who,value,unit`");
    let [case, who, value, unit] = line.split(',').collect::<Vec<_>>()[..] else { return Err(wrong()) };
    record.add(case, who, value.parse().map_err(|_| wrong())?, unit);
    Ok(())
}
