//! An inbox: where files arrive from senders that may come in.

mod line;

use super::{ClientLimits, Terms};
use crate::address::Address;
use crate::error::{Error, Kind, Result, Retry};
use crate::keys::{KeyHash, Keys, Scope};
use crate::net::{Endpoint, Stream, listen};
use crate::serve::door::Door;
use line::Line;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Listens for senders of files, and gives those that may come in, one after the other. Dropping it closes it; who has
/// arrived can go on.
///
/// At `tcp:` it is reached by TLS and by whoever has its ticket or a key that is known here, with the scope
/// [`FILES`](Scope::FILES) or one that includes it; at `unix:` by processes of the same user. Those that do not say who they
/// are have five seconds for it and hold up nobody.
///
/// For an example see [`reach`](crate::net::files::reach).
pub struct Inbox {
    door: Arc<Door>,
    line: Arc<Line>,
    address: Address,
    endpoint: Endpoint,
}

/// A sender that was let in. What it sends is received by [`Receiving`](crate::net::files::Receiving).
#[derive(Debug)]
#[non_exhaustive]
pub struct Arrival {
    /// Where its files come from.
    pub stream: Stream,
    /// Its key; `None` over a unix socket, where it is a process of the same user.
    pub key: Option<KeyHash>,
}

impl Inbox {
    /// A ticket for files and nothing else, for the first who comes within a day. The same sender may come again.
    pub const TERMS: Terms = Terms {
        scope: Scope::FILES,
        lasts: Some(Duration::from_secs(86_400)),
        once: true,
        ticket: true,
        limits: ClientLimits::DEFAULT,
    };

    /// Opens an inbox at `tcp://host:port` (port 0 is any free one) or `unix:/path`.
    ///
    /// # Errors
    /// `ConfigInvalid` for a wrong endpoint; what [`listen`] says, and [`Keys::issue`].
    pub fn open(endpoint: &str, keys: &Keys, terms: Terms) -> Result<Self> {
        let endpoint: Endpoint = endpoint.parse()?;
        if !matches!(endpoint, Endpoint::Tcp { .. } | Endpoint::Unix(_)) {
            return Err(Error::config(format!("no files are received at `{endpoint}`"))
                .at(&endpoint)
                .with_help("write `tcp://host:port`, or `unix:/path` for processes of the same user"));
        }
        let listener = listen(endpoint)?;
        let endpoint = listener.endpoint().clone();
        let address = terms.address(&endpoint, keys)?;
        let line = Line::new(keys.clone());
        Ok(Self { door: Door::open(listener, line.clone())?, line, address, endpoint })
    }

    /// What a sender is to be told. Its ticket is a secret, which [`Address::reveal`] shows.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The next sender that was let in; `None` once the inbox is [closed](Self::close).
    ///
    /// # Errors
    /// `Timeout` if `until` came before anybody.
    pub fn accept(&self, until: Option<Instant>) -> Result<Option<Arrival>> {
        self.line.next(until).ok_or_else(|| {
            Error::new(Kind::Timeout, format!("nobody came to `{}`: the time given was over", self.endpoint))
                .at(&self.endpoint)
                .with_retry(Retry::Safe)
                .with_help("give it more time, or look at who sends")
        })
    }

    /// Lets nobody in any more, and tells whoever waits for the [next](Self::accept) sender.
    pub fn close(&self) {
        self.door.close();
        self.line.close();
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::files::reach;
    use std::net::TcpStream;
    use std::thread;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    fn next(inbox: &Inbox) -> Option<Arrival> {
        inbox.accept(Some(soon())).unwrap()
    }

    #[test]
    fn who_waits_for_nobody_is_told_in_time() {
        let inbox = Inbox::open("tcp://127.0.0.1:0", &Keys::in_memory(), Inbox::TERMS).unwrap();
        let until = Instant::now() + Duration::from_millis(20);
        assert_eq!(inbox.accept(Some(until)).unwrap_err().kind(), Kind::Timeout);
        assert!(Instant::now() >= until);
    }

    #[test]
    fn a_ticket_for_something_else_lets_nobody_send() {
        let terms = Terms { scope: Scope::SHARE, ..Inbox::TERMS };
        let inbox = Inbox::open("tcp://127.0.0.1:0", &Keys::in_memory(), terms).unwrap();
        let error = reach(&inbox.address().reveal(), &Keys::in_memory(), soon()).unwrap_err();
        assert_eq!(error.kind(), Kind::PermissionDenied);
        assert!(error.message().ends_with("has the scope `share`"), "{error}");
    }

    #[test]
    fn a_ticket_is_for_the_first_who_may_come_again() {
        let inbox = Inbox::open("tcp://127.0.0.1:0", &Keys::in_memory(), Inbox::TERMS).unwrap();
        let (address, first) = (inbox.address().reveal(), Keys::in_memory());
        for _ in 0..2 {
            let _stream = reach(&address, &first, soon()).unwrap();
            assert_eq!(next(&inbox).unwrap().key, Some(first.identity().unwrap().hash()));
        }
        let error = reach(&address, &Keys::in_memory(), soon()).unwrap_err();
        assert_eq!(error.kind(), Kind::PermissionDenied);
    }

    #[test]
    fn strangers_that_say_nothing_hold_nobody_up() {
        let inbox = Inbox::open("tcp://127.0.0.1:0", &Keys::in_memory(), Inbox::TERMS).unwrap();
        let at = inbox.endpoint().to_string();
        let at = at.strip_prefix("tcp://").unwrap();
        let silent: Vec<_> = (0..50).map(|_| TcpStream::connect(at).unwrap()).collect();
        assert!(reach(&inbox.address().reveal(), &Keys::in_memory(), soon()).is_ok());
        assert!(next(&inbox).is_some());
        drop(silent);
    }

    #[test]
    fn whoever_waits_is_told_that_it_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let endpoint = format!("unix:{}", socket.display());
        let inbox = Arc::new(Inbox::open(&endpoint, &Keys::in_memory(), Inbox::TERMS).unwrap());
        let waiting = inbox.clone();
        let waiting = thread::spawn(move || next(&waiting).is_none());
        inbox.close();
        assert!(waiting.join().unwrap());
        assert!(!socket.exists());
        assert_eq!(reach(&endpoint, &Keys::in_memory(), soon()).unwrap_err().kind(), Kind::Unreachable);
    }

    #[test]
    fn an_address_shows_no_ticket_unless_it_is_asked_to() {
        let inbox = Inbox::open("tcp://127.0.0.1:0", &Keys::in_memory(), Inbox::TERMS).unwrap();
        assert!(inbox.address().to_string().ends_with("#ap1.***"));
        assert!(!format!("{inbox:?}").contains("ap1."));
    }
}
