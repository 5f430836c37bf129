//! What moves in a stream, for who watches others use it.

use super::Interest;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU32, Ordering};

/// Whoever uses the stream waits for the other end.
const STALLED: u32 = 1;
/// What moved last was written.
const WROTE: u32 = 2;
/// How often something moved.
const MOVED: u32 = 4;

/// What moves in a stream. Looking at it twice tells whether anything did in between, without a clock on the way of
/// the bytes. Two threads that move something at once may count as one: it is for limits of seconds.
#[derive(Debug, Default)]
pub(crate) struct Pulse(AtomicU32);

/// The pulse at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Beat(u32);

impl Pulse {
    /// Notes how a step in this direction ended.
    #[inline]
    pub(super) fn felt<R>(&self, interest: Interest, step: io::Result<R>) -> io::Result<R> {
        let was = self.0.load(Ordering::Relaxed);
        let is = match &step {
            Ok(_) => {
                let wrote = if interest == Interest::Write { WROTE } else { 0 };
                (was & !(STALLED | WROTE)).wrapping_add(MOVED) | wrote
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => was | STALLED,
            Err(_) => was,
        };
        self.0.store(is, Ordering::Relaxed);
        step
    }

    pub(crate) fn beat(&self) -> Beat {
        Beat(self.0.load(Ordering::Relaxed))
    }
}

impl Beat {
    /// Whoever uses the stream waits for the other end.
    pub(crate) fn is_stalled(self) -> bool {
        self.0 & STALLED != 0
    }

    /// It waits for more after it has answered, or has heard nothing at all: the other end has nothing under way.
    pub(crate) fn is_between(self) -> bool {
        self.is_stalled() && (self.0 & WROTE != 0 || self.0 < MOVED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked() -> io::Result<()> {
        Err(ErrorKind::WouldBlock.into())
    }

    #[test]
    fn who_answered_and_waits_is_between_two_requests() {
        let pulse = Pulse::default();
        drop(pulse.felt(Interest::Read, blocked()));
        assert!(pulse.beat().is_between(), "nothing was heard yet");
        drop(pulse.felt(Interest::Read, Ok(())));
        drop(pulse.felt(Interest::Read, blocked()));
        assert!(pulse.beat().is_stalled() && !pulse.beat().is_between(), "half a request was heard");
        drop(pulse.felt(Interest::Write, Ok(())));
        assert!(!pulse.beat().is_stalled());
        drop(pulse.felt(Interest::Read, blocked()));
        assert!(pulse.beat().is_between());
    }

    #[test]
    fn a_stall_that_lasts_has_one_beat_and_two_stalls_have_two() {
        let pulse = Pulse::default();
        drop(pulse.felt(Interest::Read, blocked()));
        let first = pulse.beat();
        drop(pulse.felt(Interest::Read, blocked()));
        assert_eq!(pulse.beat(), first);
        drop(pulse.felt(Interest::Read, Ok(())));
        drop(pulse.felt(Interest::Read, blocked()));
        assert_ne!(pulse.beat(), first);
    }
}
