//! Several addresses tried at once, each with a head start on the next.

use super::lookup::{Lookup, in_turns};
use crate::net::Options;
use crate::net::gate::Gate;
use crate::net::readiness::{Interest, ready};
use rustix::io::Errno;
use rustix::net::sockopt::socket_error;
use rustix::net::{
    AddressFamily, SocketAddrAny, SocketAddrUnix, SocketFlags, SocketType, bind, connect, getpeername,
    getsockname, socket_with,
};
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long an address has before the next is tried, too (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);
/// When to look again whether a unix socket has room for one more; the kernel tells nobody.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Several addresses tried at once, each with a head start on the next. Dropped, all are given up.
pub(super) struct Attempts {
    options: Options,
    gate: Gate,
    lookup: Option<Lookup>,
    untried: VecDeque<Address>,
    under_way: Vec<Attempt>,
    failed: Vec<(Address, io::Error)>,
}

#[derive(Clone)]
enum Address {
    Internet(SocketAddr),
    Unix(SocketAddrUnix),
}

struct Attempt {
    address: Address,
    fd: OwnedFd,
}

impl Attempts {
    /// At the addresses of a name.
    pub(super) fn found_by(lookup: Lookup, options: &Options) -> io::Result<Self> {
        let attempts = Self::none(options)?;
        attempts.gate.add(lookup.bell(), Interest::Read)?;
        Ok(Self { lookup: Some(lookup), ..attempts })
    }

    /// At a path.
    pub(super) fn at(path: &Path, options: &Options) -> io::Result<Self> {
        let address = Address::Unix(SocketAddrUnix::new(path)?);
        Ok(Self { untried: VecDeque::from([address]), ..Self::none(options)? })
    }

    fn none(options: &Options) -> io::Result<Self> {
        Ok(Self {
            options: options.clone(),
            gate: Gate::new()?,
            lookup: None,
            untried: VecDeque::new(),
            under_way: vec![],
            failed: vec![],
        })
    }

    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The first that has answered; `WouldBlock` until then.
    pub(super) fn step(&mut self) -> io::Result<OwnedFd> {
        self.hear_answer()?;
        let mut is_time = self.gate.has_rung();
        for attempt in std::mem::take(&mut self.under_way) {
            match has_concluded(&attempt) {
                Ok(false) => self.under_way.push(attempt),
                Ok(true) => return Ok(attempt.fd),
                Err(error) => {
                    is_time = true;
                    self.failed.push((attempt.address, error));
                }
            }
        }
        while is_time || self.under_way.is_empty() {
            is_time = false;
            let Some(address) = self.untried.pop_front() else { break };
            if let Some(fd) = self.start(address)? {
                return Ok(fd);
            }
        }
        match self.under_way.is_empty() {
            true => Err(self.all_failed()),
            false => Err(ErrorKind::WouldBlock.into()),
        }
    }

    fn hear_answer(&mut self) -> io::Result<()> {
        if let Some(lookup) = &self.lookup {
            self.untried = in_turns(lookup.answer()?).map(Address::Internet).collect();
            self.lookup = None;
        }
        Ok(())
    }

    /// Gives a socket if that is connected at once. An error is nothing that belongs to this address alone.
    fn start(&mut self, address: Address) -> io::Result<Option<OwnedFd>> {
        match self.begin(&address) {
            Ok((fd, Ok(()))) => return Ok(Some(fd)),
            Ok((fd, Err(Errno::INPROGRESS))) => {
                self.gate.add(fd.as_fd(), Interest::Write)?;
                self.under_way.push(Attempt { address, fd });
                if !self.untried.is_empty() {
                    self.gate.ring_after(HEAD_START)?;
                }
            }
            // The backlog of a unix socket is full.
            Ok((_, Err(Errno::AGAIN))) => {
                self.untried.push_front(address);
                self.gate.ring_after(LOOK_AGAIN)?;
                return Err(ErrorKind::WouldBlock.into());
            }
            Ok((_, Err(errno))) => self.failed.push((address, errno.into())),
            Err(error) => self.failed.push((address, error)),
        }
        Ok(None)
    }

    fn begin(&self, address: &Address) -> io::Result<(OwnedFd, Result<(), Errno>)> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let fd = socket_with(address.family(), SocketType::STREAM, flags, None)?;
        self.options.set(fd.as_fd(), address.family())?;
        if let (Some(from), Address::Internet(_)) = (self.options.from, address) {
            bind(&fd, &from)?;
        }
        let began = connect(&fd, &address.any());
        Ok((fd, began))
    }

    fn all_failed(&mut self) -> io::Error {
        match self.failed.len() {
            0 => io::Error::new(ErrorKind::HostUnreachable, "the name has no address"),
            1 => self.failed.remove(0).1,
            _ => io::Error::new(self.failed[0].1.kind(), self.story(None)),
        }
    }

    /// The error of who would not wait any longer.
    pub(super) fn late(&self) -> io::Error {
        match self.lookup {
            Some(_) => io::Error::new(ErrorKind::TimedOut, "the name is still being looked up"),
            None => io::Error::new(ErrorKind::TimedOut, self.story(Some("no answer"))),
        }
    }

    /// What became of each address; `silent` is said of those that have not answered.
    fn story(&self, silent: Option<&str>) -> String {
        let failed = self.failed.iter().map(|(address, error)| format!("{address}: {error}"));
        let open = self.under_way.iter().map(|attempt| &attempt.address).chain(&self.untried);
        let silent = silent
            .into_iter()
            .flat_map(|silent| open.clone().map(move |address| format!("{address}: {silent}")));
        failed.chain(silent).collect::<Vec<_>>().join("; ")
    }
}

/// Whether it is connected.
fn has_concluded(attempt: &Attempt) -> io::Result<bool> {
    // A time that is over: it looks, and does not wait.
    if !ready(attempt.fd.as_fd(), Interest::Write, Some(Instant::now()))? {
        return Ok(false);
    }
    socket_error(&attempt.fd)??;
    // Where nobody listens, the system may give the port that is sought to who seeks it.
    match getpeername(&attempt.fd)? == Some(getsockname(&attempt.fd)?) {
        true => {
            Err(io::Error::new(ErrorKind::ConnectionRefused, "it reached itself, so nobody listens there"))
        }
        false => Ok(true),
    }
}

impl Address {
    fn family(&self) -> AddressFamily {
        match self {
            Self::Internet(SocketAddr::V4(_)) => AddressFamily::INET,
            Self::Internet(SocketAddr::V6(_)) => AddressFamily::INET6,
            Self::Unix(_) => AddressFamily::UNIX,
        }
    }

    fn any(&self) -> SocketAddrAny {
        match self {
            Self::Internet(address) => (*address).into(),
            Self::Unix(address) => address.clone().into(),
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Internet(address) => address.fmt(f),
            Self::Unix(_) => f.write_str("its backlog is full"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Endpoint, Listener, listen, listen_with};

    fn at(addresses: Vec<SocketAddr>) -> Attempts {
        Attempts::found_by(Lookup::known(addresses).unwrap(), &Options::default()).unwrap()
    }

    /// Steps until somebody has answered, or all have failed.
    fn concluded(attempts: &mut Attempts) -> io::Result<OwnedFd> {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            match attempts.step() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    assert!(ready(attempts.gate().fd(), Interest::Read, Some(until)).unwrap());
                }
                concluded => return concluded,
            }
        }
    }

    fn address(listener: &Listener) -> SocketAddr {
        let Endpoint::Tcp { host, port } = listener.endpoint() else { unreachable!() };
        SocketAddr::new(host.parse().unwrap(), *port)
    }

    /// A port that somebody holds and nobody listens at.
    fn closed(host: &str) -> (OwnedFd, SocketAddr) {
        let address = SocketAddr::new(host.parse().unwrap(), 0);
        let family = Address::Internet(address).family();
        let held = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        bind(&held, &address).unwrap();
        let address = getsockname(&held).unwrap().try_into().unwrap();
        (held, address)
    }

    /// Somebody whose backlog is full: the kernel drops who knocks.
    fn silent() -> (Listener, Vec<Attempts>) {
        let listener = listen_with("tcp://127.0.0.1:0", &Options::default().with_backlog(0)).unwrap();
        let mut knocking: Vec<_> = (0..4).map(|_| at(vec![address(&listener)])).collect();
        let until = Instant::now() + Duration::from_millis(100);
        let answered = |attempts: &mut Attempts| {
            while attempts.step().is_err() {
                if !ready(attempts.gate().fd(), Interest::Read, Some(until)).unwrap() {
                    return false;
                }
            }
            true
        };
        assert!(knocking.iter_mut().map(answered).any(|was| !was), "its backlog is full");
        (listener, knocking)
    }

    #[test]
    fn a_silent_address_costs_no_more_than_its_head_start() {
        let (silent, _knocking) = silent();
        let live = listen("tcp://[::1]:0").unwrap();
        let began = Instant::now();
        let mut attempts = at(vec![address(&silent), address(&live)]);
        let fd = concluded(&mut attempts).unwrap();
        assert!(began.elapsed() >= HEAD_START);
        assert_eq!(SocketAddr::try_from(getpeername(&fd).unwrap().unwrap()).unwrap(), address(&live));
    }

    #[test]
    fn a_refusal_is_followed_by_the_next_at_once() {
        let (silent, _knocking) = silent();
        let (_held, gone) = closed("::1");
        let mut attempts = at(vec![gone, address(&silent)]);
        // The first step begins with the one that refuses, so that the other has no need of the clock.
        while attempts
            .under_way
            .iter()
            .all(|attempt| attempt.address.to_string() != address(&silent).to_string())
        {
            assert_eq!(attempts.step().unwrap_err().kind(), ErrorKind::WouldBlock);
        }
        assert!(attempts.late().to_string().contains(&format!("{gone}: Connection refused")));
        assert!(attempts.late().to_string().contains(&format!("{}: no answer", address(&silent))));
    }

    #[test]
    fn an_error_says_what_became_of_each_address() {
        let (_held, gone): (Vec<_>, Vec<_>) = ["127.0.0.1", "::1"].map(closed).into_iter().unzip();
        let error = concluded(&mut at(gone.clone())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        for address in gone {
            assert!(error.to_string().contains(&format!("{address}: Connection refused")), "{error}");
        }
    }
}
