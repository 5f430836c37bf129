//! What a task's handle, driver and layers share: its phase, its outcome, who waits for it, how to end it.
//!
//! The phases, and who moves them (each move is one compare-and-swap, so each happens once):
//!
//! ```text
//!            start (driver)            settle (Done)
//!  WAITING ------------------> RUNNING ---------------> SETTLED
//!     |  ^---------------------'                          ^
//!     |     wait_again (retry)                            |
//!     '---------------------------------------------------'
//!            cancel (handle, place): settled as Cancelled by the canceller
//! ```
//!
//! `settled` is a latch that is set after the outcome is written; waiting is spinning a little, then sleeping on it.
//! The outcome is taken out once: by `wait`, by the future, or by the callback.

use crate::context::{caught, within_engine};
use crate::outcome::Outcome;
use crate::place::Scope;
use anyplace_sync::Latch;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

const WAITING: u8 = 0;
const RUNNING: u8 = 1;
const SETTLED: u8 = 2;

/// Why a running task is ended: by its handle, by a time limit, or with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Somebody asked for it: the outcome is `Cancelled`.
    Cancelled,
    /// Its time was over: the outcome is `Failed` with `Kind::Timeout`.
    Timeout,
}

/// An attempt that begins, as layers see it.
#[derive(Clone, Copy, Debug)]
pub struct Started {
    /// The task's number in its place.
    pub task: u64,
    /// Its first item's position in the map.
    pub index: u64,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// Which of the place's workers.
    pub worker: usize,
}

type OnSettled = Box<dyn FnOnce() + Send>;
type OnKill = Box<dyn Fn(Ending) + Send + Sync>;
type OnStart = Box<dyn Fn(&Started) + Send + Sync>;
type OnWait = Box<dyn FnOnce() + Send>;

pub(crate) struct Shared {
    phase: AtomicU8,
    /// The mutex below holds hooks: looked at only when set, so that plain tasks never lock it to start.
    hooked: AtomicBool,
    settled: Latch,
    /// Nanoseconds since `EPOCH`: when the last attempt began, and how long it took once it ended; 0 until then.
    began: AtomicU64,
    took: AtomicU64,
    pub(crate) scope: Arc<Scope>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    outcome: Option<Outcome>,
    published: bool,
    waker: Option<Waker>,
    on_settled: Option<OnSettled>,
    on_kill: Option<Arc<OnKill>>,
    killed: Option<Ending>,
    on_start: Vec<Arc<OnStart>>,
    on_wait: Option<OnWait>,
}

impl Shared {
    pub(crate) fn new(scope: Arc<Scope>) -> Self {
        scope.enter();
        Self {
            phase: AtomicU8::new(WAITING),
            hooked: AtomicBool::new(false),
            settled: Latch::new(),
            began: AtomicU64::new(0),
            took: AtomicU64::new(0),
            scope,
            state: Mutex::new(State::default()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of others runs under this lock, so a poisoned one is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self, from: u8, to: u8) -> bool {
        self.phase.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    pub(crate) fn start(&self, started: Started) -> bool {
        if self.scope.is_cancelled() || !self.step(WAITING, RUNNING) {
            return false;
        }
        if self.hooked.load(Ordering::Acquire) {
            self.began.store(now(), Ordering::Relaxed);
            let observers = self.state().on_start.clone();
            observers.iter().for_each(|observe| caught(|| observe(&started)));
        }
        true
    }

    pub(crate) fn is_running(&self) -> bool {
        self.phase.load(Ordering::Acquire) == RUNNING
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.settled.is_set()
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.phase.load(Ordering::Acquire) == SETTLED || self.scope.is_cancelled()
    }

    pub(crate) fn cancel(&self) -> bool {
        let cancelled = self.step(WAITING, SETTLED);
        if cancelled {
            self.publish(Outcome::cancelled());
        }
        cancelled
    }

    pub(crate) fn wait_again(&self) -> bool {
        let mut state = self.state();
        if self.scope.is_cancelled() || state.killed == Some(Ending::Cancelled) {
            return false;
        }
        state.killed = None;
        // An attempt that was refused before it began left the phase as it was.
        self.step(RUNNING, WAITING) || self.phase.load(Ordering::Acquire) == WAITING
    }

    /// Writes the outcome of the task, unless it was cancelled before: then it is dropped.
    pub(crate) fn settle(&self, outcome: Outcome) {
        if self.step(RUNNING, SETTLED) || self.step(WAITING, SETTLED) {
            self.publish(outcome);
        }
    }

    /// Asks for the time the last attempt takes. Call it before the task is submitted.
    pub(crate) fn measure(&self) {
        self.hooked.store(true, Ordering::Release);
    }

    /// How long the last attempt took, if that was measured.
    pub(crate) fn took(&self) -> Option<Duration> {
        let took = self.took.load(Ordering::Relaxed);
        (took > 0).then(|| Duration::from_nanos(took))
    }

    fn publish(&self, outcome: Outcome) {
        let began = self.began.load(Ordering::Relaxed);
        if began > 0 {
            self.took.store(now().saturating_sub(began).max(1), Ordering::Relaxed);
        }
        let mut state = self.state();
        state.outcome = Some(outcome.within(&self.scope.place));
        state.published = true;
        let hooks = (state.on_kill.take(), state.on_wait.take());
        let (waker, then) = (state.waker.take(), state.on_settled.take());
        // Waiters are woken only when they can have the lock.
        drop(state);
        self.settled.set();
        self.scope.leave();
        within_engine(|| {
            drop(hooks);
            waker.into_iter().for_each(|waker| caught(|| waker.wake()));
            then.into_iter().for_each(caught);
        });
    }

    pub(crate) fn kill(&self, ending: Ending) -> bool {
        if self.cancel() {
            return true;
        }
        let hook = {
            let mut state = self.state();
            if state.published {
                return false;
            }
            // What somebody asked for stands, though the time is over meanwhile.
            if state.killed != Some(Ending::Cancelled) {
                state.killed = Some(ending);
            }
            state.on_kill.clone()
        };
        hook.as_ref().inspect(|end| end(ending)).is_some()
    }

    /// Whether somebody, not the clock, has asked for the end of what runs.
    pub(crate) fn is_asked_to_end(&self) -> bool {
        self.state().killed == Some(Ending::Cancelled)
    }

    pub(crate) fn on_kill(&self, end: OnKill) {
        let end = Arc::new(end);
        let asked = {
            let mut state = self.state();
            if state.published {
                return;
            }
            state.on_kill = Some(end.clone());
            state.killed
        };
        if let Some(ending) = asked {
            end(ending);
        }
    }

    pub(crate) fn clear_kill(&self) {
        let cleared = self.state().on_kill.take();
        drop(cleared);
    }

    pub(crate) fn on_start(&self, observer: OnStart) {
        self.state().on_start.push(Arc::new(observer));
        self.hooked.store(true, Ordering::Release);
    }

    /// For pools: a worker that waits for this task runs it itself if nobody has begun it (see `drivers/threads`).
    pub(crate) fn on_wait(&self, run: OnWait) {
        self.state().on_wait = Some(run);
        self.hooked.store(true, Ordering::Release);
    }

    /// Waits until the outcome is there: `true`, or `false` if `deadline` came first.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> bool {
        if self.settled.is_set() {
            return true;
        }
        if anyplace_sync::current_worker().is_some() {
            self.run_if_waiting();
        }
        self.settled.wait_spinning_first(deadline)
    }

    /// Runs the task on this thread if it waits in a pool that lets it.
    pub(crate) fn run_if_waiting(&self) {
        if self.hooked.load(Ordering::Acquire) {
            let run = self.state().on_wait.take();
            if let Some(run) = run {
                run();
            }
        }
    }

    /// The outcome, once.
    pub(crate) fn take(&self) -> Option<Outcome> {
        self.state().outcome.take()
    }

    /// Calls `then` when the outcome is there: now, if it already is.
    pub(crate) fn on_settled(&self, then: OnSettled) {
        let mut state = self.state();
        if state.published {
            drop(state);
            return then();
        }
        let replaced = state.on_settled.replace(then);
        drop(state);
        // Behind the lock: what it holds may want the lock when it goes.
        drop(replaced);
    }

    /// For `Future::poll`: the outcome, or `waker` is woken when it is there.
    pub(crate) fn poll(&self, waker: &Waker) -> bool {
        // Cloned before the lock and dropped behind it, since both run code of others.
        let waker = waker.clone();
        let mut state = self.state();
        if state.published {
            return true;
        }
        let replaced = state.waker.replace(waker);
        drop(state);
        drop(replaced);
        false
    }
}

static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

fn now() -> u64 {
    u64::try_from(EPOCH.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.phase.load(Ordering::Acquire) != SETTLED {
            self.scope.leave();
        }
    }
}
