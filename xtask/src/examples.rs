//! Runs the programs in `examples/`. Those of one folder do the same job in several languages: they must print the
//! same. Where several programs work together, a `run.sh` beside them starts them all, and is run alone.

use crate::Result;
use crate::site::Site;
use crate::trials::Trials;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs every program, folder by folder.
pub(crate) fn run(site: &Site) -> Result<bool> {
    let mut trials = Trials::default();
    for folder in sorted(&site.root.join("examples"))?.into_iter().filter(|path| path.is_dir()) {
        let mut printed: Option<String> = None;
        for program in programs(&folder)? {
            let name = site.short(&program).display().to_string();
            trials.add(name, check(site, &program, &mut printed));
        }
    }
    Ok(trials.finish())
}

fn programs(folder: &Path) -> Result<Vec<PathBuf>> {
    let together = folder.join("run.sh");
    if together.exists() { Ok(vec![together]) } else { sorted(folder) }
}

fn check(site: &Site, program: &Path, printed: &mut Option<String>) -> Result<()> {
    let text = output(site, program)?;
    match printed {
        Some(expected) if *expected != text => {
            Err(format!("it printed\n{text}where the program before it printed\n{expected}"))
        }
        _ if text.is_empty() => Err("it printed nothing".into()),
        _ => {
            *printed = Some(text);
            Ok(())
        }
    }
}

/// What the program prints, run from the root of the repository.
fn output(site: &Site, program: &Path) -> Result<String> {
    let mut command = started_by(site, program)?;
    command.env("PATH", site.path()).current_dir(&site.root);
    let output = command.output().map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

/// A Rust program was built under the name of its file; the others are given to their interpreter.
fn started_by(site: &Site, program: &Path) -> Result<Command> {
    let interpreter = match program.extension().and_then(OsStr::to_str) {
        Some("rs") => {
            return Ok(Command::new(site.target.join("debug").join(program.file_stem().unwrap_or_default())));
        }
        Some("py") => site.python(),
        Some("sh") => PathBuf::from("bash"),
        _ => return Err("nothing runs such files".into()),
    };
    let mut command = Command::new(interpreter);
    command.arg(program);
    Ok(command)
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    Ok(paths)
}
