//! Bytes as base64 (RFC 4648), a piece at a time.

use std::io::{self, Write};

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Encodes what is written to it; [`finish`](Self::finish) writes what is left.
#[derive(Debug)]
pub(super) struct Base64<'a, W: Write> {
    out: &'a mut W,
    left: Vec<u8>,
}

impl<'a, W: Write> Base64<'a, W> {
    pub(super) fn new(out: &'a mut W) -> Self {
        Self { out, left: Vec::new() }
    }

    pub(super) fn finish(self) -> io::Result<()> {
        match self.left.len() {
            0 => Ok(()),
            length => {
                let mut group = group(&self.left);
                group[length + 1..].fill(b'=');
                self.out.write_all(&group)
            }
        }
    }
}

impl<W: Write> Write for Base64<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left.extend_from_slice(bytes);
        let whole = self.left.len() / 3 * 3;
        for three in self.left[..whole].chunks(3) {
            self.out.write_all(&group(three))?;
        }
        self.left.drain(..whole);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Up to three bytes as four letters.
fn group(bytes: &[u8]) -> [u8; 4] {
    let byte = |index: usize| u32::from(bytes.get(index).copied().unwrap_or(0));
    let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    [18, 12, 6, 0].map(|shift| LETTERS[(bits >> shift & 63) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_encoded_as_the_rfc_says_however_they_are_cut() {
        let table = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ];
        for (text, wanted) in table {
            let mut out = Vec::new();
            let mut base64 = Base64::new(&mut out);
            text.bytes().for_each(|byte| base64.write_all(&[byte]).unwrap());
            base64.finish().unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), wanted);
        }
    }
}
