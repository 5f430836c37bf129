//! A slot's state in one word, so that every step is one compare-and-swap.

/// Where a slot is on its way; see the README beside `board`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The host may write into it.
    Free,
    /// A worker may take it.
    Ready,
    /// Its owner runs it.
    Running,
    /// Its reply is there.
    Done,
    /// The host has read its reply, but has not popped it yet.
    Collected,
    /// The host took it back; it is free again when its place in the queue has come.
    Cancelled,
}

/// The state word: phase, flags, owner, generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(pub(super) u32);

/// A caller sleeps on the word.
pub(super) const AWAITED: u32 = 1 << 3;
/// Ring the bell when the task is done.
pub(super) const WATCHED: u32 = 1 << 4;
/// Its worker will be killed for it, and must not take another task.
pub(super) const CONDEMNED: u32 = 1 << 5;
/// Ring the bell when the task begins.
pub(super) const ANNOUNCED: u32 = 1 << 6;
/// The reply lies in blocks of the worker's.
pub(super) const BLOCKS: u32 = 1 << 7;

const PHASE: u32 = 0b111;
const OWNER: u32 = 0x3ff << 8;
const GENERATION: u32 = 0x3fff << 18;

/// The owner's number has ten bits, and 0 means nobody.
pub(super) const MOST_WORKERS: usize = 1023;

impl Word {
    pub(super) fn phase(self) -> Phase {
        match self.0 & PHASE {
            0 => Phase::Free,
            1 => Phase::Ready,
            2 => Phase::Running,
            3 => Phase::Done,
            4 => Phase::Collected,
            // A number that nobody writes: nothing is done with such a slot.
            _ => Phase::Cancelled,
        }
    }

    pub(super) fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }

    pub(super) fn with(self, flag: u32) -> Self {
        Self(self.0 | flag)
    }

    pub(super) fn owner(self) -> Option<usize> {
        ((self.0 & OWNER) >> 8).checked_sub(1).map(|owner| owner as usize)
    }

    pub(super) fn generation(self) -> u32 {
        self.0 & GENERATION
    }

    /// The same slot one step on; the flags stay.
    pub(super) fn step(self, phase: Phase) -> Self {
        Self(self.0 & !PHASE | phase as u32)
    }

    pub(super) fn owned_by(self, worker: usize) -> Self {
        let owner = u32::try_from(worker + 1).unwrap_or(u32::MAX);
        Self(self.0 & !OWNER | (owner << 8) & OWNER)
    }

    /// Free, for the next task.
    pub(super) fn freed(self) -> Self {
        Self(self.generation())
    }

    /// Ready with the next generation.
    pub(super) fn posted(self, flags: u32) -> Self {
        let next = self.generation().wrapping_add(1 << 18);
        Self(next | flags).step(Phase::Ready)
    }

    /// Whether the task of this generation waits or runs.
    pub(super) fn is_live(self, generation: u32) -> bool {
        self.generation() == generation && matches!(self.phase(), Phase::Ready | Phase::Running)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn owner_phase_flags_and_generation_do_not_touch_each_other() {
        let ready = Word(GENERATION).posted(WATCHED);
        assert_eq!((ready.phase(), ready.owner(), ready.generation()), (Phase::Ready, None, 0));
        let running = ready.owned_by(MOST_WORKERS - 1).step(Phase::Running).with(AWAITED);
        assert_eq!(running.owner(), Some(MOST_WORKERS - 1));
        assert!(running.has(WATCHED) && running.has(AWAITED) && !running.has(CONDEMNED));
        assert_eq!(running.step(Phase::Done).owner(), Some(MOST_WORKERS - 1));
        assert_eq!(running.freed(), Word(0));
    }
}
