//! Waiting by the threads that run the futures: those of the engine's own runtimes look at descriptors whenever they have
//! nothing to run, so a future there is woken by the very thread that goes on with it.
//!
//! Runtimes of others are left alone: whether they look at descriptors, only their owner knows. There the
//! [reactor](super::reactor) wakes.

use super::readiness::Interest;
use std::cell::Cell;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::io::Interest as TokioInterest;
use tokio::io::unix::AsyncFd;

thread_local! {
    static IS_DRIVEN: Cell<bool> = const { Cell::new(false) };
}

/// Says that this thread is one of a runtime that looks at descriptors.
pub(crate) fn driven() {
    IS_DRIVEN.set(true);
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
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let looked_at = match known.take() {
            Some(looked_at) => looked_at,
            None => look_at(fd).ok()?,
        };
        // A runtime that is gone looks at nothing: the next one does, from the next time on.
        let is_ready = was_ready(&looked_at, interest, waker).ok()?;
        *known = Some(looked_at);
        Some(is_ready)
    }

    /// The descriptor is to be closed: ours goes, too.
    pub(super) fn forget(&self) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(known);
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
