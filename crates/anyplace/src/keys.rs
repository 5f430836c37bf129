//! Who is who between machines: keys, tickets, and what their holders may do.
//!
//! A user is known to others by an ed25519 key, made on first use, and a server by that of the user who runs it. Whoever
//! is not known yet brings a [`Ticket`], which holds the hash of the server's key and a secret: the client talks to no
//! server but that one, and proves to know the secret without saying it. From then on its key is enough. `docs/security.md`
//! says what that promises, and what not.
//!
//! [`Keys`] is the folder in which all of this is kept, as texts that people can read and edit:
//!
//! | file | what |
//! |---|---|
//! | `identity` | the private key |
//! | `known_peers` | servers, and the keys that they must have |
//! | `authorized_peers` | clients, what they may do, and which were revoked |
//! | `tickets` | what is left here of the tickets that were given out |
//! | `places/NAME` | the address, with its ticket, of a place that is offered here |
//!
//! Only their user can read them (0600, in a folder of 0700), several processes may change them at once, and a line that
//! cannot be read is an error, never passed over.

mod admission;
mod authorized;
mod base32;
mod identity;
mod issued;
mod key_hash;
mod known;
mod moment;
mod proof;
mod refused;
mod scope;
mod shelf;
mod standing;
mod table;
mod ticket;
mod verdict;

#[cfg(test)]
mod tests;

pub use admission::{Admitted, Joined, admit, join};
pub use authorized::Authorized;
pub use identity::Identity;
pub use issued::Issued;
pub use key_hash::KeyHash;
pub use known::Known;
pub use moment::Moment;
pub use scope::Scope;
pub use standing::Standing;
pub use ticket::Ticket;
pub(crate) use ticket::{without_secrets, without_tickets};

use crate::error::{Error, Kind, Result};
use crate::wire::admission::Hello;
use proof::Bound;
use shelf::Shelf;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use table::{Row, rows};
use ticket::TicketId;
use verdict::{Grant, Refusal, Tables};

/// The keys of a user: an [`Identity`], and the tables of whom it knows. Clones are the same.
///
/// ```
/// use anyplace::keys::{Keys, Scope};
///
/// let keys = Keys::in_memory();
/// let ticket = keys.issue(Scope::default(), None, false)?;
/// assert_eq!(ticket.key(), keys.identity()?.hash());
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    shelf: Shelf,
    identity: Mutex<Option<Arc<Identity>>>,
}

/// What was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// A client's key.
    Peer(Authorized),
    /// A ticket.
    Ticket(Issued),
}

impl Keys {
    /// Those in this folder; without one, those of this process, which end with it.
    pub fn new(folder: Option<PathBuf>) -> Self {
        static OF_THIS_PROCESS: OnceLock<Keys> = OnceLock::new();
        match folder {
            Some(folder) => Self::on(Shelf::Folder(folder)),
            None => OF_THIS_PROCESS.get_or_init(Self::in_memory).clone(),
        }
    }

    /// Keys of nobody else, which end with this and its clones.
    pub fn in_memory() -> Self {
        Self::on(Shelf::Memory(Mutex::default()))
    }

    fn on(shelf: Shelf) -> Self {
        Self(Arc::new(Inner { shelf, identity: Mutex::default() }))
    }

    /// The key, made now if there is none. It stays the same for as long as this lives.
    ///
    /// # Errors
    /// `PermissionDenied` if the folder or the file is open to other users; what the system says if it cannot be written.
    pub fn identity(&self) -> Result<Arc<Identity>> {
        let mut identity = self.0.identity.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(identity) = &*identity {
            return Ok(identity.clone());
        }
        let found = Identity::of_text(&self.0.shelf.read(Identity::FILE)?)?;
        let found = Arc::new(match found {
            Some(found) => found,
            None => self.0.shelf.change(Identity::FILE, first_identity)?,
        });
        *identity = Some(found.clone());
        Ok(found)
    }

    /// Makes a new key. Tickets are void from now on, since they name the old one, and so are the pins that others have of
    /// it; a process that serves goes on with the old key until it ends.
    ///
    /// # Errors
    /// What the system says if it cannot be written. A file that could not be read is no hindrance.
    pub fn rotate(&self) -> Result<Arc<Identity>> {
        let mut identity = self.0.identity.lock().unwrap_or_else(PoisonError::into_inner);
        let new = Arc::new(Identity::new()?);
        self.0.shelf.write(Issued::FILE, "")?;
        self.0.shelf.write(Identity::FILE, &new.text())?;
        *identity = Some(new.clone());
        Ok(new)
    }

    /// Gives out a ticket: for `scope`, good for as long as `lasts` (`None` is for ever), for the first who comes if `once`.
    ///
    /// # Errors
    /// As [`identity`](Self::identity).
    pub fn issue(&self, scope: Scope, lasts: Option<Duration>, once: bool) -> Result<Ticket> {
        let now = Moment::now();
        let ticket = Ticket::new(self.identity()?.hash(), scope, lasts.map(|lasts| now.after(lasts)))?;
        let issued = Issued::new(&ticket, once, now);
        self.0.shelf.change(Issued::FILE, |text| {
            // Those that are over are forgotten in time; until then whoever shows one is told.
            table::keep(text, |row: &Issued| row.until.is_none_or(|until| now < until.after(MEMORY)));
            table::put(text, &issued, |row| row.id == issued.id);
            Ok(())
        })?;
        Ok(ticket)
    }

    /// The servers that are known here.
    ///
    /// # Errors
    /// `ConfigInvalid` for a line that cannot be read, and those of [`identity`](Self::identity).
    pub fn known(&self) -> Result<Vec<Known>> {
        self.rows()
    }

    /// The clients that were let in, those revoked among them.
    ///
    /// # Errors
    /// As [`known`](Self::known).
    pub fn authorized(&self) -> Result<Vec<Authorized>> {
        self.rows()
    }

    /// The tickets that were given out.
    ///
    /// # Errors
    /// As [`known`](Self::known).
    pub fn issued(&self) -> Result<Vec<Issued>> {
        self.rows()
    }

    /// Ends what a client or a ticket is good for. `which` is a client's name, or the first letters of its key or of a
    /// ticket's. A client's key stays in the table as revoked, so that no ticket brings it back, and the tickets by which
    /// it came are void, too: their holder could come back by another key.
    ///
    /// Conversations that are under way end where the server [asks](Self::standing).
    ///
    /// # Errors
    /// `NotFound` if it is none; `ConfigInvalid` if it is several.
    pub fn revoke(&self, which: &str) -> Result<Vec<Revoked>> {
        let now = Moment::now();
        self.0.shelf.change_all([Issued::FILE, Authorized::FILE], |[tickets, peers]| {
            let issued: Vec<Issued> = rows(tickets)?;
            let authorized: Vec<Authorized> = rows(peers)?;
            match find(&issued, &authorized, which)? {
                Found::Ticket(id) => Ok(void(tickets, &issued, &[id])),
                Found::Peer(key) => {
                    let theirs: Vec<_> = authorized.into_iter().filter(|row| row.key == key).collect();
                    let ids: Vec<_> = theirs.iter().filter_map(|row| row.ticket).collect();
                    let mut revoked = vec![shut_out(peers, &theirs, now)];
                    revoked.extend(void(tickets, &issued, &ids));
                    Ok(revoked)
                }
            }
        })
    }

    /// Who may be here now: for servers, of clients that are in already.
    ///
    /// # Errors
    /// As [`known`](Self::known).
    pub fn standing(&self) -> Result<Standing> {
        Ok(Standing { own: self.identity()?.hash(), authorized: self.authorized()?, now: Moment::now() })
    }

    /// Writes the address of a place that is offered here, ticket and all, where its user finds it by name.
    ///
    /// # Errors
    /// `ConfigInvalid` for a name that is no file's; else as [`identity`](Self::identity).
    pub fn set_place(&self, name: &str, address: &str) -> Result<()> {
        self.0.shelf.write(&place_file(name)?, &format!("{address}\n"))
    }

    /// The address that [`set_place`](Self::set_place) wrote.
    ///
    /// # Errors
    /// `NotFound`; else as [`set_place`](Self::set_place).
    pub fn place(&self, name: &str) -> Result<String> {
        let text = self.0.shelf.read(&place_file(name)?)?;
        match text.trim() {
            "" => Err(Error::new(Kind::NotFound, format!("no place `{name}` is offered by this user"))
                .with_help("`anyplace serve ADDRESS --name NAME` offers one")),
            address => Ok(address.to_owned()),
        }
    }

    /// Which keys the server at `at` may have: the one on the ticket; else the one it had before, or our own.
    pub(crate) fn pins(&self, at: &str, ticket: Option<&Ticket>) -> Result<Vec<KeyHash>> {
        if let Some(ticket) = ticket {
            return Ok(vec![ticket.key()]);
        }
        let known = self.known()?.into_iter().filter(|known| known.at == at).map(|known| known.key);
        Ok(known.chain([self.identity()?.hash()]).collect())
    }

    /// The server at `at` has this key, and is to have it from now on.
    pub(crate) fn remember(&self, at: &str, key: KeyHash) -> Result<()> {
        if self.known()?.iter().any(|known| known.at == at && known.key == key) {
            return Ok(());
        }
        let new = Known { at: at.to_owned(), key, since: Moment::now() };
        self.0.shelf.change(Known::FILE, |text| {
            table::put(text, &new, |known| known.at == at);
            Ok(())
        })
    }

    /// Lets a client in, or not, and writes down what follows from that.
    pub(crate) fn enter(&self, bound: &Bound, hello: &Hello) -> Result<Result<Grant, Refusal>> {
        let (own, now) = (self.identity()?.hash(), Moment::now());
        let judge = |tickets: &str, peers: &str| -> Result<_> {
            let (issued, authorized) = (rows::<Issued>(tickets)?, rows::<Authorized>(peers)?);
            Ok(Tables { own, authorized: &authorized, issued: &issued }.judge(bound, hello, now))
        };
        let verdict = judge(&self.0.shelf.read(Issued::FILE)?, &self.0.shelf.read(Authorized::FILE)?)?;
        if verdict.as_ref().is_ok_and(|grant| grant.enrol.is_none()) || verdict.is_err() {
            return Ok(verdict);
        }
        // Again, alone: of two who show a ticket for one at the same time, one is first.
        self.0.shelf.change_all([Issued::FILE, Authorized::FILE], |[tickets, peers]| {
            let verdict = judge(tickets, peers)?;
            if let Ok(Grant { enrol: Some(new), .. }) = &verdict {
                spend(tickets, new)?;
                // What is over is of no more use beside it.
                table::keep(peers, |row: &Authorized| row.key != new.key || row.is_good(now));
                table::put(peers, new, |row: &Authorized| row.key == new.key && row.ticket == new.ticket);
            }
            Ok(verdict)
        })
    }

    fn rows<R: Row>(&self) -> Result<Vec<R>> {
        rows(&self.0.shelf.read(R::FILE)?)
    }
}

/// For how long a ticket that is over is remembered: whoever shows it is told so.
const MEMORY: Duration = Duration::from_secs(90 * 86_400);

/// Of two processes that find no key at the same time, the first makes it.
fn first_identity(text: &mut String) -> Result<Identity> {
    if let Some(found) = Identity::of_text(text)? {
        return Ok(found);
    }
    let new = Identity::new()?;
    *text = new.text();
    Ok(new)
}

fn spend(tickets: &mut String, by: &Authorized) -> Result<()> {
    let issued = rows::<Issued>(tickets)?;
    if let Some(ticket) = issued.into_iter().find(|row| row.once && Some(row.id) == by.ticket) {
        table::put(tickets, &Issued { spent: Some(by.key), ..ticket.clone() }, |row| row.id == ticket.id);
    }
    Ok(())
}

/// Whom or what somebody means.
enum Found {
    Peer(KeyHash),
    Ticket(TicketId),
}

fn find(issued: &[Issued], authorized: &[Authorized], which: &str) -> Result<Found> {
    let begins = |name: String| which.len() >= 4 && name.starts_with(&which.to_ascii_lowercase());
    let peers = authorized.iter().filter(|row| row.name == which || begins(row.key.to_string()));
    let tickets = issued.iter().filter(|row| begins(row.name()));
    // A client may have several rows.
    let peers: BTreeSet<_> = peers.map(|row| row.key).collect();
    let mut found: Vec<_> = peers.into_iter().map(Found::Peer).collect();
    found.extend(tickets.map(|row| Found::Ticket(row.id)));
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Error::new(Kind::NotFound, format!("no client and no ticket is called `{which}`"))
            .with_help("`anyplace keys list` shows them; write a name, or at least 4 letters of a key")),
        n => Err(Error::config(format!("`{which}` may be {n} of those that are known"))
            .with_help("write more letters of the key: `anyplace keys list` shows them")),
    }
}

/// Marks all rows of a client as revoked. Gives the first of them.
fn shut_out(peers: &mut String, theirs: &[Authorized], now: Moment) -> Revoked {
    let revoked = |row: &Authorized| Authorized { revoked: Some(row.revoked.unwrap_or(now)), ..row.clone() };
    theirs.iter().for_each(|old| table::put(peers, &revoked(old), |row| row == old));
    Revoked::Peer(revoked(&theirs[0]))
}

/// Takes these tickets out, and gives those that were there.
fn void(tickets: &mut String, issued: &[Issued], ids: &[TicketId]) -> Vec<Revoked> {
    table::keep(tickets, |row: &Issued| !ids.contains(&row.id));
    issued.iter().filter(|row| ids.contains(&row.id)).cloned().map(Revoked::Ticket).collect()
}

fn place_file(name: &str) -> Result<String> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if name.is_empty() || name.len() > 100 || name.starts_with('.') || !name.chars().all(is_plain) {
        return Err(Error::config(format!("`{}` is no name of a place", name.escape_default()))
            .with_help("write letters, digits, `.`, `_` and `-`, and no dot in front"));
    }
    Ok(format!("places/{name}"))
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.shelf {
            Shelf::Folder(folder) => write!(f, "Keys({})", folder.display()),
            Shelf::Memory(_) => f.write_str("Keys(of this process)"),
        }
    }
}

/// Reads a text as whatever stands in the files of keys, and as a ticket.
#[cfg(fuzzing)]
pub(crate) fn fuzzed(text: &str) {
    drop((table::rows::<known::Known>(text), table::rows::<issued::Issued>(text)));
    drop((table::rows::<authorized::Authorized>(text), text.parse::<Ticket>(), text.parse::<Scope>()));
    let _ = text.parse::<moment::Moment>();
}
