//! The run as a table of medians, ratios and targets.

use crate::record::{Record, Row};
use crate::targets;

/// The summary as Markdown.
pub(crate) fn of(record: &Record) -> String {
    let mut text = String::from(
        "| suite | case | anyplace | peer | times as good | target |\n|---|---|---|---|---|---|\n",
    );
    for case in record.cases() {
        text.push_str(&line(record, case));
    }
    text.push_str("\nMedians of interleaved rounds. `cargo xtask bench local` measures it again.\n");
    text
}

fn line(record: &Record, row: &Row) -> String {
    let Row { suite, case, unit, .. } = row;
    let ours = record.median(suite, case, "anyplace").unwrap_or(f64::NAN);
    let peers = record.measured(suite, case).into_iter().filter(|who| *who != "anyplace");
    let peers: Vec<(&str, f64)> =
        peers.map(|who| (who, record.median(suite, case, who).unwrap_or(f64::NAN))).collect();
    let theirs: Vec<String> = peers.iter().map(|(who, value)| format!("{who} {}", shown(*value))).collect();
    let ratios: Vec<String> =
        peers.iter().map(|(_, value)| format!("{:.2}", targets::times(ours, *value, unit))).collect();
    let verdicts: Vec<String> =
        targets::of(suite, case).map(|goal| goal.verdict(record, suite, case, unit)).collect();
    format!(
        "| {suite} | {case}, {unit} | {} | {} | {} | {} |\n",
        shown(ours),
        theirs.join(", "),
        ratios.join(", "),
        verdicts.join("; ")
    )
}

/// Three digits are more than the machine's drift allows.
fn shown(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}
