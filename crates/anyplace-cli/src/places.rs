//! `anyplace places`: what kinds of places there are, and whether they work here.

use std::io::{self, Write};

use anyplace::{Entry, Registry};
use serde_json::json;

use crate::args;
use crate::exit::Exit;
use crate::report::{Result, written};

/// Prints every driver of the registry.
pub(crate) fn print(args: &args::Places) -> Result<Exit> {
    let registry = Registry::standard();
    let kinds: Vec<Kind> = registry.entries().iter().map(|entry| Kind::new(entry, &registry)).collect();
    let text = if args.json { lines(&kinds) } else { table(&kinds) };
    written(io::stdout().lock().write_all(text.as_bytes())).map(|()| Exit::SUCCESS)
}

/// One kind of place, on this machine.
struct Kind<'a> {
    entry: &'a Entry,
    families: Vec<&'static str>,
    works: std::result::Result<(), anyplace::Error>,
}

impl<'a> Kind<'a> {
    fn new(entry: &'a Entry, registry: &Registry) -> Self {
        let families = entry.families.iter().map(|family| family.name()).collect();
        Self { entry, families, works: (entry.check)(registry.setup()) }
    }

    /// Two lines: what it is, and, if it does not work, what to do.
    fn here(&self) -> String {
        match &self.works {
            Ok(()) => "works".into(),
            Err(error) => match error.help() {
                Some(help) => format!("no: {error}; {help}"),
                None => format!("no: {error}"),
            },
        }
    }
}

fn table(kinds: &[Kind<'_>]) -> String {
    let mut rows = vec![["ADDRESS".to_owned(), "RUNS".into(), "FAMILIES".into(), "HERE".into()]];
    rows.extend(kinds.iter().map(|kind| {
        [kind.entry.forms.join(" "), kind.entry.about.to_owned(), kind.families.join(" "), kind.here()]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    rows.iter().map(|row| line(row, widths)).collect()
}

fn line([address, about, families, here]: &[String; 4], [first, second, third]: [usize; 3]) -> String {
    format!("{address:first$}  {about:second$}  {families:third$}  {here}\n")
}

fn lines(kinds: &[Kind<'_>]) -> String {
    kinds
        .iter()
        .map(|kind| {
            let error = kind.works.as_ref().err();
            let options: Vec<_> = kind.entry.options.iter().map(|(name, _)| name).collect();
            let object = json!({
                "v": 1,
                "scheme": kind.entry.scheme,
                "about": kind.entry.about,
                "forms": kind.entry.forms,
                "options": options,
                "families": kind.families,
                "works": error.is_none(),
                "error": error.map(ToString::to_string),
                "help": error.and_then(anyplace::Error::help),
            });
            format!("{object}\n")
        })
        .collect()
}
