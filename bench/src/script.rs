//! Suites written in Python.

use crate::Result;
use crate::effort::Effort;
use crate::record::Record;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Runs a script with the environment's Python, and records the `case,who,value,unit` lines as it prints them.
pub(crate) fn run(script: &str, effort: Effort, record: &mut Record) -> Result<()> {
    take(script, command(script, effort.rounds(), effort), record)
}

/// The same for a script with long rounds, which is told whether to be quick.
pub(crate) fn run_long(script: &str, effort: Effort, record: &mut Record) -> Result<()> {
    let mut command = command(script, effort.long_rounds(), effort);
    command.args(effort.flag());
    take(script, command, record)
}

fn command(script: &str, rounds: usize, effort: Effort) -> Command {
    let python = std::env::var("ANYPLACE_BENCH_PYTHON").unwrap_or_else(|_| "python3".into());
    let mut command = Command::new(python);
    command.arg(script).args(["--rounds", &rounds.to_string()]);
    command.args(["--items", &effort.items(10_000).to_string()]).stdout(Stdio::piped());
    command
}

fn take(script: &str, mut command: Command, record: &mut Record) -> Result<()> {
    let told = |error: std::io::Error| format!("{script}: {error}");
    let mut child = command.spawn().map_err(told)?;
    let output = BufReader::new(child.stdout.take().expect("its output is piped"));
    let added = output.lines().try_for_each(|line| add(&line.map_err(told)?, record));
    let status = child.wait().map_err(told)?;
    added.and(if status.success() { Ok(()) } else { Err(format!("{script}: {status}")) })
}

fn add(line: &str, record: &mut Record) -> Result<()> {
    let wrong = || format!("a suite printed `{line}` instead of `case,who,value,unit`");
    let [case, who, value, unit] = line.split(',').collect::<Vec<_>>()[..] else { return Err(wrong()) };
    record.add(case, who, value.parse().map_err(|_| wrong())?, unit);
    Ok(())
}
