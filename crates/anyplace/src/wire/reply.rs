//! Replies: how the call of an order ended, or each call of its chunk.
//!
//! | bytes | |
//! |---|---|
//! | 1 | 1 if it is of a chunk |
//! | 4, 8 | how many rows, and of how many bytes |
//! | 4 | how many values stand beside |
//! | | the list of values beside: see `beside` |
//! | n | a row for each call: what it returned, or an error behind its ending: see `rows` |
//! | n | the values that follow |

use super::beside::{self, Blocks};
use super::bytes::{Malformed, Reader, Result, Writer};
use super::error::{read_error, write_error};
use super::order::Rest;
use super::rows::Rows;
use crate::error::{Error, Kind};
use crate::outcome::{Items, Outcome, Value, outcome};
use crate::work::{Bytes, Encoding};

/// What a row is whose call did not return; what it returned is told by its encoding.
pub(crate) const FAILED: u8 = 0x20;
pub(crate) const CANCELLED: u8 = 0x21;
pub(crate) const LOST: u8 = 0x22;

/// Appends a reply to `out`, all but what it gives.
pub(crate) fn write<'a>(out: &mut Vec<u8>, is_chunk: bool, all: &'a Rows, blocks: &dyn Blocks) -> Rest<'a> {
    let (rows, buffers) = all.parts();
    let following = write_apart(out, is_chunk, all.len(), rows.len(), buffers, blocks);
    Rest { rows, following }
}

/// As [`write`], for rows that lie elsewhere: so many, of so many bytes. Gives what follows at the end.
pub(crate) fn write_apart<'a>(
    out: &mut Vec<u8>,
    is_chunk: bool,
    rows: usize,
    bytes: usize,
    buffers: &'a [Bytes],
    blocks: &dyn Blocks,
) -> Vec<&'a Bytes> {
    out.push(u8::from(is_chunk));
    out.extend_from_slice(&(rows as u32).to_le_bytes());
    out.extend_from_slice(&(bytes as u64).to_le_bytes());
    out.extend_from_slice(&(buffers.len() as u32).to_le_bytes());
    beside::write(out, buffers.iter(), blocks)
}

pub(crate) fn read(body: &[u8], blocks: &dyn Blocks) -> Result<Outcome> {
    read_with(body, None, blocks)
}

/// As [`read`], for rows that lie elsewhere.
pub(crate) fn read_apart(body: &[u8], rows: Bytes, blocks: &dyn Blocks) -> Result<Outcome> {
    read_with(body, Some(rows), blocks)
}

fn read_with(body: &[u8], apart: Option<Bytes>, blocks: &dyn Blocks) -> Result<Outcome> {
    let mut reader = Reader::new(body);
    let (is_chunk, rows) = (reader.u8()?, reader.u32()? as usize);
    let (length, values) = (reader.count()?, reader.u32()?);
    let listed = beside::read(&mut reader, values, blocks)?;
    let bytes = match apart {
        Some(bytes) if bytes.len() == length => bytes,
        Some(_) => return Err(Malformed("all rows of the reply")),
        None => reader.take(length)?.into(),
    };
    let buffers = beside::collect(&mut reader, listed)?;
    reader.end()?;
    let mut all = Rows::checked(bytes, buffers, rows, is_kind)?;
    match (is_chunk, rows) {
        (1, _) => Ok(Outcome::Returned(Value::Items(Items::from_rows(all)))),
        (0, 1) => all.advance().map(outcome).ok_or(Malformed("an outcome")),
        _ => Err(Malformed("an outcome, or those of a chunk")),
    }
}

/// Whether a row of a reply may be this.
pub(crate) fn is_kind(kind: u8) -> bool {
    Encoding::from_number(kind).is_some() || (FAILED..=LOST).contains(&kind)
}

/// An error as a row has it.
pub(crate) fn error_bytes(error: &Error) -> Vec<u8> {
    let mut writer = Writer::bare();
    write_error(&mut writer, error);
    writer.into_bytes()
}

/// The error of a row; one that says so if the row has none.
pub(crate) fn read_error_bytes(bytes: &[u8]) -> Error {
    let mut reader = Reader::new(bytes);
    read_error(&mut reader).and_then(|error| reader.end().map(|()| error)).unwrap_or_else(|malformed| {
        Error::new(Kind::Unexpected, "an error was spoilt on its way").with_source(malformed)
    })
}

pub(crate) fn stays_here() -> Error {
    Error::new(Kind::NotSerializable, "the task returned a value that cannot leave its process")
}
