//! The addresses of a name.

use crate::context::within_engine;
use rustix::event::{EventfdFlags, eventfd};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use crate::net::readiness::{Interest, ready};

/// How many look-ups there may be at once. The system's may take half a minute each, and nobody can end one.
const MOST: usize = 64;

static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// The addresses of a name, perhaps still being looked up. That is done on a thread of its own, which nobody waits for any
/// longer than they want to; at most 64 of them are there at once.
#[derive(Debug)]
pub(in crate::net) struct Lookup(Arc<Question>);

#[derive(Debug)]
struct Question {
    answer: Mutex<Option<io::Result<Vec<SocketAddr>>>>,
    /// Rung when the answer is there.
    bell: OwnedFd,
}

/// One of the look-ups there may be.
struct Slot;

impl Lookup {
    pub(in crate::net) fn new(host: &str, port: u16) -> io::Result<Self> {
        match host.parse::<IpAddr>() {
            Ok(address) => Self::known(vec![SocketAddr::new(address, port)]),
            Err(_) => Self::of_a_name(host.to_owned(), port),
        }
    }

    /// There is nothing to look up.
    pub(super) fn known(addresses: Vec<SocketAddr>) -> io::Result<Self> {
        let lookup = Self::open()?;
        lookup.0.answer(Ok(addresses));
        Ok(lookup)
    }

    fn of_a_name(host: String, port: u16) -> io::Result<Self> {
        let lookup = Self::open()?;
        lookup.start(host, port)?;
        Ok(lookup)
    }

    fn open() -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self(Arc::new(Question { answer: Mutex::default(), bell })))
    }

    fn start(&self, host: String, port: u16) -> io::Result<()> {
        let (slot, question) = (Slot::take()?, self.0.clone());
        let look_up = move || {
            let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
            // Gone before anybody can ask for the next.
            drop(slot);
            question.answer(found.map_err(|error| io::Error::new(ErrorKind::HostUnreachable, error)));
        };
        thread::Builder::new().name("anyplace-lookup".to_owned()).spawn(|| within_engine(look_up))?;
        Ok(())
    }

    /// What was found; `WouldBlock` until [`bell`](Self::bell) can be read.
    pub(in crate::net) fn answer(&self) -> io::Result<Vec<SocketAddr>> {
        let answer = self.0.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        answer.unwrap_or_else(|| Err(ErrorKind::WouldBlock.into()))
    }

    pub(in crate::net) fn bell(&self) -> BorrowedFd<'_> {
        self.0.bell.as_fd()
    }
}

impl Question {
    fn answer(&self, found: io::Result<Vec<SocketAddr>>) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        // It can only fail when the counter is full.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }
}

impl Slot {
    fn take() -> io::Result<Self> {
        let more = |count| (count < MOST).then_some(count + 1);
        UNDER_WAY.fetch_update(Ordering::AcqRel, Ordering::Relaxed, more).map(|_| Self).map_err(|_| {
            io::Error::new(ErrorKind::QuotaExceeded, format!("{MOST} names are being looked up already"))
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The addresses of a name, waited for.
pub(in crate::net) fn resolve(host: &str, port: u16, until: Option<Instant>) -> io::Result<Vec<SocketAddr>> {
    let lookup = Lookup::new(host, port)?;
    match ready(lookup.bell(), Interest::Read, until)? {
        true => lookup.answer(),
        false => Err(ErrorKind::TimedOut.into()),
    }
}

/// The addresses of both families in turns, beginning with the family that the system likes best (RFC 8305, section 4).
pub(super) fn in_turns(addresses: Vec<SocketAddr>) -> impl Iterator<Item = SocketAddr> {
    let is_first_v4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let (mut liked, mut other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv4() == is_first_v4);
    liked.reverse();
    other.reverse();
    let mut is_liked = false;
    std::iter::from_fn(move || {
        is_liked = !is_liked;
        let (now, then) = if is_liked { (&mut liked, &mut other) } else { (&mut other, &mut liked) };
        now.pop().or_else(|| then.pop())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns() {
        let given = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.0.0.1:1"]);
        let expected = addresses(&["[::1]:1", "1.0.0.1:1", "[::2]:1", "[::3]:1"]);
        assert_eq!(in_turns(given).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_address_is_not_looked_up() {
        assert_eq!(Lookup::new("::1", 7).unwrap().answer().unwrap(), addresses(&["[::1]:7"]));
    }

    #[test]
    fn a_name_is_waited_for() {
        assert!(resolve("localhost", 7, None).unwrap().iter().all(|address| address.ip().is_loopback()));
        // Such names are promised to be nobody's (RFC 2606).
        assert!(resolve("nobody.invalid", 7, None).is_err());
    }
}
