//! `cargo xtask test`: runs the steps, goes on after one that failed, and closes with what happened.

use crate::Result;
use crate::counts::Counts;
use crate::report::{Report, Row};
use crate::site::Site;
use crate::steps::{self, Step};
use std::time::Instant;

/// Shows the steps with their commands.
pub(crate) fn list(site: &Site) -> bool {
    for step in steps::all(site) {
        let lines: Vec<String> = step.lines.iter().map(ToString::to_string).collect();
        println!("{:<11} {}", step.name, lines.join("\n            "));
    }
    true
}

/// Runs the steps named in `only`, or all of them.
pub(crate) fn run(site: &Site, only: &[&str]) -> Result<bool> {
    let steps = steps::all(site);
    let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
    if let Some(unknown) = only.iter().find(|name| !names.contains(name)) {
        return Err(format!("there is no step `{unknown}`; there are {}", names.join(", ")));
    }
    let mut report = Report::default();
    for step in steps.into_iter().filter(|step| only.is_empty() || only.contains(&step.name)) {
        println!("\n===== {}", step.name);
        let row = run_step(&step, &report);
        report.rows.push(row);
    }
    println!("\n{report}");
    Ok(report.failures() == 0)
}

fn run_step(step: &Step, report: &Report) -> Row {
    let began = Instant::now();
    let mut row = Row::new(step.name);
    match step.needs.iter().find(|name| report.failed(name)) {
        Some(needed) => row.fail(format!("not run, since it needs `{needed}`"), None),
        None => run_lines(step, &mut row),
    }
    row.seconds = began.elapsed().as_secs_f64();
    row
}

fn run_lines(step: &Step, row: &mut Row) {
    for line in &step.lines {
        println!("$ {line}");
        let ran = line.run();
        row.counts += ran.counts;
        if let Some(why) = ran.failure {
            return row.fail(why, Some(line.to_string()));
        }
    }
    if row.counts == Counts::default() {
        row.counts.passed = 1;
    }
}
