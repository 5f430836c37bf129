//! Waiting by the threads that run the futures: those of the engine's own runtimes look at descriptors whenever they have
//! nothing to run, so a future there is woken by the very thread that goes on with it.
//!
//! Runtimes of others are left alone: whether they look at descriptors, only their owner knows. There the
//! [reactor](super::reactor) wakes.

use super::readiness::Interest;
use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::io::Interest as TokioInterest;
use tokio::io::unix::AsyncFd;

thread_local! {
    static IS_DRIVEN: Cell<bool> = const { Cell::new(false) };
    static IS_AWAITED: Cell<bool> = const { Cell::new(false) };
}

/// Says that this thread is one of a runtime that looks at descriptors.
pub(crate) fn driven() {
    IS_DRIVEN.set(true);
}

/// Takes a step of a future, which is polled by this thread.
pub(super) fn awaited<T>(step: impl FnOnce() -> T) -> T {
    let _before = Restore(IS_AWAITED.replace(IS_DRIVEN.get()));
    step()
}

/// Whether the step that is taken now is one of a future, and a runtime looks at the descriptor if the step would block.
/// While somebody blocks in a runtime's thread, nobody may.
pub(super) fn is_awaited() -> bool {
    IS_AWAITED.get()
}

struct Restore(bool);

impl Drop for Restore {
    fn drop(&mut self) {
        IS_AWAITED.set(self.0);
    }
}

/// A descriptor that a runtime looks at, from the first time on that somebody awaits it there.
#[derive(Debug, Default)]
pub(super) struct Driven(Mutex<Option<AsyncFd<OwnedFd>>>);

impl Driven {
    /// Wakes whoever is behind `waker` once, when the descriptor is ready or broken; true if it may be ready now, and nobody
    /// will be woken. Nothing if no runtime looks at it.
    pub(super) fn enter(&self, fd: BorrowedFd<'_>, interest: Interest, waker: &Waker) -> Option<bool> {
        if !IS_DRIVEN.get() {
            return None;
        }
        let mut known = self.known();
        let looked_at = match known.take() {
            Some(looked_at) => looked_at,
            None => look_at(fd).ok()?,
        };
        // A runtime that is gone looks at nothing: the next one does, from the next time on.
        let is_ready = was_ready(&looked_at, interest, waker).ok()?;
        *known = Some(looked_at);
        Some(is_ready)
    }

    /// Takes a step that reads. If it says that it has taken all there was, what the runtime has seen before it is over, and
    /// what it sees meanwhile is not.
    pub(super) fn read(&self, step: impl FnOnce() -> bool) {
        let mut step = Some(step);
        let mut has_taken_all = || step.take().is_some_and(|step| step());
        if let Some(looked_at) = &*self.known() {
            let read = |_: &OwnedFd| match has_taken_all() {
                true => Err(ErrorKind::WouldBlock.into()),
                false => Ok(()),
            };
            drop(looked_at.try_io(TokioInterest::READABLE, read));
        }
        // It has not read yet if it had seen nothing.
        has_taken_all();
    }

    /// The descriptor is to be closed: ours goes, too.
    pub(super) fn forget(&self) {
        let known = self.known().take();
        drop(known);
    }

    fn known(&self) -> MutexGuard<'_, Option<AsyncFd<OwnedFd>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn look_at(fd: BorrowedFd<'_>) -> io::Result<AsyncFd<OwnedFd>> {
    // A descriptor of its own: it outlives whoever closes theirs.
    let fd = fd.try_clone_to_owned()?;
    #[allow(
        deprecated,
        reason = "its successor is `unsafe` for those who do not own their descriptor; we do"
    )]
    AsyncFd::with_interest(fd, TokioInterest::READABLE | TokioInterest::WRITABLE)
}

/// Whether it was ready since it was asked last. If not, the waker stands.
fn was_ready(looked_at: &AsyncFd<OwnedFd>, interest: Interest, waker: &Waker) -> io::Result<bool> {
    let mut context = Context::from_waker(waker);
    let ready = match interest {
        Interest::Read => looked_at.poll_read_ready(&mut context),
        Interest::Write => looked_at.poll_write_ready(&mut context),
    };
    match ready {
        Poll::Pending => Ok(false),
        Poll::Ready(guard) => {
            // What it was ready for may be taken already. The step that is tried now finds out.
            guard?.clear_ready();
            Ok(true)
        }
    }
}
