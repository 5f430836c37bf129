//! One operation of a socket that may have to wait, and every way to wait for it.

use super::driven::awaited;
use super::readiness::{Interest, ready};
use super::watch::Watch;
use crate::error::{Error, Result};
use crate::share::Wait;
use std::fmt;
use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

/// How many steps of a future follow one another before others have their turn.
const STEPS: u32 = 32;

/// An operation in steps that never wait.
pub(super) trait Operation: Send {
    /// What it gives, once.
    type Given;

    /// One step: what it gives, or nothing if it got on and is not done. `WouldBlock` says that it has to
    /// [wait](Self::awaits).
    fn step(&mut self) -> io::Result<Option<Self::Given>>;

    /// What the next step waits for.
    fn awaits(&self) -> Awaited<'_>;

    /// What a step's error means to who asked for the operation.
    fn told(&self, error: io::Error) -> Error;

    /// The error of who would not wait any longer.
    fn late(&self) -> io::Error {
        ErrorKind::TimedOut.into()
    }
}

/// What a step waits for.
pub(super) struct Awaited<'a> {
    pub(super) fd: BorrowedFd<'a>,
    pub(super) interest: Interest,
    /// Where futures that wait for the same are known.
    pub(super) watch: &'a Watch,
}

/// An operation, and whether it waits.
pub(super) struct Waiting<O: Operation> {
    operation: O,
    /// By what a future that waits is known to the thread that wakes it.
    seat: Option<u64>,
    /// The last step has to wait, and has not yet: trying it once more would be in vain.
    is_blocked: bool,
}

impl<O: Operation> Waiting<O> {
    pub(super) fn new(operation: O) -> Self {
        Self { operation, seat: None, is_blocked: false }
    }

    /// Waits until `until`, which is an error if it comes first, as is a signal that this thread
    /// [wants to hear of](anyplace_sync::ending_at_signals).
    pub(super) fn by(mut self, until: Option<Instant>) -> Result<O::Given> {
        let given = self.attempt(until).map_err(|error| self.operation.told(error))?;
        given.ok_or_else(|| self.operation.told(self.operation.late()))
    }

    pub(super) fn operation(&self) -> &O {
        &self.operation
    }

    fn attempt(&mut self, until: Option<Instant>) -> io::Result<Option<O::Given>> {
        let is_over = || until.is_some_and(|until| until <= Instant::now());
        if std::mem::take(&mut self.is_blocked) && !self.is_ready(until)? {
            return Ok(None);
        }
        loop {
            match self.operation.step() {
                Ok(None) if is_over() => return Ok(None),
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.is_blocked = is_over();
                    if self.is_blocked || !self.is_ready(until)? {
                        return Ok(None);
                    }
                }
                taken => return taken,
            }
        }
    }

    fn is_ready(&self, until: Option<Instant>) -> io::Result<bool> {
        let awaited = self.operation.awaits();
        ready(awaited.fd, awaited.interest, until)
    }

    /// Is woken once it may go on; false if it may do so now.
    fn sit(&mut self, context: &Context<'_>) -> Result<bool> {
        let awaited = self.operation.awaits();
        self.seat = awaited.watch.enter(awaited.fd, awaited.interest, context.waker())?;
        Ok(self.seat.is_some())
    }

    fn leave(&mut self) {
        if let Some(seat) = self.seat.take() {
            self.operation.awaits().watch.leave(seat);
        }
    }
}

impl<O: Operation> Wait for Waiting<O> {
    type Given = O::Given;

    fn until(&mut self, until: Option<Instant>) -> Result<Option<O::Given>> {
        self.attempt(until).map_err(|error| self.operation.told(error))
    }

    /// Goes on as long as it gets on: who waits for the descriptor afterwards, in a loop of their own, has to know that
    /// nothing is left which has come already.
    fn look(&mut self) -> Result<Option<O::Given>> {
        loop {
            match self.operation.step() {
                Ok(None) => {}
                Ok(given) => return Ok(given),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.is_blocked = true;
                    return Ok(None);
                }
                Err(error) => return Err(self.operation.told(error)),
            }
        }
    }

    /// Sockets are no shared objects: nobody asks why one waits for them.
    fn on_line(&mut self, _: impl Into<String>) {}
}

/// Nothing in it is ever pinned.
impl<O: Operation> Unpin for Waiting<O> {}

impl<O: Operation> Future for Waiting<O> {
    type Output = Result<O::Given>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<O::Given>> {
        let waiting = self.get_mut();
        waiting.leave();
        for _ in 0..STEPS {
            match awaited(|| waiting.operation.step()) {
                Ok(None) => {}
                Ok(Some(given)) => return Poll::Ready(Ok(given)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if waiting.sit(context)? {
                        return Poll::Pending;
                    }
                }
                Err(error) => return Poll::Ready(Err(waiting.operation.told(error))),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<O: Operation> Drop for Waiting<O> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl<O: Operation> fmt::Debug for Waiting<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("is_awaited", &self.seat.is_some()).finish_non_exhaustive()
    }
}
