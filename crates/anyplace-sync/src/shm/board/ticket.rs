//! Which task, how far it is, and when the keeper is called for it.

use super::word::{ANNOUNCED, WATCHED};

/// Which task on the board. It stays good for ever: the slot's next task has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub(super) slot: u32,
    pub(super) generation: u32,
}

impl From<Ticket> for u64 {
    fn from(ticket: Ticket) -> Self {
        Self::from(ticket.slot) << 32 | Self::from(ticket.generation)
    }
}

impl From<u64> for Ticket {
    fn from(number: u64) -> Self {
        Self { slot: (number >> 32) as u32, generation: number as u32 }
    }
}

/// When the host's keeper is called for a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// When it begins.
    pub at_start: bool,
    /// When it is done.
    pub at_end: bool,
}

impl Calls {
    pub(super) fn flags(self) -> u32 {
        let flag = |wanted, flag| if wanted { flag } else { 0 };
        flag(self.at_start, ANNOUNCED) | flag(self.at_end, WATCHED)
    }
}

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// No worker has begun it.
    Waiting,
    /// This worker runs it.
    Running(usize),
    /// It is done, taken back, or lost; [`Host::collect`](super::Host::collect) has its reply, unless another thread was faster.
    Over,
}
