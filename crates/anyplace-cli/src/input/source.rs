//! The sources a command line names.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufReader, Read, stdin};
use std::path::PathBuf;
use std::sync::Arc;

use super::lines::Lines;
use super::{Origin, Rows, Values};
use crate::report::{Report, Result};

/// One source of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) kind: Kind,
    /// It gives its values side by side with the source before it (`:::+`), not in all combinations.
    pub(crate) linked: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Arguments(Vec<OsString>),
    File(PathBuf),
    Stdin,
}

/// Everything a run reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inputs {
    /// In the order in which placeholders number them; never empty.
    pub(crate) sources: Vec<Source>,
    /// What stands between the values of a file or of standard input.
    pub(crate) separator: u8,
}

impl Inputs {
    /// `-a FILE`s first, then what stood after `:::`; standard input if there is neither.
    pub(crate) fn new(files: &[PathBuf], after_colons: Vec<Source>, separator: u8) -> Self {
        let mut sources: Vec<Source> = files.iter().map(|file| Source::file(file.clone(), false)).collect();
        sources.extend(after_colons);
        if sources.is_empty() {
            sources.push(Source { kind: Kind::Stdin, linked: false });
        }
        Self { sources, separator }
    }

    /// How many jobs there will be, where that can be known without reading anything.
    pub(crate) fn known_total(&self) -> Option<u64> {
        let mut total: u64 = 1;
        let mut group: Option<u64> = None;
        for source in &self.sources {
            let Kind::Arguments(arguments) = &source.kind else { return None };
            let count = arguments.len() as u64;
            match source.linked {
                true => group = Some(group.map_or(count, |group| group.min(count))),
                false => total = total.saturating_mul(group.replace(count).unwrap_or(1)),
            }
        }
        Some(total.saturating_mul(group.unwrap_or(1)))
    }

    /// Starts to read; a file that cannot be opened is told at once.
    pub(crate) fn open(&self) -> Result<Rows> {
        let mut groups: Vec<Vec<Values>> = Vec::new();
        for source in &self.sources {
            let values = source.open(self.separator)?;
            match groups.last_mut() {
                Some(group) if source.linked => group.push(values),
                _ => groups.push(vec![values]),
            }
        }
        Rows::new(groups)
    }
}

impl Source {
    /// `-` is standard input, as everywhere.
    fn file(path: PathBuf, linked: bool) -> Self {
        match path.as_os_str() == "-" {
            true => Self { kind: Kind::Stdin, linked },
            false => Self { kind: Kind::File(path), linked },
        }
    }

    fn open(&self, separator: u8) -> Result<Values> {
        match &self.kind {
            Kind::Arguments(arguments) => {
                let found = |argument: &OsString| Ok((argument.clone(), Origin::Arguments));
                Ok(Box::new(arguments.iter().map(found).collect::<Vec<_>>().into_iter()))
            }
            Kind::Stdin => {
                let stream = BufReader::new(stdin_bytes());
                Ok(Box::new(Lines::new(stream, separator, |line| Origin::Stdin { line })))
            }
            Kind::File(path) => open_file(path, separator),
        }
    }
}

/// Standard input without the lock that std holds around its own buffer: it is read in one place only.
fn stdin_bytes() -> impl Read + Send {
    struct Stdin;
    impl Read for Stdin {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            stdin().lock().read(buffer)
        }
    }
    Stdin
}

fn open_file(path: &PathBuf, separator: u8) -> Result<Values> {
    let file = File::open(path).map_err(|error| {
        Report::own(format!("{} cannot be read: {error}", path.display()))
            .help("-a takes a file with a value in each line, or - for standard input")
    })?;
    let path = Arc::new(path.clone());
    let origin = move |line| Origin::Line { file: Arc::clone(&path), line };
    Ok(Box::new(Lines::new(BufReader::new(file), separator, origin)))
}

/// Cuts a command line before its first `:::`, and reads the sources after it.
///
/// | token | what follows |
/// |---|---|
/// | `:::` | values |
/// | `:::+` | values, side by side with those of the source before |
/// | `::::` | files, each a source of its own |
/// | `::::+` | files, side by side with the source before |
pub(crate) fn split_off_sources(mut arguments: Vec<OsString>) -> (Vec<OsString>, Vec<Source>) {
    let start = arguments.iter().position(|argument| Token::read(argument).is_some());
    let Some(start) = start else { return (arguments, Vec::new()) };
    let mut sources = Vec::new();
    let mut token = Token { files: false, linked: false };
    for argument in arguments.split_off(start) {
        match Token::read(&argument) {
            Some(next) => {
                token = next;
                token.open(&mut sources);
            }
            None => token.add(argument, &mut sources),
        }
    }
    (arguments, sources)
}

#[derive(Clone, Copy)]
struct Token {
    files: bool,
    linked: bool,
}

impl Token {
    fn read(argument: &OsString) -> Option<Self> {
        match argument.to_str()? {
            ":::" => Some(Self { files: false, linked: false }),
            ":::+" => Some(Self { files: false, linked: true }),
            "::::" => Some(Self { files: true, linked: false }),
            "::::+" => Some(Self { files: true, linked: true }),
            _ => None,
        }
    }

    /// A source without values; it stays so if nothing follows, as where a shell's pattern matched no file.
    fn open(self, sources: &mut Vec<Source>) {
        sources.push(Source { kind: Kind::Arguments(Vec::new()), linked: self.linked });
    }

    fn add(self, argument: OsString, sources: &mut Vec<Source>) {
        let last = sources.last_mut().expect("a token has opened one");
        let file = |argument: OsString| Source::file(argument.into(), self.linked);
        match &mut last.kind {
            Kind::Arguments(arguments) if !self.files => arguments.push(argument),
            Kind::Arguments(_) => *last = file(argument),
            _ => sources.push(file(argument)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(line: &str) -> Vec<String> {
        let (_, sources) = split_off_sources(line.split(' ').map(Into::into).collect());
        let inputs = Inputs::new(&[], sources, b'\n');
        let rows: Vec<String> = inputs.open().unwrap().map(|row| joined(&row.unwrap())).collect();
        assert_eq!(inputs.known_total(), Some(rows.len() as u64));
        rows
    }

    fn joined(row: &super::super::Row) -> String {
        row.values.iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn everything_before_the_colons_stays() {
        let (before, sources) = split_off_sources(["map", "echo", ":::", "a", "-k"].map(Into::into).to_vec());
        assert_eq!(before, ["map", "echo"]);
        assert_eq!(sources[0].kind, Kind::Arguments(vec!["a".into(), "-k".into()]));
    }

    #[test]
    fn several_sources_give_all_combinations_the_last_fastest() {
        assert_eq!(rows("x ::: a b ::: 1 2"), ["a 1", "a 2", "b 1", "b 2"]);
        assert_eq!(rows("x ::: a b ::: 1 2 ::: z"), ["a 1 z", "a 2 z", "b 1 z", "b 2 z"]);
        assert_eq!(rows("x ::: a b :::"), [""; 0]);
        assert_eq!(rows("x ::::"), [""; 0], "standard input is not read instead");
    }

    #[test]
    fn linked_sources_go_side_by_side() {
        assert_eq!(rows("x ::: a b c :::+ 1 2"), ["a 1", "b 2"]);
        assert_eq!(rows("x ::: a b :::+ 1 2 ::: X Y :::+ 8 9"), ["a 1 X 8", "a 1 Y 9", "b 2 X 8", "b 2 Y 9"]);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Inputs::new(&["no/such".into()], Vec::new(), b'\n').open().unwrap_err();
        insta::assert_snapshot!(error, @"
        error: no/such cannot be read: No such file or directory (os error 2)
         help: -a takes a file with a value in each line, or - for standard input
        ");
    }

    #[test]
    fn files_after_four_colons_are_sources_of_their_own() {
        let (_, sources) = split_off_sources(["::::", "f1", "-", "::::+", "f3"].map(Into::into).to_vec());
        let inputs = Inputs::new(&[], sources, b'\n');
        assert_eq!(inputs.sources[1].kind, Kind::Stdin);
        assert!(inputs.sources[2].linked);
        assert_eq!(inputs.known_total(), None);
    }
}
