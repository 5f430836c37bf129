//! Large values beside a message: listed in it, and either at its end or in memory that both sides see.
//!
//! | where | bytes in the list | the value |
//! |---|---|---|
//! | 0 | 8: its length | at the end of the message, behind those listed before it |
//! | 1 | 8: an offset; 8: its length | in the memory that the two sides share |

use super::bytes::{Malformed, Reader, Result};
use crate::work::Bytes;

/// The memory that the two sides of a conversation share.
pub(crate) trait Blocks {
    /// Where the bytes are in it, if they are.
    fn locate(&self, bytes: &Bytes) -> Option<u64>;

    /// The bytes that are there, if they are bytes that the other side may speak of.
    fn find(&self, offset: u64, length: u64) -> Option<Bytes>;
}

/// Two sides that share no memory.
pub(crate) struct Apart;

impl Blocks for Apart {
    fn locate(&self, _: &Bytes) -> Option<u64> {
        None
    }

    fn find(&self, _: u64, _: u64) -> Option<Bytes> {
        None
    }
}

/// Lists the values; gives those that have to follow at the end of the message.
pub(super) fn write<'a>(
    out: &mut Vec<u8>,
    values: impl Iterator<Item = &'a Bytes>,
    blocks: &dyn Blocks,
) -> Vec<&'a Bytes> {
    let mut following = Vec::new();
    for value in values {
        let offset = blocks.locate(value);
        out.push(u8::from(offset.is_some()));
        out.extend(offset.into_iter().flat_map(u64::to_le_bytes));
        out.extend_from_slice(&(value.len() as u64).to_le_bytes());
        if offset.is_none() {
            following.push(value);
        }
    }
    following
}

/// A value as it is listed.
pub(super) enum Listed {
    Following(usize),
    Found(Bytes),
}

pub(super) fn read(reader: &mut Reader<'_>, values: u32, blocks: &dyn Blocks) -> Result<Vec<Listed>> {
    let value = |reader: &mut Reader<'_>| match reader.u8()? {
        0 => reader.count().map(Listed::Following),
        1 => {
            let (offset, length) = (reader.u64()?, reader.u64()?);
            blocks.find(offset, length).map(Listed::Found).ok_or(Malformed("in shared memory"))
        }
        _ => Err(Malformed("a value beside the message")),
    };
    (0..values).map(|_| value(reader)).collect()
}

/// The values themselves; those at the end of the message are copied out of it.
pub(super) fn collect(reader: &mut Reader<'_>, listed: Vec<Listed>) -> Result<Vec<Bytes>> {
    let value = |listed| match listed {
        Listed::Following(length) => reader.take(length).map(Bytes::from),
        Listed::Found(bytes) => Ok(bytes),
    };
    listed.into_iter().map(value).collect()
}
