//! What the numbers were taken on.

use std::process::Command;

/// Today, as `2026-11-22`.
pub(crate) fn date() -> String {
    printed("date", &["-u", "+%Y-%m-%d"])
}

/// The machine and the versions of everything that was measured.
pub(crate) fn describe() -> String {
    let python = std::env::var("ANYPLACE_BENCH_PYTHON").unwrap_or_default();
    let facts = [
        ("processor", field("/proc/cpuinfo", "model name")),
        ("usable cores", anyplace::usable_cores().to_string()),
        ("memory", field("/proc/meminfo", "MemTotal")),
        ("kernel", printed("uname", &["-sr"])),
        ("rustc", printed("rustc", &["--version"])),
        ("Python", printed(&python, &["--version"])),
        ("xargs", printed("xargs", &["--version"])),
        ("GNU parallel", printed("parallel", &["--version"])),
        ("anyplace", printed("git", &["describe", "--always", "--dirty"])),
    ];
    let lines: String = facts.iter().map(|(name, value)| format!("| {name} | {value} |\n")).collect();
    format!("| | |\n|---|---|\n{lines}")
}

/// The first line that a program prints, or `unknown`.
fn printed(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").into()
}

/// What stands after the colon in the first line that begins with `name`.
fn field(file: &str, name: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name)).and_then(|line| line.split_once(':'));
    line.map_or_else(|| "unknown".into(), |(_, value)| value.trim().into())
}
