//! Wakes the keeper, whatever it waits for: from this process, or from a worker, which has the same descriptor.

use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, PoisonError, RwLock};

/// Wakes the keeper. It then looks for itself what there is to do, so ringing once too often does no harm.
#[derive(Clone, Debug)]
pub(super) struct Bell(Arc<RwLock<Option<Arc<OwnedFd>>>>);

impl Bell {
    pub(super) fn new() -> io::Result<Self> {
        let descriptor = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self(Arc::new(RwLock::new(Some(Arc::new(descriptor))))))
    }

    /// What to wait on, and what workers ring by; nothing when it is taken down.
    pub(super) fn descriptor(&self) -> Option<Arc<OwnedFd>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn ring(&self) {
        if let Some(descriptor) = self.descriptor() {
            // It can only fail when the counter is full, and a full counter wakes too.
            let _ = rustix::io::write(descriptor, &1u64.to_ne_bytes());
        }
    }

    pub(super) fn hush(&self) {
        if let Some(descriptor) = self.descriptor() {
            let mut count = [0; 8];
            // Nothing to read means that nobody rang.
            let _ = rustix::io::read(descriptor, &mut count);
        }
    }

    /// Nobody listens any more: a closed place that somebody still holds holds no descriptors.
    pub(super) fn take_down(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
