//! `progress` counts what becomes of tasks, and tells a callback.
//!
//! | form | means |
//! |---|---|
//! | `progress` | counts; nobody is called |
//! | `Progress::new(callback)` | in code: calls back with the [`Counts`] when they change |
//! | `Progress::counting()` | in code: counts, to be read with [`Progress::counts`] |
//!
//! The callback runs on a thread of the layer, at most every 50 ms, and once more when the place is closed if anything
//! changed since; so however slow it is, tasks do not wait for it, and the last call has the last numbers. A task
//! costs a few atomic additions. Maps go on sending chunks: counts are of items.

use super::LayerEntry;
use super::timer::Timer;
use crate::address::LayerSpec;
use crate::context::caught;
use crate::driver::{Layer, Limits, Tasks};
use crate::error::{Error, Result};
use crate::outcome::{Done, Item, Items, Outcome, Value};
use crate::task::Task;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

/// Often enough for a bar that moves smoothly, seldom enough to cost nothing.
const EVERY: Duration = Duration::from_millis(50);

pub(super) const LAYER: LayerEntry = LayerEntry {
    name: "progress",
    about: "counts what becomes of tasks",
    forms: &["progress"],
    options: &[],
    make,
};

fn make(spec: &LayerSpec) -> Result<Arc<dyn Layer>> {
    match spec.value() {
        None => Ok(Arc::new(Progress::counting())),
        Some(value) => Err(Error::config(format!("`progress` cannot be `{value}`"))
            .during("open")
            .with_help("write `progress` alone; give a callback in code, with `Progress::new`")),
    }
}

/// How many items are where. Each item that was submitted ends in one of the last four.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Given to the place.
    pub submitted: u64,
    /// Begun by a worker.
    pub started: u64,
    /// Begun again, by `retry`: attempts after the first.
    pub retried: u64,
    /// Ended by returning.
    pub returned: u64,
    /// Ended by an error of their own, or because their time was over.
    pub failed: u64,
    /// Ended on request.
    pub cancelled: u64,
    /// Ended with their worker or their place.
    pub lost: u64,
    /// The time since the first was submitted.
    pub elapsed: Duration,
}

impl Counts {
    /// How many have ended.
    pub fn ended(&self) -> u64 {
        self.returned + self.failed + self.cancelled + self.lost
    }

    /// How many items ended per second so far; 0 at the very beginning.
    pub fn rate(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { self.ended() as f64 / seconds } else { 0.0 }
    }
}

/// Counts what becomes of tasks. Clones are the same counter: keep one to read it.
///
/// ```
/// use anyplace::layers::Progress;
///
/// let progress = Progress::counting();
/// let place = anyplace::open("threads:2")?.with(progress.clone())?;
/// place.map(|n: u64| n * n, 0..1000)?.for_each(drop);
/// assert_eq!((progress.counts().submitted, progress.counts().returned), (1000, 1000));
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Progress {
    board: Arc<Board>,
    timer: Arc<Timer>,
}

type Callback = Box<dyn Fn(&Counts) + Send + Sync>;

impl Progress {
    /// Calls `callback` with the counts when they change, at most every 50 ms.
    pub fn new(callback: impl Fn(&Counts) + Send + Sync + 'static) -> Self {
        Self::with_callback(Some(Box::new(callback)))
    }

    /// Only counts.
    pub fn counting() -> Self {
        Self::with_callback(None)
    }

    fn with_callback(callback: Option<Callback>) -> Self {
        let board = Board { callback, ..Board::default() };
        Self { board: Arc::new(board), timer: Arc::default() }
    }

    /// The counts of this moment.
    pub fn counts(&self) -> Counts {
        self.board.counts()
    }
}

impl Layer for Progress {
    fn name(&self) -> &'static str {
        LAYER.name
    }

    fn is_per_item(&self) -> bool {
        false
    }

    fn wrap(&self, inner: Arc<dyn Tasks>, _: &Limits) -> Arc<dyn Tasks> {
        Arc::new(Counted { board: self.board.clone(), timer: self.timer.clone(), inner })
    }

    fn on_close(&self) {
        self.timer.ring_all();
        self.timer.stop();
    }
}

#[derive(Default)]
struct Board {
    first: OnceLock<Instant>,
    submitted: AtomicU64,
    started: AtomicU64,
    retried: AtomicU64,
    returned: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
    lost: AtomicU64,
    callback: Option<Callback>,
    /// The timer will call the callback.
    due: AtomicBool,
    /// When it last did. Held while it does, so that calls never overlap.
    told: Mutex<Option<Instant>>,
    /// Which thread calls the callback now.
    teller: Mutex<Option<ThreadId>>,
}

impl Board {
    fn counts(&self) -> Counts {
        // Ends are read before beginnings, so that no more have ended than were begun.
        let [returned, failed, cancelled, lost, retried, started, submitted] = [
            &self.returned,
            &self.failed,
            &self.cancelled,
            &self.lost,
            &self.retried,
            &self.started,
            &self.submitted,
        ]
        .map(|count| count.load(Ordering::Acquire));
        let elapsed = self.first.get().map_or(Duration::ZERO, Instant::elapsed);
        Counts { submitted, started, retried, returned, failed, cancelled, lost, elapsed }
    }

    /// Adds to a count, and has the callback called soon.
    fn add(self: &Arc<Self>, count: &AtomicU64, items: u64, timer: &Timer) {
        count.fetch_add(items, Ordering::AcqRel);
        let is_due = self.callback.is_none() || self.due.load(Ordering::Relaxed);
        if !is_due && !self.due.swap(true, Ordering::AcqRel) {
            let board = self.clone();
            timer.after(self.wait(), move || board.tell());
        }
    }

    /// How long until the callback may be called again. While it is being called, that is not known yet.
    fn wait(&self) -> Duration {
        let told = self.told.try_lock().ok().and_then(|told| *told);
        told.map_or(EVERY, |told| EVERY.saturating_sub(told.elapsed()))
    }

    fn tell(&self) {
        let Some(callback) = &self.callback else { return };
        let own = Some(thread::current().id());
        if *self.teller() == own {
            // The callback closes its place: another call would wait for this one.
            return;
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        *self.teller() = own;
        // Before reading: what is added from here on is told next time.
        self.due.store(false, Ordering::Release);
        caught(|| callback(&self.counts()));
        *self.teller() = None;
        *told = Some(Instant::now());
    }

    fn teller(&self) -> MutexGuard<'_, Option<ThreadId>> {
        self.teller.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(self: &Arc<Self>, outcome: &Outcome, items: u64, timer: &Timer) {
        match outcome {
            Outcome::Returned(Value::Items(each)) => self.end_each(each, timer),
            Outcome::Returned(Value::Chunk { failed, .. }) => {
                let failed = u64::from(*failed).min(items);
                self.add(&self.failed, failed, timer);
                self.add(&self.returned, items - failed, timer);
            }
            Outcome::Returned(_) => self.add(&self.returned, items, timer),
            Outcome::Failed(_) => self.add(&self.failed, items, timer),
            Outcome::Cancelled(_) => self.add(&self.cancelled, items, timer),
            Outcome::Lost(_) => self.add(&self.lost, items, timer),
        }
    }

    /// Looks at the items one by one only if some did not return.
    fn end_each(self: &Arc<Self>, items: &Items, timer: &Timer) {
        let returned = items.len() - items.failed();
        self.add(&self.returned, returned as u64, timer);
        if items.failed() > 0 {
            let ended = items.iter().filter(|item| !matches!(item, Item::Returned(_)));
            ended.for_each(|item| self.end(&item.into_outcome(), 1, timer));
        }
    }
}

#[derive(Debug)]
struct Counted {
    board: Arc<Board>,
    timer: Arc<Timer>,
    inner: Arc<dyn Tasks>,
}

impl Tasks for Counted {
    fn submit(&self, task: Task, done: Done) {
        let items = u64::from(task.items);
        self.board.first.get_or_init(Instant::now);
        self.board.add(&self.board.submitted, items, &self.timer);
        let (board, timer) = (self.board.clone(), self.timer.clone());
        task.control().on_start(move |started| {
            let count = if started.attempt == 1 { &board.started } else { &board.retried };
            board.add(count, items, &timer);
        });
        let (board, timer) = (self.board.clone(), self.timer.clone());
        let done = Done::new(move |outcome| {
            board.end(&outcome, items, &timer);
            done.call(outcome);
        });
        self.inner.submit(task, done);
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts().fmt(f)
    }
}
