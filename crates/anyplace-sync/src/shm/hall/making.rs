//! An object that is being made.

use super::Hall;
use super::error::HallError;
use super::layout::Entry;
use super::object::Body;
use std::sync::atomic::Ordering::{Relaxed, Release};

/// An object that nobody else sees yet.
pub(super) struct Making<'h> {
    pub(super) hall: &'h Hall,
    pub(super) number: u32,
    pub(super) entry: &'h Entry,
}

impl<'h> Making<'h> {
    /// Its body, all zero.
    pub(super) fn body<K: Body>(&self) -> &'h K {
        self.hall.body(self.entry)
    }

    /// Gives it a block of its own, of zeros.
    pub(super) fn storage(&self, len: usize) -> Result<(), HallError> {
        let block = self.hall.blank(len)?;
        let deposit = block.as_deposit()?;
        // Whoever finds us dead after this discards it, deposited or not.
        self.entry.moving[0].store(deposit.word(), Release);
        block.deposit();
        self.entry.storage.store(deposit.word(), Release);
        self.entry.moving[0].store(0, Relaxed);
        Ok(())
    }
}
