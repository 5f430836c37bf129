//! Who may depend on whom: `cli python testkit examples bench fuzz -> anyplace -> sync, macros`. An arrow may skip a level,
//! but only points down.

use super::{Finding, read};
use crate::Result;
use std::path::{Path, PathBuf};

/// Each crate of the project with those of its crates that it may use. Tests may use any.
const ARROWS: &[(&str, &[&str])] = &[
    ("anyplace-sync", &[]),
    ("anyplace-ffi", &[]),
    ("anyplace-macros", &[]),
    ("anyplace", &["anyplace-sync", "anyplace-ffi", "anyplace-macros"]),
    ("anyplace-testkit", &["anyplace", "anyplace-sync"]),
    ("anyplace-cli", &["anyplace", "anyplace-sync"]),
    ("anyplace-python", &["anyplace", "anyplace-sync", "anyplace-cli"]),
    ("bench", &["anyplace", "anyplace-sync"]),
    ("examples", &["anyplace"]),
    ("fuzz", &["anyplace"]),
    ("xtask", &[]),
];

/// Finds what the manifests use beyond the arrows.
pub(super) fn check(manifests: &[PathBuf]) -> Result<Vec<Finding>> {
    let mut findings = vec![];
    for path in manifests.iter().filter(|path| path.ends_with("Cargo.toml")) {
        findings.extend(in_manifest(path, &read(path)?));
    }
    Ok(findings)
}

fn in_manifest(path: &Path, text: &str) -> Vec<Finding> {
    let name = text.lines().find_map(|line| line.strip_prefix("name = ")).unwrap_or("").trim_matches('"');
    let Some((_, allowed)) = ARROWS.iter().find(|(crate_name, _)| *crate_name == name) else {
        return vec![Finding {
            file: path.into(),
            line: 1,
            what: format!("`{name}` has no arrows; give it some"),
        }];
    };
    let mut section = "";
    let mut findings = vec![];
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            section = line;
        }
        let used = dependency(line);
        let is_ours = ARROWS.iter().any(|(crate_name, _)| *crate_name == used);
        if is_used_outside_tests(section) && is_ours && !allowed.contains(&used) {
            findings.push(Finding {
                file: path.into(),
                line: index + 1,
                what: format!("`{name}` may not use `{used}`"),
            });
        }
    }
    findings
}

/// `anyplace` of `anyplace.workspace = true` and of `anyplace = { path = "..." }`.
fn dependency(line: &str) -> &str {
    line.split(['.', ' ', '=']).next().unwrap_or("")
}

fn is_used_outside_tests(section: &str) -> bool {
    section.trim_end().ends_with("dependencies]") && !section.contains("dev-dependencies")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<(usize, String)> {
        in_manifest(Path::new("Cargo.toml"), text).into_iter().map(|found| (found.line, found.what)).collect()
    }

    #[test]
    fn an_arrow_that_points_up_is_found_with_its_line() {
        let text = "[package]\nname = \"anyplace-sync\"\n[dependencies]\nanyplace.workspace = true\n";
        assert_eq!(findings(text), [(4, "`anyplace-sync` may not use `anyplace`".into())]);
    }

    #[test]
    fn arrows_that_point_down_and_those_of_tests_are_fine() {
        let down = "[package]\nname = \"anyplace\"\n[dependencies]\nanyplace-sync = { path = \"../x\" }\n";
        let tests = "[package]\nname = \"anyplace\"\n[dev-dependencies]\nanyplace-testkit.workspace = true\n";
        assert_eq!((findings(down), findings(tests)), (vec![], vec![]));
    }

    #[test]
    fn a_crate_that_nobody_drew_is_found() {
        assert_eq!(findings("name = \"anyplace-utils\"\n").len(), 1);
    }
}
