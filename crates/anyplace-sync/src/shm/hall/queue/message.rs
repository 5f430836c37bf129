//! Messages: short ones travel in the queue itself, long ones in a block of their own.

use super::super::words;
use crate::shm::{Block, BlockMut, Deposit, Memory};
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// What is put into a queue: bytes, which are copied into it, or a block, which changes hands.
pub struct Message<'a>(pub(super) Content<'a>);

pub(super) enum Content<'a> {
    Short(&'a [u8]),
    Long(BlockMut),
    /// It has been put.
    Gone,
}

impl From<BlockMut> for Message<'static> {
    /// The whole block, which the receiver reads where it is.
    fn from(block: BlockMut) -> Self {
        Self(Content::Long(block))
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Content::Short(bytes) => f.debug_tuple("Message").field(&bytes.len()).finish(),
            Content::Long(block) => f.debug_tuple("Message").field(block).finish(),
            Content::Gone => f.write_str("Message(put)"),
        }
    }
}

/// A message that was got: its bytes.
///
/// Those of a long message stay where they are, and their memory is available again when this is dropped.
#[derive(Clone, Debug)]
pub enum Received {
    /// A copy.
    Short(Vec<u8>),
    /// Where they were written.
    Long(Block),
}

impl Deref for Received {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Short(bytes) => bytes,
            Self::Long(block) => block,
        }
    }
}

/// A message as it lies in a queue: its first word is the length and how it travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Short(usize),
    Long(Deposit, usize),
}

const LONG: u64 = 1 << 63;
/// Where a ring goes on at its beginning.
pub(super) const SKIP: u64 = 1 << 62;

/// What is to be written into a queue.
#[derive(Clone, Copy)]
pub(super) enum Writing<'a> {
    Short(&'a [u8]),
    Long(Deposit, usize),
}

impl Writing<'_> {
    /// How many words it takes.
    pub(super) fn words(self) -> usize {
        match self {
            Self::Short(bytes) => 1 + words::of(bytes.len()),
            Self::Long(..) => 2,
        }
    }

    pub(super) fn write(self, to: &[AtomicU64]) {
        match self {
            Self::Short(bytes) => {
                to[0].store(bytes.len() as u64, Relaxed);
                words::write(&to[1..], bytes);
            }
            Self::Long(deposit, len) => {
                to[0].store(LONG | len as u64, Relaxed);
                to[1].store(deposit.word(), Relaxed);
            }
        }
    }
}

impl Record {
    /// The record at the beginning of `from`, if there can be one.
    pub(super) fn read(from: &[AtomicU64]) -> Option<Self> {
        let word = from.first()?.load(Relaxed);
        let len = (word & !(LONG | SKIP)) as usize;
        if word & LONG != 0 {
            return Some(Self::Long(Deposit::from_word(from.get(1)?.load(Relaxed))?, len));
        }
        (len <= from.len() * 8).then_some(Self::Short(len))
    }

    /// How many words it takes.
    pub(super) fn words(self) -> usize {
        match self {
            Self::Short(len) => 1 + words::of(len),
            Self::Long(..) => 2,
        }
    }

    /// A copy of its bytes, if they lie in the queue.
    pub(super) fn copied(self, from: &[AtomicU64]) -> Option<Received> {
        match self {
            Self::Short(len) => Some(Received::Short(words::read(&from[1..], len))),
            Self::Long(..) => None,
        }
    }

    pub(super) fn deposit(self) -> Option<Deposit> {
        match self {
            Self::Short(_) => None,
            Self::Long(deposit, _) => Some(deposit),
        }
    }

    /// Its bytes, once it has been taken out of the queue.
    pub(super) fn withdrawn(self, memory: &Memory) -> Option<Received> {
        match self {
            Self::Short(_) => None,
            Self::Long(deposit, len) => memory.withdraw(deposit, len).map(Received::Long),
        }
    }
}
