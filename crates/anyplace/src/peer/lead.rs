//! Who waits for something that a peer will say reads it by himself, instead of being woken by the reactor: see README.md.

use super::{Inner, Peer, lost};
use crate::net::Interest;
use crate::net::reactor::Registration;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// The reactor waits for what comes.
const REACTOR: u8 = 0;
/// A thread that waits for something reads.
const LED: u8 = 1;
/// Nobody reads until the reactor has looked once or twice: whoever has led may go on soon. Who waits longer than that between
/// two calls pays for it by two system calls.
const RESTING: u8 = 2;

/// Who reads.
#[derive(Debug, Default)]
pub(super) struct Lead {
    state: AtomicU8,
    /// How often somebody has led.
    turns: AtomicU64,
    /// How often somebody had when the reactor looked last.
    seen: AtomicU64,
    /// The reactor looks whether it rests for too long.
    is_minded: AtomicBool,
}

impl Lead {
    /// Whether the reactor is to read.
    pub(super) fn is_reactors(&self) -> bool {
        self.state.load(Ordering::SeqCst) == REACTOR
    }

    /// The reactor takes the reading back if nobody reads: true if it is the reactor's now.
    pub(super) fn take_back(&self) -> bool {
        let taken = self.state.compare_exchange(RESTING, REACTOR, Ordering::SeqCst, Ordering::SeqCst);
        taken.is_ok() || taken == Err(REACTOR)
    }

    /// Begins to lead: what was before, or nothing if another thread leads.
    fn begin(&self) -> Option<u8> {
        let led = |state| (state != LED).then_some(LED);
        self.state.fetch_update(Ordering::SeqCst, Ordering::SeqCst, led).ok()
    }
}

/// Ends the leading.
struct Rest<'a>(&'a Arc<Inner>);

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        let lead = &self.0.lead;
        lead.turns.fetch_add(1, Ordering::SeqCst);
        lead.state.store(RESTING, Ordering::SeqCst);
        if !self.0.asked.is_empty() {
            // Others wait, and found that somebody leads: who asks first is seen here, and who looks later leads.
            return self.0.give_back();
        }
        if !lead.is_minded.swap(true, Ordering::SeqCst) {
            self.0.have_minded();
        }
    }
}

impl Peer {
    /// Hears what comes on this thread, until `is_done`, or the conversation is over, or `until` came, or a signal that this
    /// thread waits for. False, at once, if another thread does so already.
    pub(crate) fn lead(&self, until: Option<Instant>, is_done: impl Fn() -> bool) -> bool {
        let inner = &self.0;
        let Some(before) = inner.lead.begin() else { return false };
        let led = {
            let _rest = Rest(inner);
            if before == REACTOR {
                inner.wait_on();
                // The reactor may be reading what is waited for.
                drop(inner.inbox.lock().unwrap_or_else(PoisonError::into_inner));
            }
            inner.lead(until, is_done)
        };
        if let Err(error) = led {
            inner.finish(&lost(&inner.stream, &error));
        }
        true
    }

    /// Gives the reading back to the reactor, if this thread has led and will not go on soon.
    pub(crate) fn stop_leading(&self) {
        if self.0.lead.state.load(Ordering::SeqCst) == RESTING {
            self.0.give_back();
        }
    }
}

impl Inner {
    /// Gives the reading back to the reactor, if nobody reads.
    fn give_back(&self) {
        if self.lead.take_back() {
            self.wait_on();
        }
    }

    /// Has the reactor look whether it rests for too long.
    fn have_minded(&self) {
        self.lead.seen.store(self.lead.turns.load(Ordering::SeqCst), Ordering::SeqCst);
        let registration = self.registration.lock().unwrap_or_else(PoisonError::into_inner);
        // Without one, the conversation is over.
        registration.iter().for_each(Registration::look_soon);
    }

    /// Gives the reading back if nobody has led since somebody looked last; true if it is to be looked at again.
    pub(super) fn mind(&self) -> bool {
        let lead = &self.lead;
        let turns = lead.turns.load(Ordering::SeqCst);
        if lead.seen.swap(turns, Ordering::SeqCst) != turns {
            return true;
        }
        // Whoever rests from here on has it minded anew.
        lead.is_minded.store(false, Ordering::SeqCst);
        if lead.take_back() {
            self.wait_on();
            return false;
        }
        // Somebody leads.
        !lead.is_minded.swap(true, Ordering::SeqCst)
    }

    /// Waits until there is something to read; false if `until` came first, or a signal.
    fn has_come(&self, until: Option<Instant>) -> io::Result<bool> {
        let is_here = || !matches!(self.stream.ready(Interest::Read, Some(self.began)), Ok(false));
        if anyplace_sync::spin_first(until, is_here) {
            return Ok(true);
        }
        self.stream.ready(Interest::Read, until)
    }

    fn lead(self: &Arc<Self>, until: Option<Instant>, is_done: impl Fn() -> bool) -> io::Result<()> {
        // Who may not be heard now is heard by the reactor, which writes what comes first.
        while !is_done() && self.end.get().is_none() && !self.is_mute() {
            if !self.has_come(until)? {
                break;
            }
            self.pump(true)?;
        }
        Ok(())
    }
}
