//! `retry=N` tries a task again when it failed and trying again is harmless: at most N attempts in all.
//!
//! | form | means |
//! |---|---|
//! | `retry=3` | one attempt and, if it fails, up to two more, each at once |
//! | `retry=3?backoff=100ms` | waits before each new attempt: up to 100 ms, then up to 200 ms, 400 ms, ... |
//! | `retry=9?backoff=1s&max_backoff=30s` | but never longer than 30 s (unless set: one minute) |
//! | `retry=3?backoff=1s&jitter=0` | waits exactly so long; `jitter=0.5` between half of it and all of it |
//! | `retry=3?idempotent` | declares that doing any task twice does no harm |
//!
//! # What is tried again
//!
//! | the attempt | again |
//! |---|---|
//! | did not begin ([`Retry::Safe`](crate::Retry)) | yes |
//! | failed by its own fault: it panicked, raised, a command ended with a bad exit code | yes |
//! | took too long, or its worker died: it may have run in part | only if idempotent |
//! | was cancelled, is refused for good, cannot travel | no |
//!
//! A task is idempotent if its caller says so ([`TaskOptions`](crate::TaskOptions)) or the layer does. Work that one
//! run uses up ([`Place::call`](crate::Place::call), [`Place::spawn`](crate::Place::spawn)) is not tried again. The
//! last attempt's outcome is the task's; its error tells the attempt's number.
//!
//! The waits are "full jitter" (Brooker, "Exponential Backoff And Jitter", AWS 2015), drawn from the task's seed: the
//! same seed waits the same times. Meanwhile a task holds no worker and can be cancelled.
//!
//! A task that succeeds costs a copy of its input, and that a map sends its items one by one.

use super::timer::Timer;
use super::{LayerEntry, duration_option, wrong_value};
use crate::address::LayerSpec;
use crate::context::split_mix;
use crate::driver::{Layer, Limits, Tasks};
use crate::error::{Error, Kind, Result};
use crate::outcome::{Done, Outcome};
use crate::task::Task;
use anyplace_sync::Latch;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub(super) const LAYER: LayerEntry = LayerEntry {
    name: "retry",
    about: "tries again what failed, at most N attempts in all",
    forms: &["retry=3", "retry=5?backoff=100ms"],
    options: &[
        ("backoff", "the first wait; each further one is up to twice as long"),
        ("max_backoff", "the longest wait; one minute unless set"),
        ("jitter", "the part of a wait that is left to chance, from 0 to 1; 1 unless set"),
        ("idempotent", "doing a task twice does no harm"),
    ],
    make,
};

fn make(spec: &LayerSpec) -> Result<Arc<dyn Layer>> {
    let attempts = spec.value().and_then(|value| value.parse::<u32>().ok()).filter(|attempts| *attempts > 0);
    let wanted = "the number of attempts in all, from 1 on, such as `retry=3`";
    let mut retry = Retry::times(attempts.ok_or_else(|| wrong_value(spec, wanted))?);
    retry.policy.backoff = duration_option(spec, "backoff")?.unwrap_or(retry.policy.backoff);
    retry.policy.max_backoff = duration_option(spec, "max_backoff")?.unwrap_or(retry.policy.max_backoff);
    let jitter = spec.options().parse::<f64>("jitter", "a number from 0 to 1")?.unwrap_or(1.0);
    if !(0.0..=1.0).contains(&jitter) {
        let message = format!("option `jitter` cannot be `{jitter}`");
        return Err(Error::config(message).during("open").with_help("write a number from 0 to 1"));
    }
    retry.policy.jitter = jitter;
    retry.policy.idempotent = spec.options().parse("idempotent", "`true` or `false`")?.unwrap_or(false);
    Ok(Arc::new(retry))
}

/// Tries again what failed: see the table of [`retry`](self).
///
/// ```
/// use anyplace::layers::Retry;
/// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
///
/// let place = anyplace::open("threads:2")?.with(Retry::times(3))?;
/// let attempts = AtomicU32::new(0);
/// let third_time_lucky = move |n: u32| {
///     assert!(attempts.fetch_add(1, Relaxed) == 2, "not yet");
///     n
/// };
/// assert_eq!(place.submit(third_time_lucky, 7)?.wait()?, 7);
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Debug)]
pub struct Retry {
    pub(super) policy: Policy,
    timer: Arc<Timer>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    attempts: u32,
    backoff: Duration,
    max_backoff: Duration,
    jitter: f64,
    idempotent: bool,
}

impl Retry {
    /// At most `attempts` in all, the first included; each begins when the one before failed.
    pub fn times(attempts: u32) -> Self {
        let policy = Policy {
            attempts: attempts.max(1),
            backoff: Duration::ZERO,
            max_backoff: Duration::from_secs(60),
            jitter: 1.0,
            idempotent: false,
        };
        Self { policy, timer: Arc::default() }
    }

    /// Waits up to `first` before the second attempt, and up to twice as long before each further one.
    #[must_use]
    pub fn backoff(mut self, first: Duration) -> Self {
        self.policy.backoff = first;
        self
    }

    /// Never waits longer than this; one minute unless set.
    #[must_use]
    pub fn max_backoff(mut self, longest: Duration) -> Self {
        self.policy.max_backoff = longest;
        self
    }

    /// Leaves this part of each wait to chance, from 0 (none) to 1 (all, as unless set).
    #[must_use]
    pub fn jitter(mut self, part: f64) -> Self {
        self.policy.jitter = if part.is_nan() { 1.0 } else { part.clamp(0.0, 1.0) };
        self
    }

    /// Declares that doing any task of the place twice does no harm.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.policy.idempotent = true;
        self
    }
}

impl Layer for Retry {
    fn name(&self) -> &'static str {
        LAYER.name
    }

    fn is_per_item(&self) -> bool {
        true
    }

    fn wrap(&self, inner: Arc<dyn Tasks>, limits: &Limits) -> Arc<dyn Tasks> {
        let caller_runs = limits.workers == 0;
        Arc::new(Retrying(Arc::new(Attempts {
            policy: self.policy,
            timer: self.timer.clone(),
            caller_runs,
            inner,
        })))
    }

    fn on_cancel(&self) {
        self.timer.ring_all();
    }

    fn on_close(&self) {
        self.timer.stop();
    }
}

impl Policy {
    /// Whether an attempt that ended so is worth another.
    fn repeats(&self, outcome: &Outcome, idempotent: bool) -> bool {
        match outcome {
            Outcome::Returned(_) | Outcome::Cancelled(_) => false,
            Outcome::Failed(error) | Outcome::Lost(error) => repeats(error, idempotent),
        }
    }

    /// How long to wait behind this attempt, from 1.
    pub(super) fn wait(&self, attempt: u32, seed: u64) -> Duration {
        let doubled = 2_u32.saturating_pow(attempt - 1);
        let longest = self.backoff.saturating_mul(doubled).min(self.max_backoff);
        // The upper 53 bits, as a fraction from 0 up to 1.
        let chance = (split_mix(seed ^ u64::from(attempt)) >> 11) as f64 / (1_u64 << 53) as f64;
        let seconds = longest.as_secs_f64() * (1.0 - self.jitter * chance);
        // The longest of all durations is rounded up to one that does not exist.
        Duration::try_from_secs_f64(seconds).unwrap_or(longest)
    }
}

fn repeats(error: &Error, idempotent: bool) -> bool {
    use crate::Retry::{MayRepeat, Never, Safe};
    match (error.kind(), error.retry()) {
        (Kind::Cancelled | Kind::Unsupported | Kind::ConfigInvalid, _) => false,
        (Kind::NotSerializable | Kind::VersionMismatch | Kind::PlaceClosed, _) | (_, Never) => false,
        (_, Safe) => true,
        (kind, MayRepeat) => idempotent || kind == Kind::TaskFailed,
    }
}

#[derive(Debug)]
struct Retrying(Arc<Attempts>);

impl Tasks for Retrying {
    fn submit(&self, mut task: Task, done: Done) {
        task.options.idempotent |= self.0.policy.idempotent;
        self.0.drive(Try { task, done });
    }
}

#[derive(Debug)]
struct Attempts {
    policy: Policy,
    timer: Arc<Timer>,
    caller_runs: bool,
    inner: Arc<dyn Tasks>,
}

/// An attempt to make, and whom to tell.
struct Try {
    task: Task,
    done: Done,
}

/// An attempt that is made: the next one, if there may be one, and whom to tell.
struct Made {
    attempt: u32,
    next: Option<Task>,
    done: Done,
}

/// Where the return of `submit` and the attempt's end meet: whoever comes second goes on. So an attempt that ends
/// inside `submit`, as on `inline:`, is followed by the next from a loop, not from ever deeper calls.
enum Meeting {
    Nobody,
    Submitted(Made),
    Ended(Outcome),
}

impl Attempts {
    fn drive(self: &Arc<Self>, first: Try) {
        let mut next = Some(first);
        while let Some(Try { task, done }) = next {
            next = self.attempt(task, done).and_then(|(made, outcome)| self.judge(made, outcome));
        }
    }

    /// Makes one attempt; gives its outcome if it ended before `submit` returned.
    fn attempt(self: &Arc<Self>, task: Task, done: Done) -> Option<(Made, Outcome)> {
        let again = (task.attempt < self.policy.attempts).then(|| task.work.again()).flatten();
        let made = Made { attempt: task.attempt, next: again.map(|work| task.again(work)), done };
        let meeting = Arc::new(Mutex::new(Meeting::Nobody));
        let (attempts, other) = (self.clone(), meeting.clone());
        let ended = move |outcome| {
            if let Some((made, outcome)) = meet(&other, Meeting::Ended(outcome))
                && let Some(next) = attempts.judge(made, outcome)
            {
                attempts.drive(next);
            }
        };
        self.inner.submit(task, Done::new(ended));
        meet(&meeting, Meeting::Submitted(made))
    }

    /// Tells the outcome, or gives the attempt to make now; one to make later is left with the timer.
    fn judge(self: &Arc<Self>, made: Made, outcome: Outcome) -> Option<Try> {
        let Made { attempt, next, done } = made;
        let idempotent = next.as_ref().is_some_and(|next| next.options.idempotent);
        let next = next.filter(|next| {
            self.policy.repeats(&outcome, idempotent)
                && self.can_wait(attempt, next)
                && next.control().wait_again()
        });
        let Some(task) = next else {
            done.call(numbered(outcome, attempt));
            return None;
        };
        let wait = self.wait(attempt, &task);
        let next = Try { task, done };
        if wait.is_zero() {
            return Some(next);
        }
        if self.caller_runs { self.wait_here(next, wait) } else { self.wait_away(next, wait) }
    }

    fn wait(&self, attempt: u32, task: &Task) -> Duration {
        self.policy.wait(attempt, task.context(0, 1).seed())
    }

    /// Without a thread for the timer nobody would go on: then the last outcome stands.
    fn can_wait(&self, attempt: u32, task: &Task) -> bool {
        self.wait(attempt, task).is_zero() || self.timer.start().is_ok()
    }

    /// Where the caller runs the tasks, the caller waits, too.
    fn wait_here(&self, next: Try, wait: Duration) -> Option<Try> {
        let over = Arc::new(Latch::new());
        let ring = over.clone();
        self.timer.after(wait, move || ring.set());
        if next.task.control().is_cancelled() {
            self.timer.ring_all();
        }
        over.wait(None);
        go_on(next)
    }

    fn wait_away(self: &Arc<Self>, next: Try, wait: Duration) -> Option<Try> {
        let (attempts, control) = (self.clone(), next.task.control());
        self.timer.after(wait, move || {
            if let Some(next) = go_on(next) {
                attempts.drive(next);
            }
        });
        // A place that was cancelled just before has already rung what was set.
        if control.is_cancelled() {
            self.timer.ring_all();
        }
        None
    }
}

fn meet(meeting: &Mutex<Meeting>, mine: Meeting) -> Option<(Made, Outcome)> {
    let mut meeting = meeting.lock().unwrap_or_else(PoisonError::into_inner);
    match (std::mem::replace(&mut *meeting, Meeting::Nobody), mine) {
        (Meeting::Submitted(made), Meeting::Ended(outcome))
        | (Meeting::Ended(outcome), Meeting::Submitted(made)) => Some((made, outcome)),
        (_, mine) => {
            *meeting = mine;
            None
        }
    }
}

/// The attempt, unless it was cancelled while it waited: then that is told.
fn go_on(next: Try) -> Option<Try> {
    if !next.task.control().is_cancelled() {
        return Some(next);
    }
    let made = next.task.attempt - 1;
    let error = Error::new(Kind::Cancelled, "the task was cancelled while it waited to be tried again");
    next.done.call(Outcome::Cancelled(error.with_retry(crate::Retry::MayRepeat).on_attempt(made)));
    None
}

fn numbered(outcome: Outcome, attempt: u32) -> Outcome {
    match outcome {
        Outcome::Failed(error) => Outcome::Failed(error.on_attempt(attempt)),
        Outcome::Lost(error) => Outcome::Lost(error.on_attempt(attempt)),
        outcome => outcome,
    }
}

impl std::fmt::Debug for Try {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Try({:?})", self.task)
    }
}
