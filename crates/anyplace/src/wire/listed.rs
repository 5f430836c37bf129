//! A list, in shared memory, of what stands beside the replies of a chunk while they are made: who finds it when its
//! worker is dead finds the values.
//!
//! An entry is the value's place in the memory plus one (8 bytes), or 0 if it is not there, and its length (8).

use super::beside::Blocks;
use crate::work::Bytes;

pub(crate) const WIDTH: usize = 16;

pub(crate) fn entry(value: &Bytes, blocks: &dyn Blocks) -> [u8; WIDTH] {
    let mut entry = [0; WIDTH];
    let at = blocks.locate(value).and_then(|at| at.checked_add(1)).unwrap_or(0);
    entry[..8].copy_from_slice(&at.to_le_bytes());
    entry[8..].copy_from_slice(&(value.len() as u64).to_le_bytes());
    entry
}

/// The value of an entry, if it is there.
pub(crate) fn read(entry: &[u8], blocks: &dyn Blocks) -> Option<Bytes> {
    let (at, length) = entry.split_first_chunk::<8>()?;
    let at = u64::from_le_bytes(*at).checked_sub(1)?;
    blocks.find(at, u64::from_le_bytes(length.try_into().ok()?))
}
