//! Where the streams of this process are lent.

use super::Ticket;
use super::descriptors::{received, send};
use crate::error::{Error, Kind, Result};
use crate::net::Stream;
use crate::net::reactor::{Registration, Source, register};
use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, bind, socket_with};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Said to borrowers when the lender would like to end.
const RELEASED: &[u8] = b"!";

/// A stream that is lent until this is dropped.
pub(crate) struct Lent {
    lender: Arc<Lender>,
    number: u128,
}

/// What is lent, and to whom.
struct Loan {
    stream: Stream,
    lines: Vec<OwnedFd>,
    is_released: bool,
}

/// The desk with its socket, as long as something is lent.
struct Lender {
    desk: Arc<Desk>,
    /// The socket without its file.
    path: OwnedFd,
    generation: u32,
}

struct Desk {
    socket: OwnedFd,
    loans: Mutex<HashMap<u128, Loan>>,
    registration: Mutex<Option<Registration>>,
}

static CURRENT: Mutex<Weak<Lender>> = Mutex::new(Weak::new());

impl Lent {
    pub(super) fn new(stream: &Stream) -> Result<Self> {
        let (lender, number) = (Lender::current()?, u128::from_ne_bytes(crate::random::bytes()?));
        let loan = Loan { stream: stream.clone(), lines: Vec::new(), is_released: false };
        lender.desk.loans().insert(number, loan);
        Ok(Self { lender, number })
    }

    pub(super) fn ticket(&self, stream: &Stream, idle: Option<Duration>) -> Ticket {
        Ticket {
            process: std::process::id(),
            socket: self.lender.path.as_raw_fd(),
            number: self.number,
            endpoint: stream.endpoint().to_string(),
            idle,
        }
    }

    /// As [`Stream::release`], wherever it is.
    pub(crate) fn release(&self) {
        if let Some(loan) = self.lender.desk.loans().get_mut(&self.number)
            && !std::mem::replace(&mut loan.is_released, true)
        {
            loan.lines.iter().for_each(say_released);
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let loan = self.lender.desk.loans().remove(&self.number);
        drop(loan);
    }
}

fn say_released(line: &OwnedFd) {
    // Who is gone need not know.
    let _ = rustix::net::send(line, RELEASED, SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
}

impl Lender {
    fn current() -> Result<Arc<Self>> {
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = anyplace_sync::fork_generation();
        let known = current.upgrade().filter(|lender| lender.generation == generation);
        let lender = known.map_or_else(|| Self::open(generation), Ok)?;
        *current = Arc::downgrade(&lender);
        Ok(lender)
    }

    fn open(generation: u32) -> Result<Arc<Self>> {
        let (socket, path) = unnamed().map_err(|error| {
            Error::new(Kind::ResourceExhausted, format!("no socket to lend streams by: {error}"))
                .with_help("raise the limit of open files (`ulimit -n`)")
        })?;
        let desk = Arc::new(Desk { socket, loans: Mutex::default(), registration: Mutex::default() });
        let registration = register(desk.socket.as_fd(), desk.clone())?;
        *desk.registration() = Some(registration);
        desk.listen();
        Ok(Arc::new(Self { desk, path, generation }))
    }
}

impl Drop for Lender {
    fn drop(&mut self) {
        let registration = self.desk.registration().take();
        drop(registration);
    }
}

/// A datagram socket, and the same without its file: what `/proc` shows of it can be sent to.
fn unnamed() -> io::Result<(OwnedFd, OwnedFd)> {
    let folder = tempfile::Builder::new().prefix("anyplace-").tempdir()?;
    let name = folder.path().join("lend");
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
    bind(&socket, &SocketAddrUnix::new(&name)?)?;
    let path = rustix::fs::open(&name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    Ok((socket, path))
}

impl Desk {
    fn registration(&self) -> MutexGuard<'_, Option<Registration>> {
        self.registration.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn loans(&self) -> MutexGuard<'_, HashMap<u128, Loan>> {
        self.loans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears the next question.
    fn listen(&self) {
        self.registration().iter().for_each(|registration| registration.want(true, false));
    }

    /// A ticket's number, and the line to its owner. Nothing if a message was no question.
    fn heard(&self) -> io::Result<Option<(u128, OwnedFd)>> {
        let mut number = [0; 16];
        let (read, line) = received(self.socket.as_fd(), &mut number)?;
        let number = (read == number.len()).then(|| u128::from_le_bytes(number));
        Ok(number.zip(line))
    }

    /// Hands over what is lent. Who asks for anything else hears the end.
    fn hand_over(&self, number: u128, line: OwnedFd) {
        let mut loans = self.loans();
        let Some(loan) = loans.get_mut(&number) else { return };
        let Some(socket) = loan.stream.socket() else { return };
        if send(line.as_fd(), b".", socket).is_ok() {
            if loan.is_released {
                say_released(&line);
            }
            loan.lines.push(line);
        }
    }
}

impl Source for Desk {
    fn ready(self: Arc<Self>, _: bool, _: bool) {
        while let Ok(heard) = self.heard() {
            if let Some((number, line)) = heard {
                self.hand_over(number, line);
            }
        }
        self.listen();
    }

    fn tick(self: Arc<Self>, _: Instant) {}
}

impl fmt::Debug for Lent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lent").finish_non_exhaustive()
    }
}
