//! What the compiler cannot see: which crate may use which, and what may stand only in one place.

mod arrows;
mod rules;

use crate::Result;
use crate::site::Site;
use crate::trials::Trials;
use std::path::{Path, PathBuf};

/// Something that stands where it must not.
#[derive(Debug)]
struct Finding {
    file: PathBuf,
    line: usize,
    what: String,
}

/// Checks the arrows between crates and the rules on text.
pub(crate) fn check(site: &Site) -> Result<bool> {
    let mut trials = Trials::default();
    let manifests = files(&site.root, "toml")?;
    trials.add("crates use only what the arrows allow", told(site, arrows::check(&manifests)?));
    let sources = files(&site.root, "rs")?;
    for rule in rules::ALL {
        trials.add(rule.name, told(site, rule.check(site, &sources)?));
    }
    Ok(trials.finish())
}

fn told(site: &Site, findings: Vec<Finding>) -> Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    let line =
        |found: Finding| format!("{}:{}: {}", site.short(&found.file).display(), found.line, found.what);
    Err(findings.into_iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// The files with this ending that belong to the repository.
fn files(root: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = vec![];
    for folder in ["crates", "xtask", "bench", "examples", "fuzz"] {
        gather(&root.join(folder), ending, &mut found)?;
    }
    found.sort();
    Ok(found)
}

fn gather(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() && !path.ends_with("target") {
            gather(&path, ending, found)?;
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
