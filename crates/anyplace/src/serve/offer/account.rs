//! What one key has of an offered place, in all conversations with its clients, and what stays when those are over.

use super::limits::{ClientLimits, too_much};
use crate::error::Result;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a key has.
#[derive(Debug, Default)]
pub(super) struct Account(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    sessions: usize,
    shared: usize,
    bytes: usize,
    /// Of which of these it has had a handle: what has a name outlasts whoever made it.
    names: HashSet<String>,
}

/// Room that an object has. It is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Room {
    account: Arc<Account>,
    bytes: usize,
    stays: bool,
}

/// A session that is there.
#[derive(Debug)]
pub(super) struct Seat(Arc<Account>);

impl Account {
    /// One more session.
    ///
    /// # Errors
    /// `ResourceExhausted`.
    pub(super) fn sit(self: &Arc<Self>, limits: &ClientLimits) -> Result<Seat> {
        let mut held = self.held();
        if held.sessions >= limits.sessions {
            let help = "close places that are not used any more; those of programs that were killed are forgotten in time";
            return Err(too_much(limits.sessions, "sessions", help));
        }
        held.sessions += 1;
        Ok(Seat(self.clone()))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for an object of so many bytes, before it is made. Nothing where the name was counted before.
    ///
    /// # Errors
    /// `ResourceExhausted`.
    pub(super) fn take(
        self: &Arc<Self>,
        limits: &ClientLimits,
        name: &str,
        bytes: usize,
    ) -> Result<Option<Room>> {
        let mut held = self.held();
        if held.names.contains(name) {
            return Ok(None);
        }
        if held.shared >= limits.shared {
            let help =
                "let go of what is not used; what has a name stays as long as the place, so use names again";
            return Err(too_much(limits.shared, "shared objects", help));
        }
        if bytes.saturating_add(held.bytes) > limits.arrays {
            let help = "share less, or ask who offers the place for a larger limit";
            return Err(too_much(limits.arrays, "bytes of shared arrays", help));
        }
        held.shared += 1;
        held.bytes += bytes;
        Ok(Some(Room { account: self.clone(), bytes, stays: false }))
    }

    fn give_back(&self, bytes: usize) {
        let mut held = self.held();
        held.shared -= 1;
        held.bytes -= bytes;
    }
}

impl Room {
    /// What has it has this name now, and stays for as long as the place.
    pub(super) fn stay(mut self, name: &str) {
        // Somebody else may have counted it at the same time.
        self.stays = self.account.held().names.insert(name.to_owned());
    }
}

impl Seat {
    pub(super) fn account(&self) -> &Arc<Account> {
        &self.0
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.held().sessions -= 1;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if !self.stays {
            self.account.give_back(self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    const LIMITS: ClientLimits =
        ClientLimits { shared: 3, arrays: 100, sessions: 1, ..ClientLimits::DEFAULT };

    fn is_full<T>(taken: Result<T>) -> bool {
        taken.is_err_and(|error| error.kind() == Kind::ResourceExhausted && error.help().is_some())
    }

    #[test]
    fn room_is_free_again_when_nobody_has_it() {
        let account = Arc::new(Account::default());
        let rooms: Vec<_> = (0..3).map(|_| account.take(&LIMITS, "", 30).unwrap()).collect();
        assert!(is_full(account.take(&LIMITS, "", 0)));
        drop(rooms);
        assert!(is_full(account.take(&LIMITS, "", 101)));
        assert!(is_full(account.take(&LIMITS, "", usize::MAX)));
        account.take(&LIMITS, "", 100).unwrap();
    }

    #[test]
    fn a_session_that_is_over_makes_room_for_the_next() {
        let account = Arc::new(Account::default());
        let seat = account.sit(&LIMITS).unwrap();
        assert!(is_full(account.sit(&LIMITS)));
        drop(seat);
        account.sit(&LIMITS).unwrap();
    }

    #[test]
    fn what_has_a_name_stays_and_counts_once() {
        let account = Arc::new(Account::default());
        account.take(&LIMITS, "a", 60).unwrap().unwrap().stay("a");
        assert!(account.take(&LIMITS, "a", 60).unwrap().is_none());
        assert!(is_full(account.take(&LIMITS, "b", 60)));
        let (first, second) =
            (account.take(&LIMITS, "c", 20).unwrap(), account.take(&LIMITS, "c", 20).unwrap());
        first.unwrap().stay("c");
        second.unwrap().stay("c");
        let held = account.held();
        assert_eq!((held.shared, held.bytes), (2, 80));
    }
}
