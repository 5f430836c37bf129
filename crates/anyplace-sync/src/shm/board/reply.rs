//! What a worker replied, as the host has it.

use super::layout::INLINE;
use crate::primitives::atomic::Ordering::Release;
use std::sync::Arc;

/// What a worker replied.
#[derive(Debug)]
pub struct Reply {
    pub(super) worker: usize,
    pub(super) block: Option<(u32, usize)>,
    pub(super) inline: [u8; INLINE],
    pub(super) length: usize,
    /// Keeps the blocks of this worker, should it die, until this reply is read.
    pub(super) _reading: Option<Reading>,
}

impl Reply {
    /// The bytes that lie in the slot.
    pub fn inline(&self) -> &[u8] {
        &self.inline[..self.length]
    }

    /// The block with the others, and how many they are. Both come from another process and are checked by whoever
    /// opens it.
    pub fn block(&self) -> Option<(u32, usize)> {
        self.block
    }

    /// Who owns the blocks of this reply.
    pub fn worker(&self) -> usize {
        self.worker
    }
}

/// A reply that is being read.
#[derive(Debug)]
pub(super) struct Reading(pub(super) Arc<[std::sync::atomic::AtomicUsize]>, pub(super) usize);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0[self.1].fetch_sub(1, Release);
    }
}
