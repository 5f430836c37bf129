//! Tables that people can read and edit: a row a line, words first, then `name=value`; `#` begins a comment.

use crate::error::{Error, Result};
use std::fmt::Display;
use std::str::FromStr;

/// A row of a table.
pub(super) trait Row: Sized + Display {
    /// The file that holds the table.
    const FILE: &'static str;
    /// What a new file says at its top.
    const ABOUT: &'static str;

    /// Reads what `Display` wrote.
    fn of(line: Line<'_>) -> Option<Self>;
}

/// What is left of a line.
pub(super) struct Line<'a>(Vec<&'a str>);

impl<'a> Line<'a> {
    /// The first word, which it then has no more.
    pub(super) fn word<T: FromStr>(&mut self) -> Option<T> {
        let word = self.text()?;
        word.parse().ok()
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }

    /// The value of this name, if there is one; `None` if it cannot be read.
    pub(super) fn value<T: FromStr>(&mut self, name: &str) -> Option<Option<T>> {
        let at = self.0.iter().position(|word| word.split_once('=').is_some_and(|(key, _)| key == name));
        let Some(at) = at else { return Some(None) };
        let (_, value) = self.0.remove(at).split_once('=')?;
        value.parse().ok().map(Some)
    }

    /// Nothing may be left: a word that nobody understands may be the one that matters.
    pub(super) fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// All rows.
///
/// # Errors
/// `ConfigInvalid` for a line that cannot be read. It is not passed over: it may say that a key is revoked.
pub(super) fn rows<R: Row>(text: &str) -> Result<Vec<R>> {
    let rows = text.lines().enumerate().filter_map(|(at, line)| Some((at, row::<R>(line)?)));
    rows.map(|(at, row)| row.ok_or_else(|| unreadable::<R>(at + 1))).collect()
}

/// `None` for a line that is no row, `Some(None)` for one that cannot be read.
fn row<R: Row>(line: &str) -> Option<Option<R>> {
    let said = line.split('#').next().unwrap_or("");
    let words: Vec<_> = said.split_whitespace().collect();
    (!words.is_empty()).then(|| R::of(Line(words)))
}

fn unreadable<R: Row>(line: usize) -> Error {
    Error::config(format!("line {line} of the keys' file `{}` cannot be read", R::FILE))
        .with_help("mend it, or take it out; the first lines of the file say how a line looks")
}

/// Puts the row in the place of those that are the same, or behind the last. All other lines stay as people wrote them.
pub(super) fn put<R: Row>(text: &mut String, new: &R, is_same: impl Fn(&R) -> bool) {
    let mut waiting = Some(new.to_string());
    edit(text, |row| if is_same(row) { waiting.take() } else { Some(row.to_string()) });
    if text.is_empty() {
        text.push_str(R::ABOUT);
    }
    if let Some(line) = waiting {
        text.push_str(&line);
        text.push('\n');
    }
}

/// Takes out the rows that are not to stay, and gives how many.
pub(super) fn keep<R: Row>(text: &mut String, stays: impl Fn(&R) -> bool) -> usize {
    let mut gone = 0;
    edit(text, |row| {
        let stays = stays(row);
        gone += usize::from(!stays);
        stays.then(|| row.to_string())
    });
    gone
}

/// Rewrites the rows that change; a row for which `change` gives what it is keeps its comment.
fn edit<R: Row>(text: &mut String, mut change: impl FnMut(&R) -> Option<String>) {
    let mut lines = Vec::new();
    for line in text.lines() {
        let Some(Some(old)) = row::<R>(line) else {
            lines.push(line.to_owned());
            continue;
        };
        match change(&old) {
            Some(new) if new == old.to_string() => lines.push(line.to_owned()),
            new => lines.extend(new),
        }
    }
    *text = lines.into_iter().map(|line| line + "\n").collect();
}

#[cfg(test)]
mod tests {
    use super::super::{Authorized, Issued, KeyHash, Known, Moment, Scope};
    use super::*;
    use crate::keys::ticket::Ticket;
    use proptest::prelude::*;

    fn hash(text: &str) -> KeyHash {
        KeyHash::of_spki(text.as_bytes())
    }

    fn known(at: &str, key: &str) -> Known {
        Known { at: at.to_owned(), key: hash(key), since: Moment::from_seconds(0).unwrap() }
    }

    fn put_known(text: &mut String, new: &Known) {
        put(text, new, |row: &Known| row.at == new.at);
    }

    #[test]
    fn a_new_table_says_what_its_lines_are() {
        let mut text = String::new();
        put_known(&mut text, &known("host:1", "a"));
        assert!(text.starts_with("# Servers"));
        assert_eq!(rows::<Known>(&text).unwrap(), [known("host:1", "a")]);
    }

    #[test]
    fn what_people_wrote_stays_where_only_other_rows_change() {
        let (first, second) = (known("host:1", "a"), known("host:2", "b"));
        let mut text = format!("# my own\n\n{first}   # the big one\n{second}\n# last\n");
        put_known(&mut text, &known("host:2", "c"));
        put_known(&mut text, &known("host:3", "d"));
        let (changed, new) = (known("host:2", "c"), known("host:3", "d"));
        assert_eq!(text, format!("# my own\n\n{first}   # the big one\n{changed}\n# last\n{new}\n"));
        assert_eq!(keep(&mut text, |row: &Known| row.at == "host:1"), 2);
        assert_eq!(text, format!("# my own\n\n{first}   # the big one\n# last\n"));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_and_never_passed_over() {
        let good = known("host:1", "a");
        for bad in ["host:2", "host:2 abc", &format!("{good} more"), &format!("{good} revoked=yes"), "x="] {
            let error = rows::<Known>(&format!("# a\n{good}\n{bad}\n")).unwrap_err();
            assert!(error.message().contains("line 3") && error.message().contains("known_peers"), "{error}");
        }
    }

    fn moments() -> impl Strategy<Value = Moment> {
        (0_u64..250_000_000_000).prop_map(|seconds| Moment::from_seconds(seconds).unwrap())
    }

    proptest! {
        #[test]
        fn every_row_reads_as_it_prints(
            bits in 1_u8..16,
            name in "[a-zA-Z0-9@._-]{1,64}",
            since in moments(),
            until in proptest::option::of(moments()),
            revoked in proptest::option::of(moments()),
            once: bool,
        ) {
            let scope = Scope::from_bits(bits).unwrap();
            let ticket = Ticket::new(hash("server"), scope, until).unwrap();
            let issued = Issued { spent: once.then(|| hash("ada")), ..Issued::new(&ticket, once, since) };
            prop_assert_eq!(rows::<Issued>(&issued.to_string()).unwrap(), [issued.clone()]);
            let peer = Authorized { key: hash("ada"), scope, name, since, until, ticket: Some(issued.id), revoked };
            prop_assert_eq!(rows::<Authorized>(&peer.to_string()).unwrap(), [peer]);
        }

        #[test]
        fn no_text_is_too_strange_to_be_refused(text in "([a-z2-7=:#. \\n]|since=|until=|\\PC){0,200}") {
            drop((rows::<Known>(&text), rows::<Issued>(&text), rows::<Authorized>(&text)));
        }
    }
}
