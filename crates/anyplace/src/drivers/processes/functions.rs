//! The callables of a place in its shared memory: each is written there once, and any worker reads it when it first
//! needs it.

use super::memory::Shared;
use crate::work::Function;
use anyplace_sync::shm::{Block, Full};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// So many are kept, and so many bytes: the longest unused go first. A worker that has loaded one does not need it.
const MOST: usize = 512;
const MOST_BYTES: usize = 64 << 20;

#[derive(Debug, Default)]
pub(super) struct Functions(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    blocks: HashMap<u64, (Block, u64)>,
    bytes: usize,
    uses: u64,
}

impl Functions {
    /// Forgets them all.
    pub(super) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Kept::default();
    }

    /// The block in which the function lies: eight bytes with the length of its name, the name, its bytes.
    pub(super) fn block(&self, function: &Function, memory: &Shared) -> Result<Block, Full> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let uses = kept.uses;
        if let Some((block, used)) = kept.blocks.get_mut(&function.id) {
            *used = uses;
            return Ok(block.clone());
        }
        let block = write(function, memory)?;
        kept.make_room(block.len());
        kept.bytes += block.len();
        kept.blocks.insert(function.id, (block.clone(), uses));
        Ok(block)
    }
}

impl Kept {
    fn make_room(&mut self, bytes: usize) {
        while self.blocks.len() >= MOST || (self.bytes + bytes > MOST_BYTES && !self.blocks.is_empty()) {
            let oldest = self.blocks.iter().min_by_key(|(_, (_, used))| *used).map(|(id, _)| *id);
            let gone = oldest.and_then(|id| self.blocks.remove(&id));
            self.bytes -= gone.map_or(0, |(block, _)| block.len());
        }
    }
}

fn write(function: &Function, memory: &Shared) -> Result<Block, Full> {
    let name = function.name.as_bytes();
    let mut block = memory.blocks.allocate(8 + name.len() + function.bytes.len())?;
    block[..8].copy_from_slice(&(name.len() as u64).to_le_bytes());
    block[8..8 + name.len()].copy_from_slice(name);
    block[8 + name.len()..].copy_from_slice(&function.bytes);
    Ok(block.freeze())
}
