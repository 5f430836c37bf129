//! Who waits for something that a peer will say reads it by himself, instead of being woken by the reactor: see README.md.

use super::{Inner, Peer, lost};
use crate::net::Interest;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// Gives the reading back to the reactor.
struct Back<'a>(&'a Arc<Inner>);

impl Drop for Back<'_> {
    fn drop(&mut self) {
        self.0.led.store(false, Ordering::SeqCst);
        self.0.wait_on();
    }
}

impl Peer {
    /// Hears what comes on this thread, until `is_done`, or the conversation is over, or `until` came, or a signal that this
    /// thread waits for. False, at once, if another thread does so already.
    pub(crate) fn lead(&self, until: Option<Instant>, is_done: impl Fn() -> bool) -> bool {
        let inner = &self.0;
        if inner.led.swap(true, Ordering::SeqCst) {
            return false;
        }
        let led = {
            let _back = Back(inner);
            inner.wait_on();
            // The reactor may be reading what is waited for.
            drop(inner.inbox.lock().unwrap_or_else(PoisonError::into_inner));
            inner.lead(until, is_done)
        };
        if let Err(error) = led {
            inner.finish(&lost(&inner.stream, &error));
        }
        true
    }
}

impl Inner {
    fn lead(self: &Arc<Self>, until: Option<Instant>, is_done: impl Fn() -> bool) -> io::Result<()> {
        while !is_done() && self.end.get().is_none() {
            if !self.stream.ready(Interest::Read, until)? {
                break;
            }
            self.pump(true)?;
        }
        Ok(())
    }
}
