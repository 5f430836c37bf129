//! The rest of a message that has begun to go out.

use super::Stream;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The rest of a message that has begun to go out. Whoever writes next sends it first, so whoever sent it may give up
/// waiting and the stream is still whole.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    rest: Mutex<Rest>,
    is_some: AtomicBool,
}

#[derive(Debug, Default)]
struct Rest {
    bytes: Vec<u8>,
    start: usize,
    /// How many rests there were so far.
    count: u64,
}

/// Which rest somebody waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket(u64);

impl Outgoing {
    /// Begins a message: nothing if all of it has gone, a ticket if some has. `WouldBlock` says that nothing has.
    pub(super) fn begin(&self, stream: &Stream, head: &[u8], body: &[u8]) -> io::Result<Option<Ticket>> {
        let mut rest = self.rest();
        self.push(&mut rest, stream)?;
        let written = stream.try_write_past(&[IoSlice::new(head), IoSlice::new(body)])?;
        if written == head.len() + body.len() {
            return Ok(None);
        }
        rest.bytes.extend_from_slice(head.get(written..).unwrap_or_default());
        rest.bytes.extend_from_slice(&body[written.saturating_sub(head.len())..]);
        rest.count += 1;
        self.is_some.store(true, Ordering::Release);
        Ok(Some(Ticket(rest.count)))
    }

    /// Sends more of it, if there is anything left.
    #[inline]
    pub(super) fn go_on(&self, stream: &Stream) -> io::Result<()> {
        if self.is_some.load(Ordering::Acquire) { self.push(&mut self.rest(), stream) } else { Ok(()) }
    }

    /// Sends more of the rest that `ticket` is for, if that is still there.
    pub(super) fn end(&self, stream: &Stream, ticket: Ticket) -> io::Result<()> {
        let mut rest = self.rest();
        if rest.count == ticket.0 { self.push(&mut rest, stream) } else { Ok(()) }
    }

    fn push(&self, rest: &mut Rest, stream: &Stream) -> io::Result<()> {
        while rest.start < rest.bytes.len() {
            match stream.try_write_past(&[IoSlice::new(&rest.bytes[rest.start..])])? {
                0 => return Err(ErrorKind::WriteZero.into()),
                written => rest.start += written,
            }
        }
        *rest = Rest { count: rest.count, ..Rest::default() };
        self.is_some.store(false, Ordering::Release);
        Ok(())
    }

    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
