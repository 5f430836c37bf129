//! The steps of a stream, and what they wait for.

use super::close::Closing;
use super::{CLOSED, CUT, Gathering, Inner, OPEN, Stream, WeakStream};
use crate::net::ahead::Found;
use crate::net::failure::told;
use crate::net::outgoing::Outgoing;
use crate::net::pulse::Pulse;
use crate::net::reactor::Registration;
use crate::net::readiness::{Interest, Waitable, ready};
use crate::net::waiting::Awaited;
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

impl Stream {
    /// Whether its bytes are those of a socket, and nothing is kept in between.
    pub(crate) fn is_plain(&self) -> bool {
        self.0.transport.socket().is_some()
    }

    /// Whether something was read already that nobody has taken: no event tells of it.
    pub(crate) fn keeps_something(&self) -> bool {
        self.is_ready(Interest::Read)
    }

    /// The step of [`read`](Self::read): `WouldBlock` if there is nothing to read now.
    ///
    /// # Errors
    /// Those of the system.
    #[inline]
    pub fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        self.check_reading()?;
        match self.read_ahead(into) {
            0 => self.try_read_past(into),
            read => Ok(read),
        }
    }

    /// The step of [`write`](Self::write), which takes some of the bytes: `WouldBlock` if there is room for none now.
    ///
    /// # Errors
    /// Those of the system.
    #[inline]
    pub fn try_write(&self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        self.check_writing()?;
        self.0.outgoing.go_on(self)?;
        self.try_write_past(from)
    }

    /// Hands on what [`try_write`](Self::try_write) has taken: `WouldBlock` if some of it is still here.
    ///
    /// # Errors
    /// Those of the system.
    #[inline]
    pub fn try_flush(&self) -> io::Result<()> {
        self.0.transport.try_flush()
    }

    /// Waits until a step may go on; false if `until` came first, or a signal that this thread
    /// [waits for](anyplace_sync::ending_at_signals).
    ///
    /// # Errors
    /// Those of the system.
    pub fn ready(&self, interest: Interest, until: Option<Instant>) -> io::Result<bool> {
        match self.is_ready(interest) {
            true => Ok(true),
            false => ready(self.fd(interest), self.awaits(interest), until),
        }
    }

    /// The descriptor that says when a step may go on, if it is asked for what the step [awaits](Waitable::awaits). Steps
    /// come first: what was read ahead is nothing that the descriptor knows of.
    pub fn fd(&self, interest: Interest) -> BorrowedFd<'_> {
        self.0.transport.fd(interest)
    }

    /// The socket, if the stream's bytes are a socket's bytes.
    pub(in crate::net) fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.0.transport.socket()
    }

    /// Closes it as far as that can be done without waiting.
    pub(crate) fn close_now(&self) {
        Closing::new(self).hurry();
    }

    /// From now on, whoever waits for the other end's next request reads the end instead. What is under way goes on.
    pub(crate) fn release(&self) {
        self.0.is_released.store(true, Ordering::SeqCst);
        self.release_again();
    }

    /// Looks once more at one that is released: its reader may just have begun to wait.
    pub(in crate::net) fn release_again(&self) {
        if self.is_at_rest() {
            self.0.transport.end_reading();
        }
    }

    fn is_at_rest(&self) -> bool {
        self.0.is_released.load(Ordering::SeqCst) && self.0.pulse.beat().is_between()
    }

    /// Has it looked after, for as long as it lives.
    pub(in crate::net) fn mind(&self, minder: Registration) {
        *self.0.minder.lock().unwrap_or_else(PoisonError::into_inner) = Some(minder);
    }

    pub(in crate::net) fn downgrade(&self) -> WeakStream {
        WeakStream(Arc::downgrade(&self.0))
    }

    /// What moves in it, for who watches others use it.
    pub(crate) fn pulse(&self) -> &Pulse {
        &self.0.pulse
    }

    /// The rest of a message that has begun to go out.
    pub(in crate::net) fn outgoing(&self) -> &Outgoing {
        &self.0.outgoing
    }

    /// Takes some of the bytes, whatever should go first.
    pub(in crate::net) fn try_write_past(&self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.pulse.felt(Interest::Write, self.0.transport.try_write(from))
    }

    /// Reads from the transport, whatever was read ahead.
    pub(in crate::net) fn try_read_past(&self, into: &mut [u8]) -> io::Result<usize> {
        let read = match self.0.pulse.felt(Interest::Read, self.try_transport(into)) {
            Err(error) if error.kind() == ErrorKind::WouldBlock && self.is_at_rest() => 0,
            read => read?,
        };
        if read == 0 {
            // The end may be one that we have made ourselves, meanwhile.
            self.check_reading()?;
        }
        Ok(read)
    }

    fn try_transport(&self, into: &mut [u8]) -> io::Result<usize> {
        let (transport, room) = (&self.0.transport, into.len());
        if !transport.gives_all() {
            return transport.try_read(into);
        }
        self.0.watch.read(|| transport.try_read(into), |read| (1..room).contains(read))
    }

    pub(super) fn gathering<F>(&self, find: F) -> Gathering<'_, F, Vec<u8>>
    where
        F: FnMut(&[u8], bool) -> io::Result<Found> + Send,
    {
        Gathering::new(self, find, "read from", Option::unwrap_or_default)
    }

    pub(in crate::net) fn awaited(&self, interest: Interest) -> Awaited<'_> {
        let watch = match interest {
            Interest::Write if self.has_two_descriptors() => &self.0.watch_writing,
            _ => &self.0.watch,
        };
        Awaited { fd: self.fd(interest), interest: self.awaits(interest), watch }
    }

    fn has_two_descriptors(&self) -> bool {
        self.fd(Interest::Read).as_raw_fd() != self.fd(Interest::Write).as_raw_fd()
    }

    pub(in crate::net) fn told(&self, error: io::Error, operation: &'static str) -> crate::Error {
        told(error, &self.0.endpoint, operation)
    }

    #[inline]
    pub(in crate::net) fn check_reading(&self) -> io::Result<()> {
        match self.0.state.load(Ordering::Relaxed) {
            OPEN | CUT => Ok(()),
            state => Err(over(state)),
        }
    }

    #[inline]
    pub(in crate::net) fn check_writing(&self) -> io::Result<()> {
        match self.0.state.load(Ordering::Relaxed) {
            OPEN => Ok(()),
            state => Err(over(state)),
        }
    }

    /// Moves on from `OPEN`; whoever has closed or aborted it was first.
    pub(super) fn leave_open(&self, state: u8) {
        let _ = self.0.state.compare_exchange(OPEN, state, Ordering::AcqRel, Ordering::Relaxed);
    }
}

/// A step, and as much waiting as it takes, for the traits of the standard library, which know no deadlines.
pub(super) fn blocking<R>(
    stream: &Stream,
    interest: Interest,
    mut step: impl FnMut() -> io::Result<R>,
) -> io::Result<R> {
    loop {
        match step() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if !stream.ready(interest, None)? {
                    return Err(ErrorKind::Interrupted.into());
                }
            }
            taken => return taken,
        }
    }
}

fn over(state: u8) -> io::Error {
    let why = match state {
        CUT => "an earlier write was given up half-way",
        CLOSED => "it was closed here",
        _ => "it was aborted here",
    };
    io::Error::new(ErrorKind::ConnectionAborted, why)
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.watch.forget(self.transport.fd(Interest::Read));
        self.watch_writing.forget(self.transport.fd(Interest::Write));
    }
}

impl Waitable for Stream {
    fn fd(&self, interest: Interest) -> BorrowedFd<'_> {
        self.0.transport.fd(interest)
    }

    /// The same, but for standard input and output and named pipes.
    fn awaits(&self, interest: Interest) -> Interest {
        self.0.transport.interest(interest)
    }

    fn is_ready(&self, interest: Interest) -> bool {
        let is_ahead = interest == Interest::Read && self.0.is_ahead.load(Ordering::Acquire);
        is_ahead || self.0.transport.is_ready(interest)
    }
}

/// For options that [`Options`](crate::net::Options) lacks. Whoever reads or writes by it goes past the stream, and past its
/// encryption.
impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.transport.bottom()
    }
}
