//! Fills the tables of the documents from the newest runs: `cargo xtask bench tables`.
//!
//! What stands between `<!-- measured: NAME -->` and `<!-- end -->` is made anew; all other text is a person's.

use crate::record::{Record, Row};
use crate::{Result, runs, targets};

const DOCUMENT: &str = "docs/compare/process-pools.md";
const SUITE: &str = "processes";

/// THE columns for peers; whoever else was measured in a case is a floor.
const PEERS: [&str; 4] = ["ProcessPoolExecutor", "multiprocessing.Pool", "loky", "pebble"];

/// Writes what was measured into the document.
pub(crate) fn fill() -> Result<()> {
    let told = |error: std::io::Error| format!("{DOCUMENT}: {error}");
    let mut text = std::fs::read_to_string(DOCUMENT).map_err(told)?;
    let (folder, csv) = runs::newest("raw.csv", |csv| csv.contains("\nprocesses,"))?;
    let record = Record::read(&csv)?;
    let source =
        format!("\n([raw data](../../{0}/raw.csv), [machine](../../{0}/machine.md))\n", folder.display());
    text = replaced(&text, "two workers", &(speed(&record, |case| !case.ends_with(')')) + &source))?;
    text = replaced(&text, "four workers", &speed(&record, |case| case.ends_with("(4 workers)")))?;
    let (_, crashes) = runs::newest("crashes.md", |_| true)?;
    text = replaced(&text, "crashes", &crashes)?;
    std::fs::write(DOCUMENT, text).map_err(told)?;
    println!("{DOCUMENT} shows {}", folder.display());
    Ok(())
}

fn speed(record: &Record, shows: impl Fn(&str) -> bool) -> String {
    let head = format!("| | anyplace | {} | floor | target |\n", PEERS.join(" | "));
    let rule = "|---".repeat(PEERS.len() + 4) + "|\n";
    let cases = record.cases().into_iter().filter(|row| row.suite == SUITE && shows(&row.case));
    head + &rule + &cases.map(|row| line(record, row)).collect::<String>()
}

fn line(record: &Record, row: &Row) -> String {
    let ours = record.spread(SUITE, &row.case, "anyplace").middle();
    let peers = PEERS.map(|peer| beside(record, row, peer)).join(" | ");
    let others = record.peers(SUITE, &row.case).into_iter().filter(|who| !PEERS.contains(who));
    let floors: Vec<String> = others.map(|who| format!("{who}: {}", beside(record, row, who))).collect();
    let case = row.case.split(" (").next().unwrap_or_default();
    let goals = goals(record, row).join("; ");
    format!("| {case}, {} | **{ours}** | {peers} | {} | {goals} |\n", row.unit, floors.join(", "))
}

/// `203 (40.6 [38.0..44.1]x)`: the peer's median, and how many times as good anyplace was within each round.
fn beside(record: &Record, row: &Row, peer: &str) -> String {
    let theirs = record.spread(SUITE, &row.case, peer);
    let times = record.times(row, peer).to_string();
    // Nothing is a number of times as good as zero.
    if times.is_empty() { theirs.middle() } else { format!("{} ({times}x)", theirs.middle()) }
}

fn goals(record: &Record, row: &Row) -> Vec<String> {
    let peers = record.peers(SUITE, &row.case).into_iter();
    let beside = peers.flat_map(|peer| targets::beside(record, row, peer).collect::<Vec<_>>());
    beside.chain(targets::alone(record, row)).collect()
}

fn replaced(text: &str, name: &str, with: &str) -> Result<String> {
    let wrong = || format!("{DOCUMENT} has no place for `{name}`");
    let begin = format!("<!-- measured: {name} -->\n");
    let (before, rest) = text.split_once(&begin).ok_or_else(wrong)?;
    let (_, after) = rest.split_once("<!-- end -->").ok_or_else(wrong)?;
    Ok(format!("{before}{begin}\n{}\n\n<!-- end -->{after}", with.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_measured_is_replaced() {
        let text = "a\n<!-- measured: x -->\nold\n<!-- end -->\nb\n<!-- measured: y -->\n<!-- end -->\n";
        let filled = replaced(text, "x", "new\n").unwrap();
        assert_eq!(
            filled,
            "a\n<!-- measured: x -->\n\nnew\n\n<!-- end -->\nb\n<!-- measured: y -->\n<!-- end -->\n"
        );
        assert_eq!(replaced(&filled, "x", "new\n").unwrap(), filled);
        assert!(replaced(text, "z", "new").is_err());
    }

    #[test]
    fn a_line_holds_the_peers_in_their_columns() {
        let mut record = Record { suite: SUITE.into(), rows: vec![] };
        record.add("100 MB argument", "anyplace", 10.0, "ms");
        record.add("100 MB argument", "loky", 300.0, "ms");
        record.add("100 MB argument", "memcpy + touch", 8.0, "ms");
        let found = line(&record, &record.rows[0]);
        let loky = "| 100 MB argument, ms | **10.0** |  |  | 300 (30.0 [30.0..30.0]x) |  | ";
        assert!(found.starts_with(loky), "{found}");
        assert!(found.contains("memcpy + touch: 8.00 (0.80 [0.80..0.80]x)"), "{found}");
        assert!(found.contains("within 1.5 of memcpy + touch: reached"), "{found}");
    }
}
