//! Blocks that belong to nobody in particular: one process leaves them with the host, any other withdraws them.
//!
//! Where there is no host process, "the host" is the segment itself: what was deposited outlives whoever made it. Somewhere
//! in the segment stands what was deposited, a [`Deposit`]. As it says which tenure of the block is meant, one that is out
//! of date does nothing, however often the block has been used since.

use super::block::{Block, BlockMut};
use super::tenure::{self, Holder, Times};
use super::{Full, Memory};
use std::num::NonZeroU64;
use std::ops::Range;
use std::ptr::NonNull;

/// Which block, and which tenure of it. As a number it can stand in shared memory, where 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposit(NonZeroU64);

/// The low bits of a deposit are the block's number, plus one: there are at most 65536.
const NUMBER_BITS: u32 = 17;

impl Deposit {
    fn new(number: u32, times: Times) -> Self {
        Self(NonZeroU64::MIN.saturating_add(number.into()) | times.0 << NUMBER_BITS)
    }

    /// The deposit that a number in shared memory stands for; none for 0.
    pub fn from_word(word: u64) -> Option<Self> {
        NonZeroU64::new(word).filter(|word| word.get() & Self::NUMBER != 0).map(Self)
    }

    /// The number that stands for it.
    pub fn word(self) -> u64 {
        self.0.get()
    }

    const NUMBER: u64 = (1 << NUMBER_BITS) - 1;

    fn number(self) -> u32 {
        (self.0.get() & Self::NUMBER) as u32 - 1
    }

    fn is_of(self, times: Times) -> bool {
        self.0.get() >> NUMBER_BITS == times.0 << NUMBER_BITS >> NUMBER_BITS
    }
}

impl BlockMut {
    /// What it will be once it is [deposited](Self::deposit): to be written down before, where it is to be found.
    ///
    /// # Errors
    /// [`Full::Forked`] if the block is the parent's.
    pub fn as_deposit(&self) -> Result<Deposit, Full> {
        let (memory, number) = self.parts();
        let entry = memory.table().entry(number).filter(|_| !memory.is_inherited()).ok_or(Full::Forked)?;
        Ok(Deposit::new(number, tenure::times(&entry.words.tenure)))
    }

    /// Leaves the block with the host, for anybody to [withdraw](Memory::withdraw). In a child by `fork` nothing happens.
    pub fn deposit(self) {
        let (memory, number) = self.parts();
        let (memory, me) = (memory.clone(), memory.0.me);
        if !memory.is_inherited() {
            self.let_go();
            if let Some(entry) = memory.table().entry(number) {
                tenure::pass_on(&entry.words.tenure, me, Holder::HOST);
            }
        }
    }
}

impl Memory {
    /// Takes the first `len` bytes of a deposited block out: it is this process's alone. None if the deposit is gone, or
    /// was never as long.
    ///
    /// A process that is killed at any time after has lost it, and a [sweep](Self::sweep) makes the block available.
    pub fn withdraw(&self, deposit: Deposit, len: usize) -> Option<Block> {
        let entry = self.table().entry(deposit.number()).filter(|_| !self.is_inherited())?;
        entry.extent(self.table()).filter(|extent| len <= extent.len())?;
        let is_it = |times| deposit.is_of(times);
        tenure::withdraw(&entry.words.tenure, is_it, self.0.me).then(|| Block::taken(self, entry, len))?
    }

    /// Makes a deposited block available, whatever it holds; false if the deposit is gone already.
    pub fn discard(&self, deposit: Deposit) -> bool {
        let Some(entry) = self.table().entry(deposit.number()).filter(|_| !self.is_inherited()) else {
            return false;
        };
        let discarded = tenure::discard(&entry.words.tenure, |times| deposit.is_of(times));
        if discarded {
            self.tell(entry);
        }
        discarded
    }

    /// Whether it is still there.
    pub fn is_deposited(&self, deposit: Deposit) -> bool {
        let entry = self.table().entry(deposit.number());
        entry.is_some_and(|entry| {
            let word = &entry.words.tenure;
            deposit.is_of(tenure::times(word)) && tenure::holder(word) == Holder::HOST
        })
    }

    /// Where the bytes of a deposited block are, and how many.
    ///
    /// They are backed by memory and mapped for as long as this memory is. Whoever reads or writes there has agreed with
    /// all others that do when that may be, and when the block is discarded.
    pub fn place_of(&self, deposit: Deposit) -> Option<(NonNull<u8>, usize)> {
        let extent = self.extent_of(deposit)?;
        Some((self.segment().pointer(extent.start, extent.len()), extent.len()))
    }

    /// The same as offsets in the segment.
    #[inline]
    pub(crate) fn extent_of(&self, deposit: Deposit) -> Option<Range<usize>> {
        self.table().extent_of(deposit.number())
    }
}
