//! Measures anyplace side by side with its peers: `cargo xtask bench local`.
#![allow(clippy::print_stdout)] // A program's printing is its result.
#![allow(clippy::disallowed_methods)] // It starts the commands that it measures.

#[path = "../suites/commands.rs"]
mod commands;
mod effort;
mod machine;
#[path = "../suites/rayon.rs"]
mod rayon_map;
mod record;
mod script;
mod summary;
mod targets;

use effort::Effort;
use record::Record;
use std::path::PathBuf;

/// What can go wrong is told to a person, so text is enough.
type Result<T> = std::result::Result<T, String>;

/// Measures one thing beside its peer and records each round.
type Suite = fn(Effort, &mut Record) -> Result<()>;

/// THE list of suites.
const SUITES: &[(&str, Suite)] = &[
    ("threads", |effort, record| script::run("bench/suites/threads.py", effort, record)),
    ("rayon", rayon_map::run),
    ("commands", commands::run),
    ("async", |effort, record| script::run("bench/suites/asyncio_gather.py", effort, record)),
];

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let effort = if words.iter().any(|word| word == "--quick") { Effort::Quick } else { Effort::Full };
    let only = words.iter().position(|word| word == "--suite").and_then(|at| words.get(at + 1));
    if let Some(unknown) = only.filter(|only| SUITES.iter().all(|(name, _)| name != only)) {
        return Err(format!("there is no suite `{unknown}`"));
    }
    let mut record = Record::default();
    for (name, suite) in SUITES.iter().filter(|(name, _)| only.is_none_or(|only| only == name)) {
        println!("===== {name}");
        record.suite = name;
        suite(effort, &mut record)?;
    }
    let summary = summary::of(&record);
    println!("\n{summary}");
    keep(&record, &summary)
}

/// Writes the run to `bench/runs/DATE/`.
fn keep(record: &Record, summary: &str) -> Result<()> {
    let folder = PathBuf::from("bench/runs").join(machine::date());
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text);
    std::fs::create_dir_all(&folder)
        .and_then(|()| write("raw.csv", &record.csv()))
        .and_then(|()| write("summary.md", summary))
        .and_then(|()| write("machine.md", &machine::describe()))
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    println!("kept in {}", folder.display());
    Ok(())
}
