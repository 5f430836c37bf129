//! `timeout=30s` ends an attempt that runs longer than that. Time spent waiting for a worker does not count.
//!
//! | form | means |
//! |---|---|
//! | `timeout=30s` | an attempt has 30 seconds, from the moment a worker begins it |
//! | `retry=3::timeout=1m30s` | each of three attempts has a minute and a half |
//!
//! # What happens when the time is over
//!
//! | place | the task | its outcome |
//! |---|---|---|
//! | can end tasks (`processes:`, `async:`) | is ended | `Timeout`, once it is gone |
//! | cannot (`threads:`) | still runs, and holds its worker | `Timeout` at once, saying so |
//! | the caller runs it (`inline:`) | runs to its end | `Timeout` then, saying so |
//!
//! The attempt may have done a part of its work, so `retry` repeats it only if it is idempotent.
//!
//! A task that ends in time costs an entry in an ordered map and its removal, and that a map sends its items one by
//! one. One thread serves all tasks of the layer and sleeps until the next time is over.

use super::timer::{Alarm, Timer};
use super::{LayerEntry, wrong_value};
use crate::address::LayerSpec;
use crate::driver::{Layer, Limits, Tasks};
use crate::duration;
use crate::error::{Error, Kind, Result, Retry};
use crate::outcome::{Done, Outcome};
use crate::task::{Control, Ending, Task};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(super) const LAYER: LayerEntry = LayerEntry {
    name: "timeout",
    about: "ends an attempt that runs longer",
    forms: &["timeout=30s", "timeout=1h30m"],
    options: &[],
    make,
};

fn make(spec: &LayerSpec) -> Result<Arc<dyn Layer>> {
    let limit = spec.value().and_then(|value| duration::parse(value).ok()).filter(|limit| !limit.is_zero());
    let wanted = "a length of time above 0, such as `timeout=30s`, `timeout=250ms` or `timeout=1h30m`";
    Ok(Arc::new(Timeout::after(limit.ok_or_else(|| wrong_value(spec, wanted))?)))
}

/// Ends an attempt that runs longer: see the table of [`timeout`](self).
///
/// ```
/// use anyplace::layers::Timeout;
/// use std::time::Duration;
///
/// let place = anyplace::open("async:10")?.with(Timeout::after(Duration::from_millis(10)))?;
/// let error = place.spawn(std::future::pending::<()>())?.wait().unwrap_err();
/// assert_eq!(error.kind(), anyplace::Kind::Timeout);
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Debug)]
pub struct Timeout {
    limit: Duration,
    pub(super) timer: Arc<Timer>,
}

impl Timeout {
    /// Gives each attempt this long.
    pub fn after(limit: Duration) -> Self {
        Self { limit, timer: Arc::default() }
    }
}

impl Layer for Timeout {
    fn name(&self) -> &'static str {
        LAYER.name
    }

    fn is_per_item(&self) -> bool {
        true
    }

    fn wrap(&self, inner: Arc<dyn Tasks>, limits: &Limits) -> Arc<dyn Tasks> {
        let means = match (limits.workers, limits.can_kill) {
            (_, true) => Means::Kill,
            (0, false) => Means::Wait,
            (_, false) => Means::LetGo,
        };
        Arc::new(Timed { limit: self.limit, means, timer: self.timer.clone(), inner })
    }

    fn on_close(&self) {
        self.timer.stop();
    }
}

/// What the place lets us do when the time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    /// End the task; its outcome follows.
    Kill,
    /// Tell its handle, and let it run.
    LetGo,
    /// The caller itself runs it: tell when it has ended.
    Wait,
}

#[derive(Debug)]
struct Timed {
    limit: Duration,
    means: Means,
    timer: Arc<Timer>,
    inner: Arc<dyn Tasks>,
}

impl Tasks for Timed {
    fn submit(&self, task: Task, done: Done) {
        if self.means != Means::Wait
            && let Err(error) = self.timer.start()
        {
            return done.call(Outcome::Failed(error));
        }
        let state = State { phase: Phase::Going, began: None, alarm: None, done: Some(done) };
        let attempt = Arc::new(Attempt {
            limit: self.limit,
            means: self.means,
            timer: self.timer.clone(),
            control: task.control(),
            state: Mutex::new(state),
        });
        let (number, observed) = (task.attempt, attempt.clone());
        task.control().on_start(move |started| {
            // Observers stay with the task; the next attempt has a clock of its own.
            if started.attempt == number {
                observed.begin();
            }
        });
        self.inner.submit(task, Done::new(move |outcome| attempt.end(outcome)));
    }
}

/// One attempt and its clock.
///
/// ```text
///          its outcome comes
///  Going --------------------------------------------------> Over    told as it is
///    |  time is over   kill returned   its outcome comes
///    |---------> Ending ---------> Ended by us ------------> Over    told as Timeout
///    |             '--- outcome comes ---> Held ---> Over            told as Timeout, by the one who killed
///    '---------> Over                                                 told as Timeout: the place cannot kill
/// ```
///
/// While we are killing it, an outcome is held back: it would let a retry begin the next attempt, which the kill
/// would then hit.
struct Attempt {
    limit: Duration,
    means: Means,
    timer: Arc<Timer>,
    control: Control,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    began: Option<Instant>,
    alarm: Option<Alarm>,
    done: Option<Done>,
}

enum Phase {
    Going,
    Ending,
    Held(Outcome),
    EndedByUs,
    Over,
}

impl Attempt {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(self: &Arc<Self>) {
        self.state().began = Some(Instant::now());
        if self.means == Means::Wait {
            return;
        }
        let attempt = self.clone();
        let alarm = self.timer.after(self.limit, move || attempt.expire());
        self.state().alarm = Some(alarm);
    }

    /// The time is over, on the timer's thread.
    fn expire(&self) {
        let mut state = self.state();
        if !matches!(state.phase, Phase::Going) {
            return;
        }
        // Somebody is ending it already: what follows is told as that.
        if self.means == Means::Kill && self.control.0.is_asked_to_end() {
            return;
        }
        if self.means == Means::LetGo {
            state.phase = Phase::Over;
            let done = state.done.take();
            drop(state);
            return tell(done, Outcome::Failed(self.still_runs()));
        }
        state.phase = Phase::Ending;
        drop(state);
        // Whether it worked shows in the outcome, which follows either way.
        self.control.kill(Ending::Timeout);
        let mut state = self.state();
        if let Phase::Held(outcome) = std::mem::replace(&mut state.phase, Phase::EndedByUs) {
            state.phase = Phase::Over;
            let done = state.done.take();
            drop(state);
            tell(done, self.as_timeout(outcome));
        }
    }

    /// The attempt's outcome is there.
    fn end(&self, outcome: Outcome) {
        let mut state = self.state();
        let outcome = match std::mem::replace(&mut state.phase, Phase::Over) {
            Phase::Going => self.unless_late(outcome, state.began),
            Phase::EndedByUs => self.as_timeout(outcome),
            Phase::Ending => {
                state.phase = Phase::Held(outcome);
                return;
            }
            Phase::Held(_) | Phase::Over => return,
        };
        let (done, alarm) = (state.done.take(), state.alarm.take());
        drop(state);
        if let Some(alarm) = alarm {
            self.timer.take_back(alarm);
        }
        tell(done, outcome);
    }

    /// What we ended failed by its time; what ended by itself in the same moment stands.
    fn as_timeout(&self, outcome: Outcome) -> Outcome {
        let error = match outcome {
            Outcome::Returned(_) => return outcome,
            Outcome::Failed(ref error) if error.kind() == Kind::TaskFailed => return outcome,
            Outcome::Failed(error) | Outcome::Cancelled(error) | Outcome::Lost(error) => error,
        };
        let message = format!("the task was ended after {:?}, the time it was given", self.limit);
        Outcome::Failed(error.told_as(Kind::Timeout, message).with_retry(Retry::MayRepeat))
    }

    fn unless_late(&self, outcome: Outcome, began: Option<Instant>) -> Outcome {
        let took = began.map(|began| began.elapsed());
        match took.filter(|took| self.means == Means::Wait && *took > self.limit) {
            Some(took) => Outcome::Failed(self.ran_on(took)),
            None => outcome,
        }
    }

    fn still_runs(&self) -> Error {
        let place = &self.control.0.scope.place;
        self.over(format!(
            "the task's time of {:?} is over, but `{place}` cannot end a task: it still runs",
            self.limit
        ))
        .with_help("run it in `processes:` or `async:`, where a task can be ended")
    }

    fn ran_on(&self, took: Duration) -> Error {
        let place = &self.control.0.scope.place;
        self.over(format!(
            "the task took {took:.1?}, longer than the {:?} it was given, but `{place}` runs it in the caller and cannot end it",
            self.limit
        ))
        .with_help("run it in `processes:` or `async:`, where a task can be ended")
    }

    fn over(&self, message: String) -> Error {
        Error::new(Kind::Timeout, message)
            .at(&self.control.0.scope.place)
            .during("run")
            .with_retry(Retry::MayRepeat)
    }
}

fn tell(done: Option<Done>, outcome: Outcome) {
    if let Some(done) = done {
        done.call(outcome);
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attempt({:?})", self.limit)
    }
}
