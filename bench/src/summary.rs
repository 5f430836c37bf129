//! The run as a table of medians, ratios and targets.

use crate::record::{Record, Row};
use crate::targets;

/// The summary as Markdown: a line for each peer in each case, and one for each target that needs no peer.
pub(crate) fn of(record: &Record) -> String {
    let mut text = String::from(
        "| suite | case | anyplace | peer | | times as good, by round | target |\n|---|---|---|---|---|---|---|\n",
    );
    for row in record.cases() {
        text.extend(record.peers(&row.suite, &row.case).into_iter().map(|peer| beside(record, row, peer)));
        text.extend(targets::alone(record, row).map(|verdict| line(record, row, ["", "", "", &verdict])));
    }
    text.push_str("\nMedians [least..most] of interleaved rounds; ratios are taken within each round.\n");
    text.push_str("`cargo xtask bench local` measures it again.\n");
    text
}

fn beside(record: &Record, row: &Row, peer: &str) -> String {
    let theirs = record.spread(&row.suite, &row.case, peer).to_string();
    let verdicts: Vec<String> = targets::beside(record, row, peer).collect();
    line(record, row, [peer, &theirs, &record.times(row, peer).to_string(), &verdicts.join("; ")])
}

fn line(record: &Record, row: &Row, rest: [&str; 4]) -> String {
    let Row { suite, case, unit, .. } = row;
    let ours = record.spread(suite, case, "anyplace");
    format!("| {suite} | {case}, {unit} | {ours} | {} |\n", rest.join(" | "))
}
