//! Tables that grow by rows: each row is a block that belongs to the hall, and stays where it is.

use super::Hall;
use super::layout::Shape;
use crate::ground::Inside;
use crate::shm::segment::Shared;
use crate::shm::{Deposit, Full};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, AtomicUsize};

/// Where the rows are that this process has met: offsets in the segment, 0 if unknown.
#[derive(Debug)]
pub(super) struct Rows {
    met: Box<[AtomicUsize]>,
    shape: Shape,
}

impl Rows {
    pub(super) fn new(shape: Shape) -> Self {
        Self { met: (0..shape.rows).map(|_| AtomicUsize::new(0)).collect(), shape }
    }

    /// Where item `number`, counted from 0, lies; `None` if there is none.
    #[inline]
    pub(super) fn offset<T: Shared>(
        &self,
        hall: &Hall,
        deposits: &[AtomicU64],
        number: u32,
    ) -> Option<usize> {
        let row = (number / self.shape.row) as usize;
        let start = match self.met.get(row)?.load(Relaxed) {
            0 => self.meet::<T>(hall, deposits, row)?,
            start => start,
        };
        Some(start + (number % self.shape.row) as usize * size_of::<T>())
    }

    #[cold]
    fn meet<T: Shared>(&self, hall: &Hall, deposits: &[AtomicU64], row: usize) -> Option<usize> {
        let deposit = Deposit::from_word(deposits[row].load(Acquire))?;
        let extent = hall.memory().extent_of(deposit)?;
        // Only a table that lies has a shorter row.
        let fits = extent.len() >= self.shape.row as usize * size_of::<T>();
        fits.then(|| {
            self.met[row].store(extent.start, Relaxed);
            extent.start
        })
    }

    /// Sees to it that item `number` is there.
    pub(super) fn ensure<T: Shared>(
        &self,
        hall: &Hall,
        deposits: &[AtomicU64],
        number: u32,
    ) -> Result<(), Full> {
        let row = (number / self.shape.row) as usize;
        let inside = hall.header().mason.enter(hall);
        hall.finish_row(&inside);
        if deposits[row].load(Relaxed) != 0 {
            return Ok(());
        }
        let block = hall.blank(self.shape.row as usize * size_of::<T>())?;
        let deposit = block.as_deposit()?;
        let moving = &hall.header().moving;
        moving.store(deposit.word(), Relaxed);
        block.deposit();
        deposits[row].store(deposit.word(), Release);
        moving.store(0, Release);
        Ok(())
    }
}

impl Hall {
    /// Finishes what one who died while it made a row had begun.
    pub(super) fn finish_rows(&self) {
        self.finish_row(&self.header().mason.enter(self));
    }

    /// Throws away a row whose maker was killed before it could write down where it is.
    fn finish_row(&self, inside: &Inside<'_, Self>) {
        let header = self.header();
        if !inside.was_left() {
            return;
        }
        let moving = header.moving.load(Relaxed);
        let rows = header.object_rows.iter().chain(&header.waiter_rows);
        let is_kept = rows.into_iter().any(|row| row.load(Relaxed) == moving);
        if let Some(row) = Deposit::from_word(moving).filter(|_| !is_kept) {
            self.memory().discard(row);
        }
        header.moving.store(0, Relaxed);
    }
}
