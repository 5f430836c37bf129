//! The state of an entry: what it holds, how far it is, and how many objects were there before.

use super::kind::Kind;

/// How far an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// There is none.
    Free = 0,
    /// Somebody is making it.
    Making = 1,
    Live = 2,
    /// Nobody has it open; somebody is taking it apart.
    Ending = 3,
}

/// The word of an entry: the phase in 2 bits, the kind in 8, above them the generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State(pub(super) u64);

impl State {
    pub(super) fn phase(self) -> Phase {
        [Phase::Free, Phase::Making, Phase::Live, Phase::Ending][(self.0 & 3) as usize]
    }

    pub(super) fn kind(self) -> Option<Kind> {
        Kind::from_number((self.0 >> 2) as u8)
    }

    pub(super) fn generation(self) -> u64 {
        self.0 >> 10
    }

    /// The same object, farther.
    pub(super) fn at(self, phase: Phase) -> Self {
        Self(self.0 & !3 | phase as u64)
    }

    /// The object that is made here next.
    pub(super) fn next(self, kind: Kind) -> Self {
        Self((self.generation() + 1) << 10 | u64::from(kind as u8) << 2 | Phase::Making as u64)
    }
}
