//! Runs the shell and Python blocks of README.md. Rust blocks are doctests of the crate, whose text README.md is.

use crate::Result;
use crate::blocks::{self, Block};
use crate::site::Site;
use crate::steps;
use crate::trials::Trials;
use std::path::Path;
use std::process::Command;

/// Runs every block in a new empty folder each.
pub(crate) fn run(site: &Site) -> Result<bool> {
    let document = read(&site.root.join("README.md"))?;
    let elsewhere = run_elsewhere(site)?;
    let mut trials = Trials::default();
    for block in blocks::of(&document) {
        let name = format!("README.md:{} ({})", block.line, block.language);
        match block.language.as_str() {
            "sh" => trials.add(name, shell(site, &block, &elsewhere)),
            "python" => trials.add(name, python(site, &block)),
            // The step `machines` runs what needs two of them.
            "rust" | "text" | "sh lender" | "sh borrower" => {}
            other => trials.add(name, Err(format!("nothing runs blocks of `{other}`"))),
        }
    }
    Ok(trials.finish())
}

/// The commands that build, install and test: other steps and `.ci/run` run them, on the repository itself.
fn run_elsewhere(site: &Site) -> Result<String> {
    let steps: Vec<String> =
        steps::all(site).iter().flat_map(|step| &step.lines).map(ToString::to_string).collect();
    Ok(format!("{}\n{}", read(&site.root.join(".ci/run"))?, steps.join("\n")))
}

fn shell(site: &Site, block: &Block, elsewhere: &str) -> Result<()> {
    let (built, here): (Vec<&str>, Vec<&str>) =
        block.text.lines().partition(|line| line.starts_with("cargo ") || line.starts_with("pip "));
    for line in built.iter().map(|line| line.split('#').next().unwrap_or(line).trim()) {
        if !elsewhere.contains(line) {
            return Err(format!("no step and not .ci/run runs `{line}`"));
        }
    }
    if here.iter().all(|line| line.trim().is_empty()) {
        return Ok(());
    }
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &here.join("\n")]);
    succeeds(site, bash)
}

fn python(site: &Site, block: &Block) -> Result<()> {
    let folder = site.empty_folder("readme")?;
    let script = folder.join("readme.py");
    std::fs::write(&script, &block.text).map_err(|error| error.to_string())?;
    let mut python = Command::new(site.python());
    python.arg(script);
    succeeds(site, python)
}

/// Runs the command as a user would: the built `anyplace` first on the search path, in a folder of its own.
fn succeeds(site: &Site, mut command: Command) -> Result<()> {
    command.current_dir(site.empty_folder("readme-run")?).env("PATH", site.path());
    let output = command.output().map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(()) } else { Err(format!("{}\n{text}", output.status)) }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
