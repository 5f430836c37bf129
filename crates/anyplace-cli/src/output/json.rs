//! `--json`: one object a line for each finished input.
//!
//! ```json
//! {"v":1,"number":1,"values":["a"],"ok":true,"exit":0,"signal":null,"seconds":0.002,"attempts":1,"stdout":"a\n","stderr":"","error":null}
//! ```
//!
//! Text that is not UTF-8 is `{"base64":"..."}`. A function's result is `"result"`, in place of the two streams; the
//! traceback of its exception is `"traceback"`. The keys and their order stay as they are as long as `v` does.

use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;

use anyplace::Captured;
use anyplace::{Error, Exit, Value};

use super::base64::Base64;
use crate::map::Item;

pub(super) fn write(out: &mut impl Write, item: &Item) -> io::Result<()> {
    write!(out, "{{\"v\":1,\"number\":{},\"values\":[", item.number)?;
    for (index, value) in item.values().iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        text(out, value.as_bytes())?;
    }
    let (exit, signal) = match item.finished().map(|finished| finished.exit) {
        Some(Exit::Code(code)) => (code.to_string(), "null".into()),
        Some(Exit::Signal(signal)) => ("null".into(), signal.to_string()),
        None => ("null".into(), "null".into()),
    };
    let took = item.finished().map_or(item.took, |finished| finished.took);
    write!(out, "],\"ok\":{},\"exit\":{exit},\"signal\":{signal}", item.succeeded())?;
    write!(out, ",\"seconds\":{:.6},\"attempts\":{}", took.as_secs_f64(), item.attempt)?;
    left(out, item)?;
    out.write_all(b",\"error\":")?;
    match item.error().map(Error::to_string) {
        Some(message) => text(out, message.as_bytes())?,
        None => out.write_all(b"null")?,
    }
    out.write_all(b"}\n")?;
    out.flush()
}

fn left(out: &mut impl Write, item: &Item) -> io::Result<()> {
    if let Some(finished) = item.finished() {
        for (name, captured) in [("stdout", &finished.stdout), ("stderr", &finished.stderr)] {
            write!(out, ",\"{name}\":")?;
            stream(out, captured)?;
        }
    }
    if let Ok(Value::Encoded(payload)) = &item.result {
        out.write_all(b",\"result\":")?;
        out.write_all(&payload.bytes)?;
    }
    if let Some(remote) = item.error().and_then(Error::remote) {
        out.write_all(b",\"traceback\":")?;
        text(out, remote.traceback.as_bytes())?;
    }
    Ok(())
}

fn text(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    match std::str::from_utf8(bytes) {
        Ok(_) => quoted(out, |out| out.write_all(bytes)),
        Err(_) => in_base64(out, |out| out.write_all(bytes)),
    }
}

/// Output may be long: it is read twice, never held.
fn stream(out: &mut impl Write, captured: &Captured) -> io::Result<()> {
    let mut check = Utf8::default();
    captured.copy_to(&mut check)?;
    match check.is_valid() {
        true => quoted(out, |out| captured.copy_to(out)),
        false => in_base64(out, |out| captured.copy_to(out)),
    }
}

fn quoted<W: Write>(
    out: &mut W,
    write: impl FnOnce(&mut Escaped<'_, W>) -> io::Result<()>,
) -> io::Result<()> {
    out.write_all(b"\"")?;
    write(&mut Escaped(out))?;
    out.write_all(b"\"")
}

fn in_base64<W: Write>(
    out: &mut W,
    write: impl FnOnce(&mut Base64<'_, W>) -> io::Result<()>,
) -> io::Result<()> {
    out.write_all(b"{\"base64\":\"")?;
    let mut base64 = Base64::new(out);
    write(&mut base64)?;
    base64.finish()?;
    out.write_all(b"\"}")
}

/// Escapes what JSON strings cannot hold (RFC 8259, 7).
struct Escaped<'a, W: Write>(&'a mut W);

impl<W: Write> Write for Escaped<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut plain = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            if byte >= 0x20 && byte != b'"' && byte != b'\\' {
                continue;
            }
            self.0.write_all(&bytes[plain..at])?;
            match byte {
                b'\n' => self.0.write_all(b"\\n")?,
                b'\t' => self.0.write_all(b"\\t")?,
                b'"' | b'\\' => self.0.write_all(&[b'\\', byte])?,
                _ => write!(self.0, "\\u{byte:04x}")?,
            }
            plain = at + 1;
        }
        self.0.write_all(&bytes[plain..])?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Checks that what is written to it is UTF-8, also where a character is cut in two.
#[derive(Default)]
struct Utf8 {
    /// The beginning of a character whose end has not come.
    open: Vec<u8>,
    broken: bool,
}

impl Utf8 {
    fn is_valid(&self) -> bool {
        !self.broken && self.open.is_empty()
    }
}

impl Write for Utf8 {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.open.extend_from_slice(bytes);
        let valid = match std::str::from_utf8(&self.open) {
            Ok(text) => text.len(),
            Err(error) => {
                self.broken |= error.error_len().is_some();
                error.valid_up_to()
            }
        };
        self.open.drain(..valid);
        if self.broken {
            self.open.clear();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8]) -> String {
        let mut out = Vec::new();
        text(&mut out, bytes).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_text_is_read_back_as_it_was() {
        for wanted in ["", "plain", "a\n\t\"b\"\\\u{1}\u{1f}\u{7f}", "naïve ☃"] {
            assert_eq!(serde_json::from_str::<String>(&shown(wanted.as_bytes())).unwrap(), wanted);
        }
        assert_eq!(shown(b"\xff\xfe"), r#"{"base64":"//4="}"#);
    }

    #[test]
    fn a_character_that_is_cut_in_two_is_whole() {
        let is_valid = |parts: &[&[u8]]| {
            let mut check = Utf8::default();
            parts.iter().for_each(|part| check.write_all(part).unwrap());
            check.is_valid()
        };
        assert!(is_valid(&[b"a\xc3", b"\xafb"]));
        assert!(!is_valid(&[b"a\xc3", b"b"]));
        assert!(!is_valid(&[b"a\xc3"]));
    }
}
