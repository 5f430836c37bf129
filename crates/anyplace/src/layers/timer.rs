//! What layers wait with: one thread for all waits of a layer, started by the first, asleep while nothing is due.
//!
//! The thread sleeps until the earliest time it knew of when it fell asleep (`wakes`). Setting an alarm wakes it only
//! if it would otherwise wake too late; taking one back never wakes it. So a million quick tasks under a timeout cost
//! a million entries in a map, but no wake-up.

use crate::context::within_engine;
use crate::error::{Error, Kind, Result, Retry};
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Calls closures later, on a thread of its own.
#[derive(Default)]
pub(super) struct Timer {
    shared: Arc<Shared>,
}

/// A call that is due at some time, to take it back with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Alarm {
    due: Instant,
    number: u64,
}

type Ring = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    alarms: BTreeMap<Alarm, Ring>,
    set: u64,
    /// When the thread wakes by itself; `None` when it sleeps without an end.
    wakes: Option<Instant>,
    thread: Option<JoinHandle<()>>,
    /// How often the timer was stopped: a thread of an earlier life ends.
    stops: u64,
}

impl Timer {
    /// Starts the thread, so that [`after`](Self::after) can count on it.
    pub(super) fn start(&self) -> Result<()> {
        self.shared.start(&mut self.shared.lock())
    }

    /// Calls `ring` after `delay`. It must be short: the alarms behind it wait for it.
    ///
    /// Where the system has no thread left, it rings once a later alarm gets one: layers ask [`start`](Self::start)
    /// first where that would be wrong.
    pub(super) fn after(&self, delay: Duration, ring: impl FnOnce() + Send + 'static) -> Alarm {
        let now = Instant::now();
        let due = now.checked_add(delay).unwrap_or(now + Duration::from_secs(1 << 32));
        let mut state = self.shared.lock();
        state.set += 1;
        let alarm = Alarm { due, number: state.set };
        state.alarms.insert(alarm, Box::new(ring));
        // Whoever needs to know of the failure has asked `start`.
        drop(self.shared.start(&mut state));
        if state.wakes.is_none_or(|wakes| due < wakes) {
            self.shared.changed.notify_all();
        }
        alarm
    }

    /// Takes an alarm back: `true` if it now never rings.
    pub(super) fn take_back(&self, alarm: Alarm) -> bool {
        let ring = self.shared.lock().alarms.remove(&alarm);
        ring.is_some()
    }

    /// Rings every alarm now, in the caller, the earliest first.
    pub(super) fn ring_all(&self) {
        let alarms = std::mem::take(&mut self.shared.lock().alarms);
        alarms.into_values().for_each(|ring| ring());
    }

    /// Ends the thread; the alarms that are left are dropped. The next alarm starts it again.
    pub(super) fn stop(&self) {
        let mut state = self.shared.lock();
        let Some(thread) = state.thread.take() else { return };
        state.stops += 1;
        let left = std::mem::take(&mut state.alarms);
        drop(state);
        self.shared.changed.notify_all();
        drop(left);
        // An alarm may hold the last of its layer: then the thread drops its own timer, and ends when it returns.
        if thread.thread().id() != thread::current().id() {
            // It catches the panics of what it rings, so there is nothing to hear.
            drop(thread.join());
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(self: &Arc<Self>, state: &mut State) -> Result<()> {
        if state.thread.is_some() {
            return Ok(());
        }
        let (shared, life) = (self.clone(), state.stops);
        let name = "anyplace-timer".to_owned();
        let thread = thread::Builder::new().name(name).spawn(move || shared.run(life)).map_err(|error| {
            Error::new(Kind::ResourceExhausted, format!("no thread for a layer's timer: {error}"))
                .with_retry(Retry::Safe)
                .with_help("close places that are not used, or raise the limit (`ulimit -u`)")
        })?;
        state.thread = Some(thread);
        state.wakes = None;
        Ok(())
    }

    fn run(&self, life: u64) {
        let mut state = self.lock();
        while state.stops == life {
            let now = Instant::now();
            let next = state.alarms.first_key_value().map(|(alarm, _)| alarm.due);
            if next.is_some_and(|due| due <= now) {
                let ring = state.alarms.pop_first();
                state.wakes = Some(now);
                drop(state);
                if let Some((_, ring)) = ring {
                    // What a caller's callback panics with is its own; other alarms must still ring.
                    drop(catch_unwind(AssertUnwindSafe(|| within_engine(ring))));
                }
                state = self.lock();
                continue;
            }
            state.wakes = next;
            state = match next {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(due) => {
                    let left = due - now;
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timer({} alarms)", self.shared.lock().alarms.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const SOON: Duration = Duration::from_millis(5);
    const NEVER: Duration = Duration::from_secs(3600);

    #[test]
    fn alarms_ring_in_the_order_they_are_due_and_never_early() {
        let (timer, (told, heard)) = (Timer::default(), mpsc::channel());
        let began = Instant::now();
        for n in [3_u32, 1, 2] {
            let told = told.clone();
            timer.after(SOON * n, move || told.send((n, Instant::now())).unwrap());
        }
        for n in 1..=3 {
            let (which, at) = heard.recv().unwrap();
            assert_eq!(which, n);
            assert!(at - began >= SOON * n);
        }
    }

    #[test]
    fn an_alarm_that_was_taken_back_never_rings() {
        let (timer, (told, heard)) = (Timer::default(), mpsc::channel());
        let (first, second) = (told.clone(), told);
        let alarm = timer.after(SOON, move || first.send("taken back").unwrap());
        assert!(timer.take_back(alarm));
        timer.after(SOON, move || second.send("left").unwrap());
        assert_eq!(heard.recv().unwrap(), "left");
        assert!(!timer.take_back(alarm));
    }

    #[test]
    fn an_alarm_before_the_one_slept_for_rings_in_time() {
        let (timer, (told, heard)) = (Timer::default(), mpsc::channel());
        timer.after(NEVER, || unreachable!());
        timer.after(SOON, move || told.send(()).unwrap());
        assert!(heard.recv().is_ok());
    }

    #[test]
    fn all_ring_at_once_when_asked() {
        let (timer, (told, heard)) = (Timer::default(), mpsc::channel());
        for n in [2_u32, 1] {
            let told = told.clone();
            timer.after(NEVER * n, move || told.send(n).unwrap());
        }
        timer.ring_all();
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_stopped_timer_has_no_thread_and_starts_again() {
        let (timer, (told, heard)) = (Timer::default(), mpsc::channel());
        assert!(timer.shared.lock().thread.is_none());
        timer.after(NEVER, || unreachable!());
        timer.stop();
        assert!(timer.shared.lock().thread.is_none());
        assert_eq!(Arc::strong_count(&timer.shared), 1);
        timer.after(Duration::ZERO, move || told.send(()).unwrap());
        assert!(heard.recv().is_ok());
    }

    #[test]
    fn a_timer_may_be_dropped_by_its_own_alarm() {
        let (timer, (told, heard)) = (Arc::new(Timer::default()), mpsc::channel());
        let own = timer.clone();
        timer.after(SOON, move || {
            drop(own);
            told.send(()).unwrap();
        });
        let shared = Arc::downgrade(&timer.shared);
        drop(timer);
        assert!(heard.recv().is_ok());
        while shared.upgrade().is_some() {
            thread::yield_now();
        }
    }
}
