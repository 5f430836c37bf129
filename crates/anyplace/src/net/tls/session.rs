//! A TLS session as a transport.
//!
//! Its two directions share one state, behind a mutex that is held for as long as a step takes and never while somebody
//! waits. A step reads before it says `WouldBlock`, and says it only when nothing is kept that could be given: so who
//! reads until `WouldBlock` may wait for the descriptor.

use crate::net::readiness::{Interest, ready};
use crate::net::transport::Transport;
use crate::net::waiting::Awaited;
use crate::net::{Endpoint, Stream};
use rustls::Connection;
use rustls::pki_types::CertificateDer;
use std::cell::RefCell;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::fd::BorrowedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How much is taken from the descriptor at once: eight records of the largest kind.
const GULP: usize = 128 * 1024;

/// How much is kept for a descriptor that has no room.
const KEPT: usize = 64 * 1024;

/// A stream below, and TLS over it.
#[derive(Debug)]
pub(crate) struct Tls {
    below: Stream,
    session: Mutex<Session>,
}

#[derive(Debug)]
struct Session {
    connection: Connection,
    /// What came from below and found no room: the reader takes less than others send. Empty for whoever is idle.
    unfed: Vec<u8>,
    /// How much of that was taken.
    fed: usize,
    /// What the next read is told.
    later: Option<io::Error>,
    is_finished: bool,
}

impl Tls {
    /// TLS over this stream. Nothing is said yet.
    pub(crate) fn new(below: Stream, connection: impl Into<Connection>) -> Self {
        let mut connection = connection.into();
        connection.set_buffer_limit(Some(KEPT));
        Self {
            below,
            session: Mutex::new(Session {
                connection,
                unfed: Vec::new(),
                fed: 0,
                later: None,
                is_finished: false,
            }),
        }
    }

    /// Agrees with the other end on keys, until `until`.
    ///
    /// # Errors
    /// As [`agreeing`](Self::agreeing); `TimedOut`.
    pub(crate) fn agree(&self, until: Option<Instant>) -> io::Result<()> {
        loop {
            match self.agreeing() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let awaited = self.awaited();
                    if !ready(awaited.fd, awaited.interest, until)? {
                        return Err(ErrorKind::TimedOut.into());
                    }
                }
                agreed => return agreed,
            }
        }
    }

    /// The step of [`agree`](Self::agree).
    ///
    /// # Errors
    /// `WouldBlock` if it has to [wait](Self::awaited); those of the system; `InvalidData` with rustls' error, of which the
    /// other end was told as much as TLS says.
    pub(super) fn agreeing(&self) -> io::Result<()> {
        let mut session = self.session();
        loop {
            match session.awaits() {
                Some(Interest::Write) => session.push(&self.below)?,
                Some(Interest::Read) => session.pull(&self.below)?,
                None => return Ok(()),
            }
        }
    }

    /// What the next step of agreeing waits for.
    pub(super) fn awaited(&self) -> Awaited<'_> {
        let interest = self.session().awaits().unwrap_or(Interest::Read);
        self.below.awaited(interest)
    }

    /// What both ends, and nobody else, can compute of this session.
    pub(crate) fn exported(&self, label: &[u8]) -> io::Result<[u8; 32]> {
        self.session().connection.export_keying_material([0; 32], label, None).map_err(wrong)
    }

    /// The certificate of the other end.
    pub(crate) fn certificate(&self) -> Option<CertificateDer<'static>> {
        self.session().connection.peer_certificates()?.first().map(|first| first.clone().into_owned())
    }

    /// Which of the protocols that we speak was chosen.
    pub(crate) fn protocol(&self) -> Option<Vec<u8>> {
        self.session().connection.alpn_protocol().map(<[u8]>::to_vec)
    }

    /// Where the stream below goes.
    pub(super) fn endpoint(&self) -> &Endpoint {
        self.below.endpoint()
    }

    /// The stream through it, known by where the one below goes.
    pub(crate) fn into_stream(self) -> Stream {
        let endpoint = self.below.endpoint().clone();
        Stream::new(self, endpoint)
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Tls {
    fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        let mut session = self.session();
        if let Some(error) = session.later.take() {
            return Err(error);
        }
        let mut read = 0;
        while read < into.len() {
            // Its error is `UnexpectedEof` where the other end was cut off before it said that it is finished.
            let step = match session.connection.reader().read(&mut into[read..]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    // What is here is given before more is asked of the descriptor.
                    if read > 0 && session.unfed.is_empty() {
                        break;
                    }
                    session.pull(&self.below).map(|()| None)
                }
                taken => taken.map(Some),
            };
            match step {
                Ok(Some(0)) => break,
                Ok(more) => read += more.unwrap_or(0),
                // The reader is told after what came before it.
                Err(error) if read > 0 && error.kind() != ErrorKind::WouldBlock => {
                    session.later = Some(error);
                    break;
                }
                Err(_) if read > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    fn try_write(&self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut session = self.session();
        if session.is_finished {
            return Err(ErrorKind::BrokenPipe.into());
        }
        session.push(&self.below)?;
        let written = session.connection.writer().write_vectored(from)?;
        match session.push(&self.below) {
            // It is kept, and goes with the next step.
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(written),
            pushed => pushed.map(|()| written),
        }
    }

    fn try_flush(&self) -> io::Result<()> {
        self.session().push(&self.below)
    }

    fn try_finish(&self) -> io::Result<()> {
        let mut session = self.session();
        if !session.is_finished {
            session.connection.send_close_notify();
            session.is_finished = true;
        }
        session.push(&self.below)
    }

    fn abort(&self) {
        self.below.abort();
    }

    fn fd(&self, interest: Interest) -> BorrowedFd<'_> {
        self.below.fd(interest)
    }

    fn is_ready(&self, interest: Interest) -> bool {
        interest == Interest::Read && self.session().keeps_something()
    }
}

thread_local! {
    /// Where each thread puts what it takes from below: no session keeps so much for itself.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::default();
}

impl Session {
    /// Whether there is something to read without another look below.
    fn keeps_something(&mut self) -> bool {
        let plain = |state: rustls::IoState| state.plaintext_bytes_to_read() > 0 || state.peer_has_closed();
        !self.unfed.is_empty() || self.connection.process_new_packets().is_ok_and(plain)
    }

    /// What the handshake waits for; `None` when it is over, and nothing of it is left to send.
    fn awaits(&self) -> Option<Interest> {
        match &self.connection {
            connection if connection.wants_write() => Some(Interest::Write),
            connection if connection.is_handshaking() => Some(Interest::Read),
            _ => None,
        }
    }

    /// Sends what is kept.
    fn push(&mut self, below: &Stream) -> io::Result<()> {
        while self.connection.wants_write() {
            self.connection.write_tls(&mut Below(below))?;
        }
        Ok(())
    }

    /// Takes what has come, as far as there is room for what it says.
    fn pull(&mut self, below: &Stream) -> io::Result<()> {
        if !self.unfed.is_empty() {
            let (unfed, fed) = (std::mem::take(&mut self.unfed), std::mem::take(&mut self.fed));
            let left = self.feed(&unfed[fed..], below)?;
            if left > 0 {
                // It stays where it is: a record at a time is taken of many.
                (self.fed, self.unfed) = (unfed.len() - left, unfed);
            }
            return Ok(());
        }
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.resize(GULP, 0);
            let read = below.try_read(scratch)?;
            if read == 0 && self.connection.is_handshaking() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let left = self.feed(&scratch[..read], below)?;
            self.unfed = scratch[read - left..read].to_vec();
            Ok(())
        })
    }

    /// Nothing at all is the end of the stream below. How much was left for want of room.
    fn feed(&mut self, mut bytes: &[u8], below: &Stream) -> io::Result<usize> {
        loop {
            // `Err` says that there is no room; 0 is the end, and what is behind a peer's last word is not read.
            match self.connection.read_tls(&mut bytes) {
                Ok(0) => bytes = &[],
                Ok(_) => {}
                Err(_) => break,
            }
            if let Err(error) = self.connection.process_new_packets() {
                // Tells the other end; it may be gone already.
                drop(self.push(below));
                return Err(wrong(error));
            }
            if bytes.is_empty() {
                break;
            }
        }
        let left = bytes.len();
        // An answer to what came, such as a new key: it must not wait until somebody writes.
        match self.push(below) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(left),
            pushed => pushed.map(|()| left),
        }
    }
}

fn wrong(error: rustls::Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

/// The stream below, as rustls reads and writes it.
struct Below<'a>(&'a Stream);

impl Write for Below<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.try_flush()
    }
}
