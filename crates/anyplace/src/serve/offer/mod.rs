//! A place that is offered to others: they open it by the offer's address, and have all of it that travels.
//!
//! | file | what it does |
//! |---|---|
//! | `terms` | who may come in, and where |
//! | `entry` | who comes in by the door (`serve/door.rs`), and who has to leave |
//! | `limits` | what one client may take of the place |
//! | `account` | what one key has of it, in all its conversations |
//! | `client` | one who was let in: the conversations it has one after the other |
//! | `tasks` | runs its tasks in the place, and tells how they ended |
//! | `functions` | the callables that it has defined |
//! | `share` | uses the place's shared objects for it |

mod account;
mod client;
mod entry;
mod functions;
mod limits;
mod share;
mod tasks;
mod terms;

#[cfg(test)]
mod tests;

use crate::address::Address;
use crate::error::{Error, Kind, Result, Retry};
use crate::keys::{KeyHash, Keys};
use crate::net::{Endpoint, listen};
use crate::place::Place;
use crate::serve::door::Door;
use account::Account;
use client::Client;
use entry::Entry;
pub(crate) use functions::MOST as MOST_FUNCTIONS;
pub use limits::ClientLimits;
pub(crate) use limits::too_much;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
pub(crate) use tasks::another_language;
pub use terms::Terms;

/// A place that others use by its address, until it is closed. Dropping it closes it, and ends what runs for others.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let address = format!("unix:{}", folder.path().join("place.sock").display());
///
/// let offer = anyplace::open("processes:2")?.offer(address.as_str())?;
/// let place = anyplace::open(offer.address())?;
/// assert_eq!(place.limits().workers, 2);
/// place.close()?;
/// offer.close(std::time::Duration::from_secs(5))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Offer {
    shared: Arc<Shared>,
    address: Address,
    door: Mutex<Option<Arc<Door>>>,
    /// A child of a fork leaves the offer, and its clients, to its parent.
    generation: u32,
}

/// What the door, the clients and the offer itself have in common.
pub(crate) struct Shared {
    place: Place,
    endpoint: Endpoint,
    keys: Keys,
    limits: ClientLimits,
    /// By the keys of those that have one.
    accounts: Mutex<HashMap<KeyHash, Arc<Account>>>,
    /// Tells this offer from one that was at the same endpoint before.
    node: u128,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// By the number of their session.
    clients: HashMap<u128, Arc<Client>>,
    is_closed: bool,
}

impl Place {
    /// Offers the place to others at an endpoint: `unix:/path` to processes of the same user, `tcp://host:port` to all who
    /// have the ticket in [`Offer::address`], or a key that is known here. They open it by that address; the place stays
    /// as usable here as it was.
    ///
    /// # Errors
    /// `ConfigInvalid` for a wrong endpoint; what [`listen`](crate::net::listen) says.
    pub fn offer(&self, endpoint: &str) -> Result<Offer> {
        self.offer_on(endpoint, &Terms::default())
    }

    /// As [`offer`](Self::offer), on terms of your own.
    ///
    /// # Errors
    /// As [`offer`](Self::offer).
    ///
    /// ```
    /// use anyplace::keys::Scope;
    /// use anyplace::serve::Terms;
    ///
    /// let terms = Terms { scope: Scope::RUN, once: true, ..Terms::default() };
    /// let offer = anyplace::open("processes:1")?.offer_on("tcp://127.0.0.1:0", &terms)?;
    /// assert!(offer.address().to_string().ends_with("#ap1.***"));
    /// # Ok::<(), anyplace::Error>(())
    /// ```
    pub fn offer_on(&self, endpoint: &str, terms: &Terms) -> Result<Offer> {
        Offer::open(self.clone(), &endpoint.parse()?, terms)
    }
}

impl Offer {
    fn open(place: Place, endpoint: &Endpoint, terms: &Terms) -> Result<Self> {
        Terms::check(endpoint)?;
        let keys = Keys::new(place.keys_folder());
        let listener = listen(endpoint.clone())?;
        let shared = Arc::new(Shared {
            place,
            endpoint: listener.endpoint().clone(),
            keys,
            limits: terms.limits,
            accounts: Mutex::default(),
            node: u128::from_ne_bytes(crate::random::bytes()?),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let door = Door::open(listener, Entry::new(shared.clone()))?;
        let address = terms.address(&shared.endpoint, &shared.keys)?;
        let generation = anyplace_sync::fork_generation();
        Ok(Self { shared, address, door: Mutex::new(Some(door)), generation })
    }

    /// The address by which others open the place. If there is a ticket in it, printing it does not show that;
    /// [`reveal`](Address::reveal) does.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    /// The place behind it.
    pub fn place(&self) -> &Place {
        &self.shared.place
    }

    /// How many clients are connected, or may come back.
    pub fn clients(&self) -> usize {
        self.shared.state().clients.len()
    }

    /// Takes no more clients and no more work; what runs for others has `grace` to end, then is ended. Every client has
    /// heard how its tasks ended, and that the offer is closed, when this returns. The place stays open. In a child of a fork
    /// nothing happens: the offer is the parent's.
    ///
    /// # Errors
    /// None yet; later drivers may not be able to end something.
    pub fn close(&self, grace: Duration) -> Result<()> {
        if self.generation != anyplace_sync::fork_generation() {
            return Ok(());
        }
        let door = self.door.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(door) = door {
            door.close();
        }
        self.shared.close(grace);
        Ok(())
    }

    /// Waits until somebody closes the offer: `true`, or `false` if `until` came first.
    pub fn wait(&self, until: Option<Instant>) -> bool {
        let mut state = self.shared.state();
        while !state.is_closed {
            let left = until.map_or(LONG, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return false;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// Whoever reads nothing for so long is not waited for.
const PARTING: Duration = Duration::from_secs(2);

/// Looked at again after this.
const LONG: Duration = Duration::from_secs(3600);

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // No code of others runs under this lock, so a poisoned one is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client of this session: one that was here before, or a new one.
    fn client(
        self: &Arc<Self>,
        session: u128,
        make: impl FnOnce() -> Result<Arc<Client>>,
    ) -> Result<Arc<Client>> {
        let mut state = self.state();
        if state.is_closed {
            return Err(self.closed());
        }
        if let Some(known) = state.clients.get(&session) {
            return Ok(known.clone());
        }
        let new = make()?;
        state.clients.insert(session, new.clone());
        Ok(new)
    }

    /// What this key has here.
    fn account(&self, key: Option<KeyHash>) -> Arc<Account> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        key.map(|key| accounts.entry(key).or_default().clone()).unwrap_or_default()
    }

    /// Forgets the clients that have been away for too long.
    fn look_for_the_gone(&self, now: Instant) {
        let gone: Vec<_> = {
            let mut state = self.state();
            let gone: Vec<u128> = state
                .clients
                .iter()
                .filter(|(_, client)| client.is_gone(now))
                .map(|(session, _)| *session)
                .collect();
            gone.into_iter().filter_map(|session| state.clients.remove(&session)).collect()
        };
        gone.into_iter().for_each(|client| client.leave());
    }

    /// The place was closed: there is nothing to offer any more. Whoever waits for that does not wait here.
    fn abandon(self: &Arc<Self>) {
        if self.state().is_closed {
            return;
        }
        let shared = self.clone();
        let close = move || shared.close(Duration::ZERO);
        // Without a thread the clients hear of it when their tasks are refused.
        drop(std::thread::Builder::new().name("anyplace-offer".to_owned()).spawn(close));
    }

    /// Whether somebody is here whose key may be revoked, or good for a time.
    fn has_guests(&self) -> bool {
        self.state().clients.values().any(|client| client.has_key())
    }

    /// Ends the conversations of those who may be here no more. A table that cannot be read lets nobody in, and throws
    /// nobody out: somebody may be at it with an editor.
    fn look_for_the_unwelcome(&self) {
        let Ok(standing) = self.keys.standing() else { return };
        let unwelcome: Vec<_> = {
            let mut state = self.state();
            let here = std::mem::take(&mut state.clients);
            let (welcome, unwelcome) = here.into_iter().partition(|(_, client)| client.is_welcome(&standing));
            state.clients = welcome;
            HashMap::<u128, Arc<Client>>::into_values(unwelcome).collect()
        };
        let (why, until) = (self.unwelcome(), Instant::now() + PARTING);
        unwelcome.into_iter().for_each(|client| client.close(&why, until));
        self.changed.notify_all();
    }

    fn unwelcome(&self) -> Error {
        let message = format!("`{}` has revoked this user's key, or its time there is over", self.endpoint);
        Error::new(Kind::PermissionDenied, message)
            .at(&self.endpoint)
            .with_help("ask whoever offers the place for a new ticket")
    }

    /// The client will not come back.
    fn forget(&self, session: u128) {
        let gone = self.state().clients.remove(&session);
        drop(gone);
        self.changed.notify_all();
    }

    fn closed(&self) -> Error {
        Error::new(Kind::PlaceClosed, format!("`{}` is not offered any more", self.endpoint))
            .at(&self.endpoint)
            .with_retry(Retry::Safe)
            .with_help("offer the place again")
    }

    fn close(&self, grace: Duration) {
        let clients: Vec<_> = {
            let mut state = self.state();
            state.is_closed = true;
            state.clients.values().cloned().collect()
        };
        let until = Instant::now().checked_add(grace);
        clients.iter().for_each(|client| client.refuse());
        clients.iter().for_each(|client| client.finish(until));
        let (why, until) = (self.closed(), Instant::now() + PARTING);
        clients.iter().for_each(|client| client.close(&why, until));
        self.changed.notify_all();
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        if self.generation != anyplace_sync::fork_generation() {
            // To drop a conversation of the parent's would be to end it, and a lock of its may have been taken at the fork.
            return std::mem::forget(self.shared.clone());
        }
        // Nobody is left to hear of it.
        drop(self.close(Duration::ZERO));
    }
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Offer({} at {})", self.shared.place.address(), self.shared.endpoint)
    }
}
