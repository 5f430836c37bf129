//! Fills the tables of the documents from the newest runs: `cargo xtask bench tables`.
//!
//! What stands between `<!-- measured: NAME -->` and `<!-- end -->` is made anew; all other text is a person's.

use crate::columns::Columns;
use crate::record::Record;
use crate::{Result, runs};

/// A document, and what is measured for it.
struct Document {
    path: &'static str,
    /// The suite whose newest run it shows.
    suite: &'static str,
    tables: &'static [Table],
    /// Under which file the newest table of crashes is kept, if it has one.
    crashes: Option<&'static str>,
}

/// A part of a run, shown under a name.
struct Table {
    name: &'static str,
    /// Which cases it has.
    shows: fn(&str) -> bool,
    columns: Columns,
}

/// THE documents.
const DOCUMENTS: &[Document] = &[
    Document {
        path: "docs/compare/process-pools.md",
        suite: "processes",
        tables: &[
            Table { name: "two workers", shows: |case| !case.ends_with(')'), columns: POOLS },
            Table { name: "four workers", shows: |case| case.ends_with("(4 workers)"), columns: POOLS },
        ],
        crashes: Some("crashes.md"),
    },
    Document {
        path: "docs/compare/sharing.md",
        suite: "share",
        tables: &[
            Table {
                name: "locks between threads",
                shows: |case| case.starts_with("threads: "),
                columns: Columns::of(&["threading"]),
            },
            Table {
                name: "locks between processes",
                shows: |case| case.starts_with("processes: ") || case.starts_with("killed: "),
                columns: Columns::of(&["multiprocessing"]),
            },
            Table {
                name: "queues between threads",
                shows: |case| case.starts_with("thread queue: "),
                columns: Columns::of(&["queue.Queue", "queue.SimpleQueue", "culsans"]),
            },
            Table {
                name: "queues between processes",
                shows: |case| case.starts_with("process queue: "),
                columns: Columns::of(&[
                    "multiprocessing.Queue",
                    "multiprocessing.SimpleQueue",
                    "multiprocessing.Pipe",
                    "faster-fifo",
                ]),
            },
            Table {
                name: "managers",
                shows: |case| case.starts_with("manager: "),
                columns: Columns::of(&["multiprocessing"]),
            },
            Table {
                name: "queues from Rust",
                shows: |case| case.starts_with("Rust: ") && case.contains("queue"),
                columns: Columns::of(&["crossbeam-channel", "flume"]),
            },
            Table {
                name: "locks from Rust",
                shows: |case| case.starts_with("Rust: ") && !case.contains("queue"),
                columns: Columns::of(&["std::sync::Mutex", "parking_lot"]),
            },
        ],
        crashes: Some("killed.md"),
    },
    Document {
        path: "docs/compare/sockets.md",
        suite: "net",
        tables: &[
            Table {
                name: "calls",
                shows: |case| case.starts_with("call over "),
                columns: Columns::of(&["Pyro5", "ZeroMQ", "socket"]),
            },
            Table {
                name: "tasks",
                shows: |case| case.starts_with("tasks "),
                columns: Columns::of(&["Pyro5"]),
            },
            Table {
                name: "echo",
                shows: |case| case.starts_with("echo from "),
                columns: Columns::of(&["asyncio", "tokio", "std threads"]),
            },
            Table {
                name: "files",
                shows: |case| case.contains("file over TCP"),
                columns: Columns::of(&["sendfile"]),
            },
        ],
        crashes: None,
    },
];

const POOLS: Columns =
    Columns::of(&["ProcessPoolExecutor", "multiprocessing.Pool", "loky", "pebble"]).with_floor();

/// Writes what was measured into the documents.
pub(crate) fn fill() -> Result<()> {
    DOCUMENTS.iter().try_for_each(Document::fill)
}

impl Document {
    /// Writes the newest run into it.
    fn fill(&self) -> Result<()> {
        let told = |error: std::io::Error| format!("{}: {error}", self.path);
        let mut text = std::fs::read_to_string(self.path).map_err(told)?;
        let (folder, csv) = runs::newest("raw.csv", |csv| csv.contains(&format!("\n{},", self.suite)))?;
        let record = Record::read(&csv)?;
        for table in self.tables {
            text = self.replaced(&text, table.name, &table.filled(&record, self.suite))?;
        }
        let source =
            format!("([raw data](../../{0}/raw.csv), [machine](../../{0}/machine.md))", folder.display());
        text = self.replaced(&text, "source", &source)?;
        if let Some(crashes) = self.crashes {
            let (_, crashes) = runs::newest(crashes, |_| true)?;
            text = self.replaced(&text, "crashes", &crashes)?;
        }
        std::fs::write(self.path, text).map_err(told)?;
        println!("{} shows {}", self.path, folder.display());
        Ok(())
    }

    fn replaced(&self, text: &str, name: &str, with: &str) -> Result<String> {
        replaced(text, name, with).ok_or_else(|| format!("{} has no place for `{name}`", self.path))
    }
}

impl Table {
    fn filled(&self, record: &Record, suite: &str) -> String {
        let cases = record.cases().into_iter().filter(|row| row.suite == suite && (self.shows)(&row.case));
        self.columns.head() + &cases.map(|row| self.columns.line(record, row)).collect::<String>()
    }
}

fn replaced(text: &str, name: &str, with: &str) -> Option<String> {
    let begin = format!("<!-- measured: {name} -->\n");
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once("<!-- end -->")?;
    Some(format!("{before}{begin}\n{}\n\n<!-- end -->{after}", with.trim_end()))
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
        assert!(replaced(text, "z", "new").is_none());
    }

    #[test]
    fn every_target_of_a_document_stands_in_one_of_its_tables() {
        for document in DOCUMENTS {
            let cases = crate::targets::cases(document.suite);
            for case in cases {
                let tables = document.tables.iter().filter(|table| (table.shows)(case)).count();
                assert_eq!(tables, 1, "{case}");
            }
        }
    }
}
