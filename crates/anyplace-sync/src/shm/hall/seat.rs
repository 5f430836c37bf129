//! What a process has once it is a party: its number, its end of the memory, records it may use again.

use super::error::HallError;
use super::layout::Header;
use super::process::Process;
use super::roll::{self, Roll};
use crate::fork;
use crate::ground::Party;
use crate::shm::{Memory, Segment};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A party, from inside. A child by `fork` takes one of its own.
pub(super) struct Seat {
    /// The generation of forks it belongs to.
    pub(super) generation: u32,
    pub(super) party: Party,
    pub(super) memory: Memory,
    /// Records of waiters that this process gave back, and that others may have taken since.
    spare: Mutex<Vec<u32>>,
}

impl Seat {
    /// Enrols this process.
    pub(super) fn take(segment: &Arc<Segment>, header: &Header) -> Result<Self, HallError> {
        Self::enroll(segment, header, Roll(header).numbers())
    }

    /// The same for who finds no number, and buries those who had one.
    pub(super) fn take_to_bury(segment: &Arc<Segment>, header: &Header) -> Result<Self, HallError> {
        Self::enroll(segment, header, [roll::LAST])
    }

    fn enroll(
        segment: &Arc<Segment>,
        header: &Header,
        numbers: impl IntoIterator<Item = Party>,
    ) -> Result<Self, HallError> {
        let roll = Roll(header);
        let generation = fork::fork_generation();
        let door = segment.fd()?.as_raw_fd().cast_unsigned();
        let too_many = HallError::TooMany { what: "processes that share", most: roll::MOST };
        let party = roll.enroll(Process::this(), door, numbers).ok_or(too_many)?;
        match Memory::worker(Arc::clone(segment), party as usize - 1) {
            Ok(memory) => Ok(Self { generation, party, memory, spare: Mutex::default() }),
            Err(error) => {
                roll.strike(party);
                Err(error.into())
            }
        }
    }

    pub(super) fn spare(&self) -> MutexGuard<'_, Vec<u32>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
