//! A stream of bytes in both directions, whatever the address.

mod close;
mod read;
mod steps;
mod write;

use super::ahead::Ahead;
use super::credentials::Credentials;
use super::outgoing::Outgoing;
use super::pulse::Pulse;
use super::reactor::Registration;
use super::transport::Transport;
use super::waiting::Waiting;
use super::watch::Watch;
use super::{Endpoint, address};
use crate::error::Result;
use crate::share::Wait;
use close::{Closing, Finishing};
pub use read::Incomplete;
pub(super) use read::{Gathering, too_long};
use read::{ReadingExact, ReadingSome};
use std::fmt;
use std::io::{ErrorKind, IoSlice};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;
pub(super) use write::Writing;

/// A stream of bytes in both directions. Clones are the same stream, and any thread may use it; it is closed when the
/// last of them is dropped.
///
/// Every verb takes the time until which it may wait; `None` is for as long as it takes. The same verb as a noun, such as
/// [`reading`](Self::reading), gives a [`Wait`]: it can be awaited, in any runtime, or waited for bit by bit. Giving a wait
/// up loses nothing that was read, but a write that has begun has to end.
///
/// ```
/// use anyplace::net::{connect, listen};
///
/// let listener = listen("tcp://127.0.0.1:0")?;
/// let (here, there) = (connect(listener.endpoint(), None)?, listener.accept(None)?);
/// here.write(b"GET /\n", None)?;
/// here.finish(None)?;
/// assert_eq!(there.read_until(b"\n", 1024, None)?, b"GET /\n");
/// there.write(b"hello", None)?;
/// there.close(None)?;
/// assert_eq!(here.read_to_end(1024, None)?, b"hello");
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone)]
pub struct Stream(Arc<Inner>);

struct Inner {
    transport: Box<dyn Transport>,
    /// What was connected to, or listened at.
    endpoint: Endpoint,
    state: AtomicU8,
    ahead: Mutex<Ahead>,
    /// Whether there may be bytes in `ahead`.
    is_ahead: AtomicBool,
    /// How many read by way of `ahead`.
    gathering: AtomicUsize,
    outgoing: Outgoing,
    watch: Watch,
    /// Where the two directions have a descriptor each, that of the one in which we write.
    watch_writing: Watch,
    pulse: Pulse,
    /// Whoever reads sees the end where the other end has nothing under way.
    is_released: AtomicBool,
    /// What looks after it, for as long as it lives.
    minder: Mutex<Option<Registration>>,
}

/// Both directions may be used.
const OPEN: u8 = 0;
/// A write was given up when some of it had gone.
const CUT: u8 = 1;
/// Somebody here has closed it.
const CLOSED: u8 = 2;
/// Somebody here has broken it off.
const ABORTED: u8 = 3;

/// A stream that others keep.
pub(super) struct WeakStream(Weak<Inner>);

impl WeakStream {
    pub(super) fn upgrade(&self) -> Option<Stream> {
        self.0.upgrade().map(Stream)
    }
}

impl Stream {
    pub(crate) fn new(transport: impl Transport + 'static, endpoint: Endpoint) -> Self {
        Self(Arc::new(Inner {
            transport: Box::new(transport),
            endpoint,
            state: AtomicU8::new(OPEN),
            ahead: Mutex::default(),
            is_ahead: false.into(),
            gathering: AtomicUsize::new(0),
            outgoing: Outgoing::default(),
            watch: Watch::default(),
            watch_writing: Watch::default(),
            pulse: Pulse::default(),
            is_released: false.into(),
            minder: Mutex::default(),
        }))
    }

    /// What was connected to; of an accepted stream, where it was listened.
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    /// The address of the other end, if it has one: a unix socket that connects has none.
    ///
    /// # Errors
    /// `ConnectionLost` if the other end is gone.
    pub fn peer(&self) -> Result<Option<Endpoint>> {
        address::of_peer(self.0.transport.bottom()).map_err(|error| self.told(error, "see the other end of"))
    }

    /// The address of our end, if it has one.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local(&self) -> Result<Option<Endpoint>> {
        address::of_ours(self.0.transport.bottom()).map_err(|error| self.told(error, "see our end of"))
    }

    /// Which process is at the other end, by the word of the kernel; `None` unless it is a unix socket.
    ///
    /// # Errors
    /// Those of the system.
    pub fn credentials(&self) -> Result<Option<Credentials>> {
        let bottom = self.0.transport.bottom();
        let is_unix = address::is_unix(bottom);
        let found = is_unix.then(|| Credentials::of(bottom)).transpose();
        found.map_err(|error| self.told(error, "see the other end of"))
    }

    /// Reads what is there, at most as much as there is room for; 0 is the end.
    ///
    /// # Errors
    /// `Timeout`; `ConnectionLost`.
    pub fn read(&self, into: &mut [u8], until: Option<Instant>) -> Result<usize> {
        Waiting::new(ReadingSome::new(self, into)).by(until)
    }

    /// [`read`](Self::read), as a value to wait for.
    pub fn reading<'a>(&'a self, into: &'a mut [u8]) -> impl Wait<Given = usize> + use<'a> {
        Waiting::new(ReadingSome::new(self, into))
    }

    /// Reads as many bytes as there is room for.
    ///
    /// # Errors
    /// `ConnectionLost` if the end comes before: its source is an [`Incomplete`], which says how many bytes came; they are
    /// where they were wanted. `Timeout`: what came stays in the stream.
    pub fn read_exact(&self, into: &mut [u8], until: Option<Instant>) -> Result<()> {
        Waiting::new(ReadingExact::new(self, into)).by(until)
    }

    /// [`read_exact`](Self::read_exact), as a value to wait for.
    pub fn reading_exact<'a>(&'a self, into: &'a mut [u8]) -> impl Wait<Given = ()> + use<'a> {
        Waiting::new(ReadingExact::new(self, into))
    }

    /// Reads up to and with the next `delimiter`, or what there is before the end; nothing is the end.
    ///
    /// # Errors
    /// `ResourceExhausted` if there is none within `limit` bytes, which stay in the stream; `Timeout`; `ConnectionLost`.
    pub fn read_until(&self, delimiter: &[u8], limit: usize, until: Option<Instant>) -> Result<Vec<u8>> {
        Waiting::new(self.gathering(read::up_to(delimiter, limit))).by(until)
    }

    /// [`read_until`](Self::read_until), as a value to wait for.
    pub fn reading_until<'a>(
        &'a self,
        delimiter: &'a [u8],
        limit: usize,
    ) -> impl Wait<Given = Vec<u8>> + use<'a> {
        Waiting::new(self.gathering(read::up_to(delimiter, limit)))
    }

    /// Reads all that is still to come.
    ///
    /// # Errors
    /// `ResourceExhausted` if that is more than `limit` bytes; `Timeout`; `ConnectionLost`. What came stays in the stream.
    pub fn read_to_end(&self, limit: usize, until: Option<Instant>) -> Result<Vec<u8>> {
        Waiting::new(self.gathering(read::to_end(limit))).by(until)
    }

    /// [`read_to_end`](Self::read_to_end), as a value to wait for.
    pub fn reading_to_end(&self, limit: usize) -> impl Wait<Given = Vec<u8>> + use<'_> {
        Waiting::new(self.gathering(read::to_end(limit)))
    }

    /// Writes all of it. Two threads that write at once may do so in turns: see [`send`](Self::send) for whole messages.
    ///
    /// # Errors
    /// `ConnectionLost`; `Timeout`. If some of it has gone by then, nobody knows where the other end stands, so the stream
    /// cannot be written to any more.
    pub fn write(&self, bytes: &[u8], until: Option<Instant>) -> Result<()> {
        Waiting::new(Writing::new(self, [IoSlice::new(bytes)])).by(until)
    }

    /// [`write`](Self::write), as a value to wait for.
    pub fn writing<'a>(&'a self, bytes: &'a [u8]) -> impl Wait<Given = ()> + use<'a> {
        Waiting::new(Writing::new(self, [IoSlice::new(bytes)]))
    }

    /// Writes all of them, one after the other. Where the slices stand afterwards is of no meaning.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_vectored(&self, slices: &mut [IoSlice<'_>], until: Option<Instant>) -> Result<()> {
        Waiting::new(Writing::new(self, slices)).by(until)
    }

    /// Ends our direction: the other side reads the end, and may still write.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn finish(&self, until: Option<Instant>) -> Result<()> {
        Waiting::new(Finishing(self)).by(until)
    }

    /// [`finish`](Self::finish), as a value to wait for.
    pub fn finishing(&self) -> impl Wait<Given = ()> + use<'_> {
        Waiting::new(Finishing(self))
    }

    /// Ends both directions in order: what was written arrives, the other side reads the end, and whoever still reads or
    /// writes here is told that it is closed. What the other side still sends is thrown away until it ends, too, or until
    /// `until`, whichever is first: a socket that is let go with unread bytes in it would take back what it has sent.
    ///
    /// # Errors
    /// `Timeout` if what was written could not be handed on by then; `ConnectionLost`.
    pub fn close(&self, until: Option<Instant>) -> Result<()> {
        let mut closing = Waiting::new(Closing::new(self));
        match closing.until(until)? {
            None if !closing.operation().is_finished() => Err(self.told(ErrorKind::TimedOut.into(), "close")),
            _ => Ok(()),
        }
    }

    /// [`close`](Self::close), as a value to wait for; given up, it throws away no more.
    pub fn closing(&self) -> impl Wait<Given = ()> + use<'_> {
        Waiting::new(Closing::new(self))
    }

    /// Breaks it off, in both directions and at once: whoever waits for it, in whichever thread, is told so, and the other
    /// end of a TCP connection learns that this was no orderly end.
    pub fn abort(&self) {
        self.0.state.store(ABORTED, Ordering::Release);
        self.0.transport.abort();
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({})", self.0.endpoint)
    }
}
