//! The borrower's end: asking for a stream, and looking after it as its server would.

use super::Ticket;
use super::descriptors::{received, send};
use crate::error::{Error, Kind, Result};
use crate::net::reactor::{Registration, Source, register};
use crate::net::readiness::{Interest, ready};
use crate::net::stream::WeakStream;
use crate::net::transport::{Socket, again};
use crate::net::{Beat, Endpoint, Stream};
use rustix::net::{
    AddressFamily, RecvFlags, SocketAddrUnix, SocketFlags, SocketType, recv, socket_with, socketpair,
};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A lender is asked by processes of this machine and answers at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// The stream of a ticket that another process has made by [`lend`](super::lend). Both have it then.
///
/// # Errors
/// `NotFound` if it is lent no more; `NotSerializable` if the bytes are no such ticket.
pub fn borrow(ticket: &[u8]) -> Result<Stream> {
    let ticket = postcard::from_bytes(ticket).map_err(|_| {
        Error::new(Kind::NotSerializable, "these bytes are no ticket of a stream")
            .with_help("borrow what `lend` has given")
    })?;
    borrowed(&ticket)
}

pub(super) fn borrowed(ticket: &Ticket) -> Result<Stream> {
    let endpoint: Endpoint = ticket.endpoint.parse()?;
    let (fd, line) = ask(ticket).map_err(|error| {
        Error::new(Kind::NotFound, format!("a stream of `{endpoint}` is lent no more: {error}"))
            .with_help("use it while the task that it was sent with runs")
    })?;
    let stream = Stream::new(Socket::new(fd), endpoint);
    Minder::mind(&stream, line, ticket.idle)?;
    Ok(stream)
}

/// The descriptor, and the line by which it came.
fn ask(ticket: &Ticket) -> io::Result<(OwnedFd, OwnedFd)> {
    let until = Instant::now() + PATIENCE;
    let lender = SocketAddrUnix::new(format!("/proc/{}/fd/{}", ticket.process, ticket.socket))?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (mine, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    let asking = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
    rustix::net::connect(&asking, &lender)?;
    let question = ticket.number.to_le_bytes();
    in_time(asking.as_fd(), Interest::Write, until, || send(asking.as_fd(), &question, theirs.as_fd()))?;
    drop(theirs);
    let mut answer = [0];
    let (_, fd) = in_time(mine.as_fd(), Interest::Read, until, || received(mine.as_fd(), &mut answer))?;
    fd.map(|fd| (fd, mine)).ok_or_else(|| ErrorKind::NotFound.into())
}

fn in_time<R>(
    fd: BorrowedFd<'_>,
    interest: Interest,
    until: Instant,
    mut step: impl FnMut() -> io::Result<R>,
) -> io::Result<R> {
    loop {
        match step() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if !ready(fd, interest, Some(until))? && Instant::now() >= until {
                    return Err(ErrorKind::TimedOut.into());
                }
            }
            done => return done,
        }
    }
}

/// Looks after a borrowed stream: it ends when its lender would like to, and is given up when its other end keeps the
/// borrower waiting for too long.
struct Minder {
    stream: WeakStream,
    line: OwnedFd,
    idle: Option<Duration>,
    /// What moved when somebody looked last, and since when nothing has.
    seen: Mutex<(Beat, Instant)>,
}

impl Minder {
    fn mind(stream: &Stream, line: OwnedFd, idle: Option<Duration>) -> Result<()> {
        let seen = Mutex::new((Beat::default(), Instant::now()));
        let minder = Arc::new(Self { stream: stream.downgrade(), line, idle, seen });
        let registration: Registration = register(minder.line.as_fd(), minder.clone())?;
        registration.want(true, false);
        stream.mind(registration);
        Ok(())
    }

    fn is_idle(&self, stream: &Stream, now: Instant) -> bool {
        let beat = stream.pulse().beat();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !beat.is_stalled() || beat != seen.0 {
            *seen = (beat, now);
        }
        self.idle.is_some_and(|idle| now.saturating_duration_since(seen.1) >= idle)
    }
}

impl Source for Minder {
    /// The lender would like to end, or is gone: then there is nothing more to hear.
    fn ready(self: Arc<Self>, _: bool, _: bool) {
        let mut byte = [0];
        let heard = again(|| recv(&self.line, &mut byte, RecvFlags::DONTWAIT).map(|(read, _)| read));
        if matches!(heard, Ok(1))
            && let Some(stream) = self.stream.upgrade()
        {
            stream.release();
        }
    }

    fn tick(self: Arc<Self>, now: Instant) {
        let Some(stream) = self.stream.upgrade() else { return };
        if self.is_idle(&stream, now) {
            stream.abort();
        }
        stream.release_again();
    }
}
