//! All combinations of what the sources give.

use std::fmt;

use super::{Found, Origin, Row, Values};
use crate::report::Result;

/// The rows of a run, in order, the last source changing fastest.
///
/// Only the first source is read as it goes and may be without an end; the others are repeated, so they are held.
pub(crate) struct Rows {
    first: Group,
    /// Each group's rows, held.
    others: Vec<Vec<Vec<Found>>>,
    /// The first group's row that is being combined, and the next combination of the others.
    current: Option<(Vec<Found>, Vec<usize>)>,
}

/// Sources that are read side by side; the shortest ends them.
struct Group(Vec<Values>);

impl Iterator for Group {
    type Item = Result<Vec<Found>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.iter_mut().map(Iterator::next).collect()
    }
}

impl Rows {
    pub(super) fn new(groups: Vec<Vec<Values>>) -> Result<Self> {
        let mut groups = groups.into_iter().map(Group);
        let first = groups.next().expect("a run has a source");
        let others = groups.map(Iterator::collect).collect::<Result<Vec<Vec<_>>>>()?;
        Ok(Self { first, others, current: None })
    }

    fn combination(&mut self) -> Option<Result<Row>> {
        if self.others.iter().any(Vec::is_empty) {
            return None;
        }
        if self.current.is_none() {
            match self.first.next()? {
                Ok(found) => self.current = Some((found, vec![0; self.others.len()])),
                Err(error) => return Some(Err(error)),
            }
        }
        let (found, indexes) = self.current.as_mut()?;
        let others = self.others.iter().zip(indexes.iter()).flat_map(|(rows, &index)| rows[index].iter());
        let row = row(found.iter().chain(others));
        if !advance(indexes, &self.others) {
            self.current = None;
        }
        Some(Ok(row))
    }
}

impl Iterator for Rows {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.combination()
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("others", &self.others.len()).finish_non_exhaustive()
    }
}

/// Steps to the next combination; false after the last.
fn advance(indexes: &mut [usize], groups: &[Vec<Vec<Found>>]) -> bool {
    for (index, rows) in indexes.iter_mut().zip(groups).rev() {
        *index += 1;
        if *index < rows.len() {
            return true;
        }
        *index = 0;
    }
    false
}

/// A row's origin is its last value's that was read from a stream.
fn row<'a>(found: impl Iterator<Item = &'a Found>) -> Row {
    let mut row = Row { values: Vec::new(), origin: Origin::Arguments };
    for (value, origin) in found {
        row.values.push(value.clone());
        if *origin != Origin::Arguments {
            row.origin = origin.clone();
        }
    }
    row
}
