//! The columns of a table in a document: ours, those of the peers, floors, and what has to be reached.

use crate::record::{Record, Row};
use crate::targets;

/// THE peers of a table, in their order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    peers: &'static [&'static str],
    /// Whether whoever else was measured in a case is shown as a floor.
    has_floor: bool,
}

impl Columns {
    /// One column for each of these peers.
    pub(crate) const fn of(peers: &'static [&'static str]) -> Self {
        Self { peers, has_floor: false }
    }

    /// And one for what nobody can be better than.
    pub(crate) const fn with_floor(self) -> Self {
        Self { has_floor: true, ..self }
    }

    /// The names of the columns.
    pub(crate) fn head(self) -> String {
        let floor = if self.has_floor { " floor |" } else { "" };
        let rule = "|---".repeat(self.peers.len() + 3 + usize::from(self.has_floor));
        format!("| | anyplace | {} |{floor} target |\n{rule}|\n", self.peers.join(" | "))
    }

    /// What was measured in a case.
    pub(crate) fn line(self, record: &Record, row: &Row) -> String {
        let ours = record.spread(&row.suite, &row.case, "anyplace").middle();
        let peers: Vec<String> = self.peers.iter().map(|peer| beside(record, row, peer)).collect();
        let floor = if self.has_floor { format!(" {} |", self.floors(record, row)) } else { String::new() };
        let goals = goals(record, row).join("; ");
        format!(
            "| {}, {} | **{ours}** | {} |{floor} {goals} |\n",
            shown(&row.case),
            row.unit,
            peers.join(" | ")
        )
    }

    fn floors(self, record: &Record, row: &Row) -> String {
        let others = record.peers(&row.suite, &row.case).into_iter().filter(|who| !self.peers.contains(who));
        let floors: Vec<String> = others.map(|who| format!("{who}: {}", beside(record, row, who))).collect();
        floors.join(", ")
    }
}

/// A case as its table calls it: `manager: dict get` is `dict get`, `round trip (4 workers)` is `round trip`.
fn shown(case: &str) -> &str {
    let bare = case.split_once(": ").map_or(case, |(_, case)| case);
    bare.split(" (").next().unwrap_or_default()
}

/// `203 (40.6 [38.0..44.1]x)`: the peer's median, and how many times as good anyplace was within each round.
fn beside(record: &Record, row: &Row, peer: &str) -> String {
    let theirs = record.spread(&row.suite, &row.case, peer);
    let times = record.times(row, peer).to_string();
    // Nothing is a number of times as good as zero.
    if times.is_empty() { theirs.middle() } else { format!("{} ({times}x)", theirs.middle()) }
}

fn goals(record: &Record, row: &Row) -> Vec<String> {
    let peers = record.peers(&row.suite, &row.case).into_iter();
    let beside = peers.flat_map(|peer| targets::beside(record, row, peer).collect::<Vec<_>>());
    beside.chain(targets::alone(record, row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_the_peers_in_their_columns() {
        let mut record = Record { suite: "processes".into(), rows: vec![] };
        record.add("100 MB argument", "anyplace", 10.0, "ms");
        record.add("100 MB argument", "loky", 300.0, "ms");
        record.add("100 MB argument", "memcpy + touch", 8.0, "ms");
        let columns = Columns::of(&["ProcessPoolExecutor", "loky"]).with_floor();
        let found = columns.line(&record, &record.rows[0]);
        let loky = "| 100 MB argument, ms | **10.0** |  | 300 (30.0 [30.0..30.0]x) | ";
        assert!(found.starts_with(loky), "{found}");
        assert!(found.contains("memcpy + touch: 8.00 (0.80 [0.80..0.80]x)"), "{found}");
        assert!(found.contains("within 1.5 of memcpy + touch: reached"), "{found}");
        assert_eq!(columns.head().lines().next().unwrap().matches('|').count(), found.matches('|').count());
    }

    #[test]
    fn a_case_is_shown_without_what_its_table_says() {
        assert_eq!(shown("process queue: round trip p50"), "round trip p50");
        assert_eq!(shown("round trip p50 (4 workers)"), "round trip p50");
    }
}
