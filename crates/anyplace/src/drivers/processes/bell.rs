//! Wakes a slot's thread, whatever it waits for.

use crate::task::Ending;
use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Wakes a slot's thread. It then looks for itself what there is to do, so ringing once too often does no harm.
#[derive(Clone, Debug)]
pub(super) struct Bell(Arc<OwnedFd>);

impl Bell {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)))
    }

    pub(super) fn ring(&self) {
        // It can only fail when the counter is full, and a full counter wakes too.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }

    pub(super) fn hush(&self) {
        let mut count = [0; 8];
        // Nothing to read means that nobody rang.
        let _ = rustix::io::read(&self.0, &mut count);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Whether somebody wants the running task to end. Each task has its own, so that a wish that comes too late for
/// one is not heard by the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish(Arc<AtomicU8>);

impl Wish {
    pub(super) fn make(&self, ending: Ending) {
        let number = match ending {
            Ending::Cancelled => 1,
            Ending::Timeout => 2,
        };
        self.0.store(number, Ordering::Release);
    }

    pub(super) fn made(&self) -> Option<Ending> {
        match self.0.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Ending::Cancelled),
            _ => Some(Ending::Timeout),
        }
    }
}
