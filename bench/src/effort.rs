//! How long to measure.

/// How long to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// For numbers to be quoted.
    Full,
    /// For a first look.
    Quick,
}

impl Effort {
    /// How many interleaved rounds.
    pub(crate) fn rounds(self) -> usize {
        match self {
            Self::Full => 7,
            Self::Quick => 3,
        }
    }

    /// How many rounds of a suite with many peers, whose rounds are long.
    pub(crate) fn long_rounds(self) -> usize {
        match self {
            Self::Full => 5,
            Self::Quick => 2,
        }
    }

    /// How many items instead of `full`.
    pub(crate) fn items(self, full: usize) -> usize {
        match self {
            Self::Full => full,
            Self::Quick => full.div_ceil(10),
        }
    }

    /// What tells a script so, beside its rounds and items.
    pub(crate) fn flag(self) -> Option<&'static str> {
        (self == Self::Quick).then_some("--quick")
    }
}
