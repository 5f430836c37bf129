//! Who waits for something that a peer will say reads it by himself, instead of being woken by the reactor: see README.md.

use super::{Inner, Peer, lost};
use anyplace_sync::fork_generation;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// The reactor waits for what comes.
const REACTOR: u8 = 0;
/// A thread that waits for something reads.
const LED: u8 = 1;
/// Nobody reads for a moment: whoever has led may go on soon.
const RESTING: u8 = 2;

/// So long, and at most twice that, nobody reads after a leader. Who waits between two calls longer than this pays for it by two
/// system calls.
const MOMENT: Duration = Duration::from_millis(1);

/// Who reads.
#[derive(Debug, Default)]
pub(super) struct Lead {
    state: AtomicU8,
    /// How often somebody has led.
    turns: AtomicU64,
    /// The minder looks after it.
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
            mind(self.0);
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

    fn lead(self: &Arc<Self>, until: Option<Instant>, is_done: impl Fn() -> bool) -> io::Result<()> {
        // Who may not be heard now is heard by the reactor, which writes what comes first.
        while !is_done() && self.end.get().is_none() && !self.is_mute() {
            if !self.stream.ready(crate::net::Interest::Read, until)? {
                break;
            }
            self.pump(true)?;
        }
        Ok(())
    }
}

/// Those that may rest for too long.
struct Minded {
    generation: u32,
    resting: Vec<(Weak<Inner>, u64)>,
    runs: bool,
}

static MINDED: Mutex<Minded> = Mutex::new(Minded { generation: 0, resting: Vec::new(), runs: false });
static BELL: Condvar = Condvar::new();

/// A thread that has nothing to mind ends after this.
const IDLE: Duration = Duration::from_secs(5);

/// Has somebody look whether it rests for too long.
fn mind(inner: &Arc<Inner>) {
    let mut minded = MINDED.lock().unwrap_or_else(PoisonError::into_inner);
    if minded.generation != fork_generation() {
        // The thread was the parent's, and so is all that it minded.
        *minded = Minded { generation: fork_generation(), resting: Vec::new(), runs: false };
    }
    minded.resting.push((Arc::downgrade(inner), inner.lead.turns.load(Ordering::SeqCst)));
    if minded.runs {
        if minded.resting.len() == 1 {
            BELL.notify_one();
        }
        return;
    }
    let minder = thread::Builder::new().name("anyplace-minder".to_owned()).spawn(run);
    minded.runs = minder.is_ok();
    if minder.is_err() {
        let resting = std::mem::take(&mut minded.resting);
        drop(minded);
        resting.into_iter().for_each(|(inner, _)| drop(look(&inner, None)));
    }
}

fn run() {
    let mut minded = MINDED.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if minded.resting.is_empty() {
            let (after, waited) = BELL.wait_timeout(minded, IDLE).unwrap_or_else(PoisonError::into_inner);
            minded = after;
            if waited.timed_out() && minded.resting.is_empty() {
                minded.runs = false;
                return;
            }
            continue;
        }
        // It is rung for the first only, so this is the time.
        minded = BELL.wait_timeout(minded, MOMENT).unwrap_or_else(PoisonError::into_inner).0;
        let resting = std::mem::take(&mut minded.resting);
        drop(minded);
        let mut still = resting.into_iter().filter_map(|(inner, turns)| look(&inner, Some(turns))).collect();
        minded = MINDED.lock().unwrap_or_else(PoisonError::into_inner);
        minded.resting.append(&mut still);
    }
}

/// Gives the reading back if nobody has led since `turns`; else it is to be looked at again.
fn look(resting: &Weak<Inner>, turns: Option<u64>) -> Option<(Weak<Inner>, u64)> {
    let inner = resting.upgrade()?;
    let lead = &inner.lead;
    let now = lead.turns.load(Ordering::SeqCst);
    if turns.is_some_and(|turns| turns != now) {
        return Some((resting.clone(), now));
    }
    // Whoever rests from here on has it minded anew.
    lead.is_minded.store(false, Ordering::SeqCst);
    if lead.take_back() {
        inner.wait_on();
        return None;
    }
    // Somebody leads.
    (!lead.is_minded.swap(true, Ordering::SeqCst)).then(|| (resting.clone(), now))
}
