//! Where runs are kept: `bench/runs/DATE/`, or `DATE-NAME` where only a part was measured.

use crate::machine;
use crate::record::Record;
use crate::{Result, summary};
use std::path::{Path, PathBuf};

const RUNS: &str = "bench/runs";

/// Writes a run. One that was only for a first look is kept in the build folder: its numbers are not for quoting.
pub(crate) fn keep(record: &Record, only: Option<&str>, is_quick: bool) -> Result<()> {
    let folder = folder(only, is_quick);
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text);
    std::fs::create_dir_all(&folder)
        .and_then(|()| write("raw.csv", &record.csv()))
        .and_then(|()| write("summary.md", &summary::of(record)))
        .and_then(|()| write("machine.md", &machine::describe()))
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    println!("kept in {}", folder.display());
    Ok(())
}

fn folder(only: Option<&str>, is_quick: bool) -> PathBuf {
    let target = || PathBuf::from(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
    let runs = if is_quick { target().join("bench-runs") } else { RUNS.into() };
    let part = only.map_or_else(String::new, |name| format!("-{name}"));
    runs.join(machine::date() + &part)
}

/// The newest kept run with a file that `holds` what is looked for, and that file's text.
pub(crate) fn newest(file: &str, holds: impl Fn(&str) -> bool) -> Result<(PathBuf, String)> {
    let mut folders = folders(Path::new(RUNS)).map_err(|error| format!("{RUNS}: {error}"))?;
    folders.sort();
    let mut texts = folders.into_iter().rev().filter_map(|folder| {
        let text = std::fs::read_to_string(folder.join(file)).ok()?;
        Some((folder, text))
    });
    texts.find(|(_, text)| holds(text)).ok_or_else(|| format!("no run in {RUNS} has it in its {file}"))
}

fn folders(runs: &Path) -> std::io::Result<Vec<PathBuf>> {
    std::fs::read_dir(runs)?.map(|entry| Ok(entry?.path())).collect()
}
