//! A worker's side of the memory that it shares with its place.

use crate::driver::Memory;
use crate::drivers::processes::{block_at, position};
use crate::wire::beside::Blocks;
use crate::work::Bytes;
use anyplace_sync::shm::{self, Block, View};
use std::fmt;
use std::sync::Arc;

/// A worker's side of the memory.
#[derive(Clone)]
pub(super) struct Shared(pub(super) shm::Memory);

/// Bytes of the place's, read where they are.
struct Borrowed(View);

impl AsRef<[u8]> for Borrowed {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Bytes of our own, until they are given away with a reply.
struct Own(Block);

impl AsRef<[u8]> for Own {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Shared {
    /// The first `length` bytes of a block of the place's.
    pub(super) fn borrow(&self, number: u32, length: usize) -> Option<Bytes> {
        let view = self.0.borrow(number, length).ok()?;
        Some(Bytes::shared(Arc::new(Borrowed(view)), 0..length))
    }

    /// Gives away those of the values that are blocks of our own: the reply that refers to them is about to be sent.
    pub(super) fn publish(values: &[Bytes]) {
        values.iter().filter_map(Bytes::owner::<Own>).for_each(|own| {
            own.0.publish();
        });
    }
}

impl Memory for Shared {
    fn write(&self, length: usize, fill: &mut dyn FnMut(&mut [u8])) -> Option<Bytes> {
        let mut block = self.0.allocate(length).ok()?;
        fill(&mut block);
        Some(Bytes::shared(Arc::new(Own(block.freeze())), 0..length))
    }
}

impl Blocks for Shared {
    fn locate(&self, bytes: &Bytes) -> Option<u64> {
        position(bytes.owner::<Own>()?.0.number(), bytes.range().start)
    }

    fn find(&self, at: u64, length: u64) -> Option<Bytes> {
        let (number, start) = block_at(at)?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        Some(self.borrow(number, end)?.slice(start..end))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
