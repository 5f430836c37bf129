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
//! A task may also be AWAY: its driver has put it where a worker takes it by itself (`away.rs`). Whether it has begun is
//! asked of the driver then. It comes home, as if it had just begun, right before it is settled:
//!
//! ```text
//!            leave (driver)         come_home (driver)            settle
//!  WAITING ----------------> AWAY ----------------------> RUNNING -------> SETTLED
//!                              '--- take_back (handle): settled as Cancelled ----^
//! ```
//!
//! `settled` is a latch that is set after the outcome is written; waiting is spinning a little, then sleeping on it.
//! The outcome is taken out once: by `wait`, by the future, or by the callback.

use super::away::{Away, Whereabouts};
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
const AWAY: u8 = 3;

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
type Withdraw = Arc<dyn Fn() + Send + Sync>;
type OnLanded = Box<dyn FnOnce() + Send>;

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
    /// As `on_settled`, for the engine itself: short, and on whatever thread.
    on_landed: Option<OnLanded>,
    whereabouts: Option<Whereabouts>,
    on_kill: Option<Arc<OnKill>>,
    killed: Option<Ending>,
    on_start: Vec<Arc<OnStart>>,
    /// The last attempt whose start was told.
    observed: u32,
    on_wait: Option<OnWait>,
    withdraw: Option<Withdraw>,
}

impl State {
    /// What somebody asked for stands, though the time is over meanwhile.
    fn is_to_end(&mut self, ending: Ending) {
        if self.killed != Some(Ending::Cancelled) {
            self.killed = Some(ending);
        }
    }
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
            self.observe(started);
        }
        true
    }

    pub(crate) fn is_running(&self) -> bool {
        match self.phase.load(Ordering::Acquire) {
            AWAY => self.whereabouts().is_some_and(|(driver, key)| driver.has_begun(key)),
            phase => phase == RUNNING,
        }
    }

    /// Whether the outcome is there; it is brought home first if it only waits for that.
    pub(crate) fn is_settled(&self) -> bool {
        if !self.settled.is_set() && self.phase.load(Ordering::Acquire) == AWAY {
            self.whereabouts().into_iter().for_each(|(driver, _)| driver.collect());
        }
        self.settled.is_set()
    }

    /// The outcome is there, and nobody needs to bring it.
    pub(crate) fn is_home(&self) -> bool {
        self.settled.is_set()
    }

    fn whereabouts(&self) -> Option<(Arc<dyn Away>, u64)> {
        self.state().whereabouts.clone().and_then(|at| Some((at.driver, at.key?)))
    }

    /// The driver's number of this task, while it is away.
    pub(crate) fn key(&self) -> Option<u64> {
        self.state().whereabouts.as_ref().and_then(|at| at.key)
    }

    /// The driver that brings outcomes home, if this task is in the hands of such a one.
    pub(crate) fn driver(&self) -> Option<Arc<dyn Away>> {
        self.state().whereabouts.as_ref().map(|at| at.driver.clone())
    }

    /// A driver has taken the task, and has not put it anywhere yet. It can be cancelled as ever.
    pub(crate) fn wait_in(&self, driver: Arc<dyn Away>) {
        self.state().whereabouts = Some(Whereabouts { driver, key: None });
    }

    /// The driver in which it [waits](Self::wait_in) puts the task where workers take it, by `put`, which is told whether
    /// somebody will be called back, and gives its number there or says that there is no room. Nobody asks after the task
    /// in between. `false` if it was cancelled before: then `put` was not called.
    pub(crate) fn leave<E>(&self, put: impl FnOnce(bool) -> Result<u64, E>) -> Result<bool, E> {
        let mut state = self.state();
        if self.scope.is_cancelled() || !self.step(WAITING, AWAY) {
            return Ok(false);
        }
        match put(state.on_settled.is_some() || state.waker.is_some()) {
            Ok(key) => {
                state.whereabouts.as_mut().into_iter().for_each(|at| at.key = Some(key));
                Ok(true)
            }
            Err(error) => {
                self.step(AWAY, WAITING);
                Err(error)
            }
        }
    }

    /// The task is back from where it was: it has run, or will be put elsewhere. Observers of its start are told if they
    /// have not been.
    pub(crate) fn come_home(&self, started: Option<Started>) {
        let to = if started.is_some() { RUNNING } else { WAITING };
        {
            let mut state = self.state();
            state.whereabouts.as_mut().into_iter().for_each(|at| at.key = None);
            if !self.step(AWAY, to) {
                return;
            }
        }
        started.into_iter().for_each(|started| self.observe(started));
    }

    /// Whether the start of the task has to be told when it happens.
    pub(crate) fn tells_start(&self) -> bool {
        self.hooked.load(Ordering::Acquire) && !self.state().on_start.is_empty()
    }

    /// Tells the observers, once per attempt, that it has begun.
    pub(crate) fn observe(&self, started: Started) {
        if !self.hooked.load(Ordering::Acquire) {
            return;
        }
        let observers = {
            let mut state = self.state();
            if state.observed >= started.attempt {
                return;
            }
            state.observed = started.attempt;
            state.on_start.clone()
        };
        observers.iter().for_each(|observe| caught(|| observe(&started)));
    }

    /// The driver knows better how long the attempt took.
    pub(crate) fn took_exactly(&self, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).max(1);
        self.began.store(0, Ordering::Relaxed);
        self.took.store(nanoseconds, Ordering::Relaxed);
    }

    /// Whether the time it takes is wanted.
    pub(crate) fn is_measured(&self) -> bool {
        self.hooked.load(Ordering::Acquire)
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.phase.load(Ordering::Acquire) == SETTLED || self.scope.is_cancelled()
    }

    pub(crate) fn cancel(&self) -> bool {
        let cancelled = self.step(WAITING, SETTLED);
        if cancelled {
            self.publish(Outcome::cancelled(), None);
        }
        cancelled || self.take_back() || self.withdraw()
    }

    /// Lets those know who alone can say whether it has begun: false, since that is known later.
    fn withdraw(&self) -> bool {
        let withdraw = self.state().withdraw.clone();
        withdraw.into_iter().for_each(|withdraw| withdraw());
        false
    }

    /// For what has gone to another process, where nobody here can say whether it has begun: lets that process know that it is
    /// not wanted any more. Its outcome follows.
    pub(crate) fn on_withdraw(&self, withdraw: Withdraw) {
        let mut state = self.state();
        if !state.published {
            state.withdraw = Some(withdraw);
        }
    }

    /// Takes the task back from where its driver put it, if no worker has begun it. The driver settles it.
    fn take_back(&self) -> bool {
        while self.phase.load(Ordering::Acquire) == AWAY {
            if let Some((driver, key)) = self.whereabouts() {
                return driver.take_back(key);
            }
            // Its driver found no room for it, and it waits again.
            if self.step(WAITING, SETTLED) {
                self.publish(Outcome::cancelled(), None);
                return true;
            }
        }
        false
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
        self.settle_by(outcome, None);
    }

    /// As [`settle`](Self::settle), but who wants to be called back is called by `call_back`: the calling thread has something
    /// else to do, for which a callback of others might wait.
    pub(crate) fn settle_by(&self, outcome: Outcome, call_back: Option<&dyn Fn(OnSettled)>) {
        if self.step(RUNNING, SETTLED) || self.step(WAITING, SETTLED) || self.step(AWAY, SETTLED) {
            self.publish(outcome, call_back);
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

    /// How long the attempt that ends now took, if that was measured.
    pub(crate) fn took_by_now(&self) -> Option<Duration> {
        let began = self.began.load(Ordering::Relaxed);
        let since = || Duration::from_nanos(now().saturating_sub(began).max(1));
        self.took().or_else(|| (began > 0).then(since))
    }

    fn publish(&self, outcome: Outcome, call_back: Option<&dyn Fn(OnSettled)>) {
        let began = self.began.load(Ordering::Relaxed);
        if began > 0 {
            self.took.store(now().saturating_sub(began).max(1), Ordering::Relaxed);
        }
        let mut state = self.state();
        state.outcome = Some(outcome.within(&self.scope.place));
        state.published = true;
        let hooks = (state.on_kill.take(), state.on_wait.take(), state.withdraw.take());
        let (waker, then, landed) = (state.waker.take(), state.on_settled.take(), state.on_landed.take());
        let driver = state.whereabouts.take().map(|at| at.driver);
        // Waiters are woken only when they can have the lock.
        drop(state);
        self.settled.set();
        self.scope.leave();
        within_engine(|| {
            drop(hooks);
            landed.into_iter().for_each(|landed| landed());
            driver.iter().for_each(|driver| driver.rouse());
            waker.into_iter().for_each(|waker| caught(|| waker.wake()));
            match (then, driver, call_back) {
                // Whoever brought the outcome home may be anybody, in the middle of anything.
                (Some(then), Some(driver), _) => driver.call_back(then),
                (Some(then), None, Some(call_back)) => call_back(then),
                (then, _, _) => then.into_iter().for_each(caught),
            }
        });
    }

    pub(crate) fn kill(&self, ending: Ending) -> bool {
        if self.cancel() {
            return true;
        }
        let (hook, away) = {
            let mut state = self.state();
            if state.published {
                return false;
            }
            state.is_to_end(ending);
            (state.on_kill.clone(), state.whereabouts.clone())
        };
        let away = away.and_then(|at| Some((at.driver, at.key?)));
        away.is_some_and(|(driver, key)| driver.end(key, ending))
            || hook.as_ref().inspect(|end| end(ending)).is_some()
    }

    /// Ends the attempt that its driver has under this number, and no other.
    pub(crate) fn end_at(&self, key: u64, ending: Ending) {
        let driver = {
            let mut state = self.state();
            let Some(at) = state.whereabouts.clone().filter(|at| at.key == Some(key)) else { return };
            state.is_to_end(ending);
            at.driver
        };
        driver.end(key, ending);
    }

    /// Why it was asked to end, if it was.
    pub(crate) fn ending(&self) -> Option<Ending> {
        self.state().killed
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
        match self.driver() {
            Some(driver) => driver.wait(self, deadline),
            None => self.settled.wait_spinning_first(deadline),
        }
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

    /// As [`wait`](Self::wait), for drivers that bring outcomes home by themselves.
    pub(crate) fn wait_home(&self, deadline: Option<Instant>) -> bool {
        self.settled.wait_spinning_first(deadline)
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
        self.watch();
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
        self.watch();
        false
    }

    /// Somebody wants to be called back: if the task is away, its driver has to see to that.
    fn watch(&self) {
        self.whereabouts().into_iter().for_each(|(driver, key)| driver.watch(key));
    }

    /// As [`on_settled`](Self::on_settled), for the engine: it need not be called soon, and is called on any thread.
    pub(crate) fn on_landed(&self, then: impl FnOnce() + Send + 'static) {
        self.state().on_landed = Some(Box::new(then));
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
