//! What an offer takes of each of its clients.

use crate::error::{Error, Kind, Result};
use crate::keys::Scope;
use crate::serve::objects::Most;
use crate::{size, spelling};
use std::str::FromStr;

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
    /// How many sessions it may have: places that it has opened here, in whichever of its processes. 128 unless it is set.
    pub sessions: usize,
    /// The longest message of a session, in bytes: a task, a call, a value that is put, each with all that goes with it. 1 GiB unless it is set.
    pub message: usize,
    /// How many bytes that a session was told may wait for it to take them. One that takes nothing any more is ended then. 1 GiB
    /// unless it is set.
    pub untaken: usize,
    /// How many names a session may have published. 1000 unless it is set.
    pub names: usize,
    /// How many objects a session may hold that were made or found here. 10 000 unless it is set.
    pub objects: usize,
    /// How many calls of a session have a thread at once; more wait, also for calls that wait for them. 256 unless it is set.
    pub calls: usize,
}

impl ClientLimits {
    /// What [`default`](Self::default) gives.
    pub const DEFAULT: Self = Self {
        arrays: 1 << 30,
        shared: 10_000,
        sessions: 128,
        message: 1 << 30,
        untaken: 1 << 30,
        names: 1000,
        objects: 10_000,
        calls: 256,
    };

    /// Sets one by its name.
    ///
    /// # Errors
    /// `ConfigInvalid` if there is none of that name.
    pub fn set(&mut self, name: &str, most: usize) -> Result<()> {
        let limit = match name {
            "arrays" => &mut self.arrays,
            "shared" => &mut self.shared,
            "sessions" => &mut self.sessions,
            "message" => &mut self.message,
            "untaken" => &mut self.untaken,
            "names" => &mut self.names,
            "objects" => &mut self.objects,
            "calls" => &mut self.calls,
            _ => {
                return Err(Error::config(format!("clients have no limit `{name}`"))
                    .with_help(spelling::hint(name, NAMES.into_iter(), "there are none", "there are")));
            }
        };
        *limit = most;
        Ok(())
    }

    /// No limits.
    const NONE: Self = Self {
        arrays: usize::MAX,
        shared: usize::MAX,
        sessions: usize::MAX,
        message: usize::MAX,
        untaken: usize::MAX,
        names: usize::MAX,
        objects: usize::MAX,
        calls: usize::MAX,
    };

    /// Those for a client of this scope.
    pub(super) fn for_scope(self, scope: Scope) -> Self {
        if scope.allows(Scope::ADMIN) { Self::NONE } else { self }
    }

    /// Those of its objects and calls.
    pub(super) fn of_objects(&self) -> Most {
        Most { names: self.names, objects: self.objects, calls: self.calls.max(1), bytes: self.message }
    }
}

const NAMES: [&str; 8] = ["arrays", "shared", "sessions", "message", "untaken", "names", "objects", "calls"];

/// Names and [sizes](crate::size), such as `arrays=2GiB,calls=64`; what is not named stays as it is
/// [without](ClientLimits::default).
///
/// ```
/// use anyplace::serve::ClientLimits;
///
/// let limits: ClientLimits = "arrays=2GiB,calls=64".parse()?;
/// assert_eq!(limits, ClientLimits { arrays: 2 << 30, calls: 64, ..ClientLimits::default() });
/// # Ok::<(), anyplace::Error>(())
/// ```
impl FromStr for ClientLimits {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut limits = Self::default();
        for limit in text.split(',') {
            let (name, most) = limit.split_once('=').ok_or_else(|| {
                Error::config(format!("`{limit}` is no limit"))
                    .with_help("write such as `arrays=2GiB,calls=64`")
            })?;
            limits.set(name, usize::try_from(size::parse(most)?).unwrap_or(usize::MAX))?;
        }
        Ok(limits)
    }
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The client wants more of `what` than it may have. `help` says what it can do instead.
pub(crate) fn too_much(most: usize, what: &str, help: &'static str) -> Error {
    Error::new(Kind::ResourceExhausted, format!("one client may have at most {most} {what} here"))
        .with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_has_its_name() {
        let numbered = |limits: &mut ClientLimits| {
            (1..).zip(NAMES).try_for_each(|(number, name)| limits.set(name, number))
        };
        let mut limits = ClientLimits::NONE;
        numbered(&mut limits).unwrap();
        let ClientLimits { arrays, shared, sessions, message, untaken, names, objects, calls } = limits;
        assert_eq!(
            [arrays, shared, sessions, message, untaken, names, objects, calls],
            [1, 2, 3, 4, 5, 6, 7, 8]
        );
    }

    #[test]
    fn what_is_no_limit_is_refused_with_those_that_are() {
        for (text, help) in
            [("array=1", "`arrays`"), ("calls", "calls=64"), ("calls=many", "2GiB"), ("", "calls=64")]
        {
            let error = text.parse::<ClientLimits>().unwrap_err();
            assert_eq!(error.kind(), Kind::ConfigInvalid);
            assert!(error.help().is_some_and(|told| told.contains(help)), "{error:?}");
        }
    }
}
