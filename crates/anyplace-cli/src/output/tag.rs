//! Starts every line with the values of its job.

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;

use anyplace::Captured;

/// Writes lines, each after the tag and a TAB.
#[derive(Debug)]
pub(super) struct Tagged<W: Write> {
    out: BufWriter<W>,
    tag: Vec<u8>,
    at_line_start: bool,
}

impl<W: Write> Tagged<W> {
    pub(super) fn new(out: W, values: &[OsString]) -> Self {
        let values: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
        let tag = [&values.join(&b' '), &b"\t"[..]].concat();
        Self { out: BufWriter::with_capacity(64 * 1024, out), tag, at_line_start: true }
    }

    pub(super) fn copy(mut self, captured: &Captured) -> io::Result<()> {
        captured.copy_to(&mut self)?;
        self.out.flush()
    }

    /// Writes all there is.
    pub(super) fn finish(mut self, text: &[u8]) -> io::Result<()> {
        self.write_all(text)?;
        self.out.flush()
    }
}

impl<W: Write> Write for Tagged<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            if self.at_line_start {
                self.out.write_all(&self.tag)?;
            }
            self.out.write_all(line)?;
            self.at_line_start = line.ends_with(b"\n");
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_the_tag_once_however_it_is_cut() {
        let mut out = Vec::new();
        let mut tagged = Tagged::new(&mut out, &["a".into(), "1".into()]);
        for part in ["x", "y\n", "\nz"] {
            tagged.write_all(part.as_bytes()).unwrap();
        }
        drop(tagged);
        assert_eq!(String::from_utf8(out).unwrap(), "a 1\txy\na 1\t\na 1\tz");
    }
}
