//! Cuts a stream at its separators.

use std::ffi::OsString;
use std::io::{BufRead, ErrorKind};
use std::os::unix::ffi::OsStringExt;

use super::{Found, Origin};
use crate::report::{Report, Result};

/// The values of a stream; the last one needs no separator after it.
pub(super) struct Lines<R> {
    stream: R,
    separator: u8,
    count: u64,
    origin: Box<dyn Fn(u64) -> Origin + Send>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(stream: R, separator: u8, origin: impl Fn(u64) -> Origin + Send + 'static) -> Self {
        Self { stream, separator, count: 0, origin: Box::new(origin) }
    }

    fn read(&mut self) -> Result<Option<Found>> {
        let mut value = Vec::new();
        self.count += 1;
        let origin = (self.origin)(self.count);
        match self.stream.read_until(self.separator, &mut value) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(error) => return Err(unreadable(&error).at(origin)),
        }
        if value.last() == Some(&self.separator) {
            value.pop();
        }
        if value.contains(&0) {
            return Err(Report::own("a value with a NUL byte cannot be passed to a command")
                .help("-0 separates values by NUL instead of by newline")
                .at(origin));
        }
        Ok(Some((OsString::from_vec(value), origin)))
    }
}

fn unreadable(error: &std::io::Error) -> Report {
    let report = Report::own(format!("cannot be read: {error}"));
    match error.kind() {
        ErrorKind::IsADirectory => report.help("name the files in it, as in: ::: DIR/*"),
        _ => report,
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Found>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8], separator: u8) -> Vec<OsString> {
        Lines::new(text, separator, |line| Origin::Stdin { line }).map(|found| found.unwrap().0).collect()
    }

    #[test]
    fn a_line_is_a_value_as_it_is() {
        assert_eq!(lines(b"a\n b b \n\n\xff\xfe", b'\n').len(), 4);
        assert_eq!(lines(b" b b \n\n'q'\n", b'\n'), [" b b ", "", "'q'"]);
        assert_eq!(lines(b"", b'\n'), [""; 0]);
    }

    #[test]
    fn with_nul_between_values_a_newline_is_a_part_of_them() {
        assert_eq!(lines(b"a\nb\0c", 0), ["a\nb", "c"]);
    }

    #[test]
    fn a_nul_in_a_line_is_refused_with_its_place() {
        let mut lines = Lines::new(&b"a\nb\0c\n"[..], b'\n', |line| Origin::Stdin { line });
        lines.next().unwrap().unwrap();
        insta::assert_snapshot!(lines.next().unwrap().unwrap_err(), @"
        error: standard input, line 2: a value with a NUL byte cannot be passed to a command
         help: -0 separates values by NUL instead of by newline
        ");
    }
}
