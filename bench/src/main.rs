//! Measures anyplace side by side with its peers: `cargo xtask bench local`.
#![allow(clippy::print_stdout)] // A program's printing is its result.
#![allow(clippy::disallowed_methods)] // It starts the commands that it measures.

mod columns;
#[path = "../suites/commands.rs"]
mod commands;
mod effort;
#[path = "../suites/net/files.rs"]
mod files;
mod machine;
#[path = "../suites/net/rust/mod.rs"]
mod net;
#[path = "../suites/rayon.rs"]
mod rayon_map;
mod record;
mod runs;
mod script;
#[path = "../suites/share/rust/mod.rs"]
mod share;
mod spread;
mod summary;
mod tables;
mod targets;

use effort::Effort;
use record::Record;

/// What can go wrong is told to a person, so text is enough.
type Result<T> = std::result::Result<T, String>;

/// Measures one thing beside its peer and records each round.
type Suite = fn(Effort, &mut Record) -> Result<()>;

/// THE list of suites.
const SUITES: &[(&str, Suite)] = &[
    ("threads", |effort, record| script::run("bench/suites/threads.py", effort, record)),
    ("processes", |effort, record| script::run_long("bench/suites/processes", effort, record)),
    ("joblib", |effort, record| script::run("bench/suites/joblib_backend.py", effort, record)),
    ("rayon", rayon_map::run),
    ("commands", commands::run),
    ("share", |effort, record| {
        script::run_long("bench/suites/share/suite.py", effort, record)?;
        share::run(effort, record)
    }),
    ("net", |effort, record| {
        net::run(effort, record)?;
        files::run(effort, record)?;
        script::run_long("bench/suites/net/rounds.py", effort, record)
    }),
    ("async", |effort, record| script::run("bench/suites/asyncio_gather.py", effort, record)),
];

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words == ["tables"] {
        return tables::fill();
    }
    let effort = if words.iter().any(|word| word == "--quick") { Effort::Quick } else { Effort::Full };
    let only = words.iter().position(|word| word == "--suite").and_then(|at| words.get(at + 1));
    measure(effort, only.map(String::as_str))
}

fn measure(effort: Effort, only: Option<&str>) -> Result<()> {
    if let Some(unknown) = only.filter(|only| SUITES.iter().all(|(name, _)| name != only)) {
        return Err(format!("there is no suite `{unknown}`"));
    }
    let mut record = Record::default();
    for (name, suite) in SUITES.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        println!("===== {name}");
        record.suite = (*name).into();
        suite(effort, &mut record)?;
    }
    println!("\n{}", summary::of(&record));
    runs::keep(&record, only, effort == Effort::Quick)
}
