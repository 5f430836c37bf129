//! Who may be here at one moment.

use super::authorized::Allowance;
use super::{Authorized, KeyHash, Moment, Scope};

/// What the tables said at one moment, for clients that are in already. [`Keys::standing`](super::Keys::standing) gives it.
#[derive(Clone, Debug)]
pub struct Standing {
    pub(super) own: KeyHash,
    pub(super) authorized: Vec<Authorized>,
    pub(super) now: Moment,
}

impl Standing {
    /// What the client with this key may do; `None` if it may not be here.
    pub fn of(&self, key: KeyHash) -> Option<Scope> {
        if key == self.own {
            return Some(Scope::ADMIN);
        }
        let rows: Vec<_> = self.authorized.iter().filter(|row| row.key == key).collect();
        Allowance::of(&rows, self.now).map(|allowance| allowance.scope)
    }
}
