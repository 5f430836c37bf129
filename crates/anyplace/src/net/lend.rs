//! Streams that go to another process of this machine: their descriptor is lent for a ticket.
//!
//! Whoever lends has one datagram socket, whose file is gone before anybody knows it: those who may look into this
//! process reach it through `/proc`, so nothing can be left behind. A borrower makes a pair of sockets and sends one end
//! of it with his ticket; the descriptor comes through the other. So the lender never waits for a borrower, and a
//! borrower who dies in the middle costs nothing. A ticket is good for as long as its [`Lent`] lives.

use super::reactor::{Registration, Source, register};
use super::readiness::{Interest, ready};
use super::transport::{Socket, again};
use super::{Endpoint, Stream};
use crate::error::{Error, Kind, Result};
use rustix::fs::{Mode, OFlags};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType, bind, recvmsg, sendmsg,
    socket_with, socketpair,
};
use serde::{Deserialize, Serialize, de, ser};
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// A lender is asked by processes of this machine and answers at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// What stands for a stream on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Ticket {
    process: u32,
    /// The lender's number for its own socket.
    socket: i32,
    number: u128,
    endpoint: String,
}

/// A stream that is lent until this is dropped.
#[derive(Debug)]
pub(crate) struct Lent {
    lender: Arc<Lender>,
    number: u128,
}

impl Drop for Lent {
    fn drop(&mut self) {
        let stream = self.lender.streams().remove(&self.number);
        drop(stream);
    }
}

/// Where the streams of this process are lent, as long as one is.
#[derive(Debug)]
struct Lender {
    desk: Arc<Desk>,
    /// The socket without its file.
    path: OwnedFd,
    generation: u32,
}

#[derive(Debug)]
struct Desk {
    socket: OwnedFd,
    streams: Mutex<HashMap<u128, Stream>>,
    registration: Mutex<Option<Registration>>,
}

static CURRENT: Mutex<Weak<Lender>> = Mutex::new(Weak::new());

thread_local! {
    /// What is lent on this thread, for whoever sends it.
    static SENT: RefCell<Option<Vec<Lent>>> = const { RefCell::new(None) };
}

/// Runs `send`, in which streams may be [lent](lend): they are for as long as somebody keeps what is given besides.
pub(crate) fn lending<R>(send: impl FnOnce() -> R) -> (R, Vec<Lent>) {
    struct Back(Option<Vec<Lent>>);
    impl Drop for Back {
        fn drop(&mut self) {
            SENT.set(self.0.take());
        }
    }
    let _back = Back(SENT.replace(Some(Vec::new())));
    let sent = send();
    (sent, SENT.take().unwrap_or_default())
}

/// A stream as bytes, by which a process of this machine can [`borrow`] it: for the work of a
/// [server's](crate::serve::Handler), as long as that has no outcome.
///
/// # Errors
/// `NotSerializable` elsewhere, and if more than a socket is behind the stream, such as a session with keys.
pub fn lend(stream: &Stream) -> Result<Vec<u8>> {
    let ticket = ticket(stream)?;
    postcard::to_stdvec(&ticket).map_err(|error| Error::new(Kind::Unexpected, error.to_string()))
}

/// The stream of a ticket that another process has made by [`lend`]. Both have it then.
///
/// # Errors
/// `NotFound` if it is lent no more; `NotSerializable` if the bytes are no such ticket.
pub fn borrow(ticket: &[u8]) -> Result<Stream> {
    postcard::from_bytes::<Ticket>(ticket).map_err(|_| no_ticket()).and_then(borrowed)
}

fn no_ticket() -> Error {
    Error::new(Kind::NotSerializable, "these bytes are no ticket of a stream")
        .with_help("borrow what `lend` has given")
}

fn ticket(stream: &Stream) -> Result<Ticket> {
    if stream.socket().is_none() {
        return Err(stays(stream, "it is more than a socket")
            .with_help("serve such streams on `threads:` or `async:`"));
    }
    if SENT.with_borrow(Option::is_none) {
        return Err(stays(stream, "only a server sends streams to workers")
            .with_help("let `serve` hand connections to the place"));
    }
    let lender = Lender::current()?;
    let number = fresh();
    lender.streams().insert(number, stream.clone());
    let (process, socket) = (std::process::id(), lender.path.as_raw_fd());
    let lent = Lent { lender, number };
    SENT.with_borrow_mut(|sent| sent.get_or_insert_default().push(lent));
    Ok(Ticket { process, socket, number, endpoint: stream.endpoint().to_string() })
}

fn stays(stream: &Stream, why: &str) -> Error {
    let message = format!("{stream:?} cannot leave this process: {why}");
    Error::new(Kind::NotSerializable, message).at(stream.endpoint())
}

/// A number that nobody guesses: the keys of the hasher are the system's random numbers.
fn fresh() -> u128 {
    let half = || u128::from(RandomState::new().hash_one(Instant::now()));
    half() << 64 | half()
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
        let desk = Arc::new(Desk { socket, streams: Mutex::default(), registration: Mutex::default() });
        let registration = register(desk.socket.as_fd(), desk.clone())?;
        *desk.registration() = Some(registration);
        desk.listen();
        Ok(Arc::new(Self { desk, path, generation }))
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<u128, Stream>> {
        self.desk.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lender {
    fn drop(&mut self) {
        let registration = self.desk.registration().take();
        drop(registration);
    }
}

impl Desk {
    fn registration(&self) -> MutexGuard<'_, Option<Registration>> {
        self.registration.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears the next question.
    fn listen(&self) {
        self.registration().iter().for_each(|registration| registration.want(true, false));
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

impl Source for Desk {
    fn ready(self: Arc<Self>, _: bool, _: bool) {
        while let Ok(Some((number, asking))) = heard(&self.socket) {
            let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
            let stream = number.and_then(|number| streams.get(&number).cloned());
            drop(streams);
            // Who asks for what is not lent, or is gone by now, hears the end.
            if let Some(stream) = stream
                && let Some(socket) = stream.socket()
            {
                drop(tell(&asking, b".", socket));
            }
        }
        self.listen();
    }

    fn tick(self: Arc<Self>, _: Instant) {}
}

/// A ticket's number, and where its owner waits. Nothing if a message was no question.
fn heard(socket: &OwnedFd) -> io::Result<Option<(Option<u128>, OwnedFd)>> {
    let mut number = [0; 16];
    let (read, fd) = received(socket.as_fd(), &mut number)?;
    let number = (read == number.len()).then(|| u128::from_le_bytes(number));
    Ok(fd.map(|fd| (number, fd)))
}

fn received(socket: BorrowedFd<'_>, into: &mut [u8]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut into = [IoSliceMut::new(into)];
    let got = again(|| recvmsg(socket, &mut into, &mut control, RecvFlags::CMSG_CLOEXEC))?;
    let mut fds = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => Some(fds),
        _ => None,
    });
    Ok((got.bytes, fds.next().and_then(|mut fds| fds.next())))
}

fn tell(socket: &OwnedFd, message: &[u8], fd: BorrowedFd<'_>) -> io::Result<usize> {
    let fds = [fd];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    again(|| sendmsg(socket, &[IoSlice::new(message)], &mut control, SendFlags::NOSIGNAL))
}

fn borrowed(ticket: Ticket) -> Result<Stream> {
    let endpoint: Endpoint = ticket.endpoint.parse()?;
    let gone = |error: io::Error| {
        Error::new(Kind::NotFound, format!("a stream of `{endpoint}` is lent no more: {error}"))
            .with_help("use it while the task that it was sent with runs")
    };
    let fd = ask(&ticket).map_err(gone)?;
    Ok(Stream::new(Socket::new(fd), endpoint))
}

fn ask(ticket: &Ticket) -> io::Result<OwnedFd> {
    let until = Instant::now() + PATIENCE;
    let lender = SocketAddrUnix::new(format!("/proc/{}/fd/{}", ticket.process, ticket.socket))?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (mine, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    let asking = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
    rustix::net::connect(&asking, &lender)?;
    until_done(asking.as_fd(), Interest::Write, until, || {
        tell(&asking, &ticket.number.to_le_bytes(), theirs.as_fd())
    })?;
    drop(theirs);
    let mut answer = [0];
    let (_, fd) = until_done(mine.as_fd(), Interest::Read, until, || received(mine.as_fd(), &mut answer))?;
    fd.ok_or_else(|| ErrorKind::NotFound.into())
}

fn until_done<R>(
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

impl Serialize for Stream {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ticket(self).map_err(crate::share::refuse_to_go)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Stream {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        borrowed(Ticket::deserialize(deserializer)?).map_err(crate::share::refuse_to_come)
    }
}
