//! The acceptance list: scripts people would write, judged by what they print.
#![allow(clippy::disallowed_methods, reason = "each case is a real run of the real command")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;

#[derive(Deserialize)]
struct List {
    run: Vec<Case>,
    later: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    promise: String,
    script: String,
    stdout: String,
}

/// Every id of the list, by group: the highest number of each, without those that were never given.
const GROUPS: &[(&str, &[u32])] = &[
    ("I", &[1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19]),
    ("R", &[1, 2, 3, 4, 5, 7, 8, 9, 10]),
    ("Q", &[1, 3, 5, 7]),
    ("K", &[1, 2, 3, 5, 6]),
    ("O", &[1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 14, 15]),
    ("X", &[1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 19]),
    ("P", &[1, 2, 4, 5, 6, 7, 9]),
    ("S", &[1, 2]),
    ("H", &[1, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13]),
];

/// Some cases wait for the clock, so several run at once, but few: some measure it.
const AT_ONCE: usize = 3;

fn list() -> List {
    serde_json::from_str(include_str!("acceptance.json")).unwrap()
}

#[test]
fn every_case_is_run_or_listed_for_later_and_none_twice() {
    let list = list();
    let wanted: BTreeSet<String> = GROUPS
        .iter()
        .flat_map(|(group, numbers)| numbers.iter().map(move |number| format!("{group}{number:02}")))
        .collect();
    assert_eq!(wanted.len(), 82);
    let run: BTreeSet<String> = list.run.iter().map(|case| case.id.clone()).collect();
    let later: BTreeSet<String> = list.later.keys().cloned().collect();
    assert_eq!(run.len(), list.run.len(), "an id stands twice");
    assert!(run.is_disjoint(&later));
    assert_eq!(&run | &later, wanted);
    assert!(list.later.values().all(|reason| !reason.is_empty()));
}

#[test]
fn every_script_prints_what_it_should() {
    let (list, next, failures) = (list(), AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(case) = list.run.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(failure) = judge(case) {
                failures.lock().unwrap().push(failure);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {} failed:\n{}", failures.len(), list.run.len(), failures.join("\n"));
}

fn judge(case: &Case) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let output = bash(&case.script, folder.path());
    let printed = String::from_utf8_lossy(&output.stdout);
    match printed == case.stdout {
        true => Ok(()),
        false => Err(format!(
            "{} {}\n  script: {}\n  wanted: {:?}\n  printed: {:?}\n  said: {}",
            case.id,
            case.promise,
            case.script,
            case.stdout,
            printed,
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

fn bash(script: &str, folder: &Path) -> std::process::Output {
    let command = Path::new(env!("CARGO_BIN_EXE_anyplace"));
    let mut bash = Command::new("bash");
    bash.arg("-c").arg(script).current_dir(folder).stdin(Stdio::null());
    bash.env("P", format!("{} map", command.display())).env("SHELL", "bash");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ANYPLACE") {
            bash.env_remove(name);
        }
    }
    bash.output().expect("bash is installed")
}
