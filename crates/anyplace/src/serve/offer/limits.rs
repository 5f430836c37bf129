//! What an offer takes of each of its clients.

use crate::error::{Error, Kind};
use crate::keys::Scope;

/// What an offered place takes of one client, by its key, so that a greedy or clumsy one costs the others nothing. Whoever wants more is
/// refused with `ResourceExhausted`, before memory is made for it. Processes of the same user, and others who have `admin`, are
/// not limited: they can do to this machine what they like anyway.
///
/// ```
/// use anyplace::serve::{ClientLimits, Terms};
///
/// let limits = ClientLimits { arrays: 1 << 20, ..ClientLimits::default() };
/// let offer = anyplace::open("processes:1")?.offer_on("tcp://127.0.0.1:0", &Terms { limits, ..Terms::default() })?;
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientLimits {
    /// The bytes of the shared arrays that it may have. Those with a name stay as long as the place, so they count for all
    /// that time. 1 GiB unless it is set.
    pub arrays: usize,
    /// How many shared objects it may have. Those with a name count for as long as they stay, as arrays do. 10 000 unless it is set.
    pub shared: usize,
}

impl ClientLimits {
    /// What [`default`](Self::default) gives.
    pub const DEFAULT: Self = Self { arrays: 1 << 30, shared: 10_000 };

    /// No limits.
    const NONE: Self = Self { arrays: usize::MAX, shared: usize::MAX };

    /// Those for a client of this scope.
    pub(super) fn for_scope(self, scope: Scope) -> Self {
        if scope.allows(Scope::ADMIN) { Self::NONE } else { self }
    }
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The client wants more of `what` than it may have. `help` says what it can do instead.
pub(super) fn too_much(most: usize, what: &str, help: &'static str) -> Error {
    Error::new(Kind::ResourceExhausted, format!("one client may have at most {most} {what} here"))
        .with_help(help)
}
