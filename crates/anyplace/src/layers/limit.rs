//! `limit=N` lets at most N tasks into the place at once; `limit?rate=10/s` at most so many per time.
//!
//! | form | means |
//! |---|---|
//! | `limit=4` | at most four at once |
//! | `limit?rate=10/s` | one each 100 ms at most; also `600/m`, `5/h`, `3/250ms` |
//! | `limit?rate=10/s&burst=5` | after a pause, up to five at once before that |
//! | `limit=4?rate=10/s` | both |
//!
//! Tasks are let in first come, first served. One that was cancelled while it waited takes neither a slot nor a turn.
//! A slot is free again when its task has ended, however it ended; `retry` outside a limit gives it back between
//! attempts. A task that waits for other tasks of the same place keeps its slot meanwhile, except in `inline:`, where
//! the two share the caller: give such a place a limit above the depth of the waiting.
//!
//! The rate is a token bucket that holds `burst` tokens (1 unless set). There is no thread unless a turn must be
//! waited for. A task costs two short locks, and a map sends its items one by one.

use super::timer::Timer;
use super::{LayerEntry, wrong_value};
use crate::address::LayerSpec;
use crate::driver::{Layer, Limits, Tasks};
use crate::duration;
use crate::error::Result;
use crate::outcome::{Done, Outcome};
use crate::task::{Control, Task};
use anyplace_sync::Latch;
use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(super) const LAYER: LayerEntry = LayerEntry {
    name: "limit",
    about: "at most N tasks at once, or so many per time",
    forms: &["limit=4", "limit?rate=10/s", "limit=4?rate=600/m&burst=5"],
    options: &[
        ("rate", "how many may begin per time, such as `10/s`, `600/m`, `5/h`"),
        ("burst", "how many may begin at once after a pause; 1 unless set"),
    ],
    make,
};

fn make(spec: &LayerSpec) -> Result<Arc<dyn Layer>> {
    let wanted = "how many at once, such as `limit=4`, or a rate, such as `limit?rate=10/s`";
    let rate = spec.options().parse::<Rate>("rate", "how many per time, such as `10/s`, `600/m` or `5/h`")?;
    let burst = spec.options().parse::<std::num::NonZeroU32>("burst", "a whole number from 1 on")?;
    let at_once = match spec.value().map(str::parse::<usize>) {
        Some(Ok(at_once)) if at_once > 0 => at_once,
        None if rate.is_some() => usize::MAX,
        _ => return Err(wrong_value(spec, wanted)),
    };
    let mut limit = Limit::at_most(at_once);
    if let Some(Rate { each }) = rate {
        limit = limit.one_each(each);
    }
    Ok(Arc::new(limit.burst(burst.map_or(1, std::num::NonZero::get))))
}

/// The time from one task to the next.
struct Rate {
    each: Duration,
}

impl FromStr for Rate {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let (number, per) = text.split_once('/').ok_or(())?;
        let number: f64 = number.parse().ok().filter(|number| *number > 0.0 && !per.is_empty()).ok_or(())?;
        let has_number = per.starts_with(|letter: char| letter.is_ascii_digit());
        let per = if has_number { duration::parse(per) } else { duration::parse(&format!("1{per}")) };
        let each = per.map_err(|_| ())?.as_secs_f64() / number;
        Duration::try_from_secs_f64(each)
            .ok()
            .filter(|each| !each.is_zero())
            .map(|each| Self { each })
            .ok_or(())
    }
}

/// Lets in at most so many at once, or per time: see the table of [`limit`](self).
///
/// ```
/// use anyplace::layers::Limit;
/// use std::time::{Duration, Instant};
///
/// let place = anyplace::open("threads:8")?.with(Limit::at_most(2).per(100, Duration::from_secs(1)))?;
/// let began = Instant::now();
/// let squares: Vec<u64> = place.map(|n: u64| n * n, 0..3)?.collect::<Result<_, _>>()?;
/// assert_eq!(squares, [0, 1, 4]);
/// assert!(began.elapsed() >= Duration::from_millis(20)); // the first at once, then one each 10 ms
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Debug)]
pub struct Limit {
    gate: Arc<Gate>,
}

impl Limit {
    /// At most `tasks` at once.
    pub fn at_most(tasks: usize) -> Self {
        let state = State {
            at_once: tasks.max(1),
            running: 0,
            bucket: Bucket { each: Duration::ZERO, burst: 1, full_at: Instant::now() },
            alarmed: false,
            waiting: VecDeque::new(),
        };
        Self { gate: Arc::new(Gate { timer: Timer::default(), state: Mutex::new(state) }) }
    }

    /// At most `tasks` per `time`, evenly spread.
    #[must_use]
    pub fn per(self, tasks: u32, time: Duration) -> Self {
        self.one_each(time / tasks.max(1))
    }

    /// Lets up to `tasks` begin at once after a pause, before the rate holds again.
    #[must_use]
    pub fn burst(self, tasks: u32) -> Self {
        self.gate.state().bucket.burst = tasks.max(1);
        self
    }

    fn one_each(self, each: Duration) -> Self {
        self.gate.state().bucket.each = each;
        self
    }
}

impl Layer for Limit {
    fn name(&self) -> &'static str {
        LAYER.name
    }

    fn is_per_item(&self) -> bool {
        true
    }

    fn wrap(&self, inner: Arc<dyn Tasks>, limits: &Limits) -> Arc<dyn Tasks> {
        Arc::new(Limited { gate: self.gate.clone(), caller_runs: limits.workers == 0, inner })
    }

    fn on_cancel(&self) {
        self.gate.let_in();
    }

    fn on_close(&self) {
        self.gate.timer.stop();
    }
}

/// Tokens as one instant: when the bucket will be full. Each token taken puts it `each` later (the "generic cell rate
/// algorithm" of ATM networks), so nothing has to be refilled.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    each: Duration,
    burst: u32,
    full_at: Instant,
}

impl Bucket {
    /// Takes a token, or says how long until there is one.
    fn take(&mut self, now: Instant) -> std::result::Result<(), Duration> {
        let full_at = self.full_at.max(now);
        let spare = self.each.saturating_mul(self.burst - 1);
        let has_one_at = full_at.checked_sub(spare).unwrap_or(now);
        if has_one_at > now {
            return Err(has_one_at - now);
        }
        // What no clock reaches is as good as never.
        self.full_at = full_at.checked_add(self.each).unwrap_or_else(|| full_at + NEVER);
        Ok(())
    }
}

/// Longer than any program runs, and short enough for every clock.
const NEVER: Duration = Duration::from_secs(1 << 32);

struct Gate {
    timer: Timer,
    state: Mutex<State>,
}

struct State {
    at_once: usize,
    running: usize,
    bucket: Bucket,
    /// The timer will call when the next token is there.
    alarmed: bool,
    waiting: VecDeque<Waiting>,
}

/// A task that waits to be let in.
struct Waiting {
    control: Control,
    go: Box<dyn FnOnce(Pass) + Send>,
}

/// How a task leaves the queue: with a slot, or cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    Slot,
    Cancelled,
}

/// What is to be done about the front of the queue.
enum Front {
    Go(Waiting, Pass),
    Later(Duration),
    Stay,
}

thread_local! {
    /// The gate through which the calling thread is letting somebody in; null if none.
    static HERE: Cell<*const Gate> = const { Cell::new(std::ptr::null()) };
}

/// Notes that this thread lets in, and puts back what was noted.
struct Here(*const Gate);

impl Here {
    fn at(gate: &Arc<Gate>) -> Self {
        Self(HERE.replace(Arc::as_ptr(gate)))
    }

    fn is(gate: &Arc<Gate>) -> bool {
        HERE.get() == Arc::as_ptr(gate)
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        HERE.set(self.0);
    }
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(self: &Arc<Self>, control: Control, go: impl FnOnce(Pass) + Send + 'static) {
        self.state().waiting.push_back(Waiting { control, go: Box::new(go) });
        self.let_in();
    }

    /// Lets in whoever may.
    fn let_in(self: &Arc<Self>) {
        let _here = Here::at(self);
        loop {
            // Bound first: the lock must not be held while the task is submitted.
            let front = self.state().front();
            match front {
                Front::Go(waiting, pass) => (waiting.go)(pass),
                Front::Later(wait) => return self.let_in_after(wait),
                Front::Stay => return,
            }
        }
    }

    fn let_in_after(self: &Arc<Self>, wait: Duration) {
        let gate = self.clone();
        self.timer.after(wait, move || {
            gate.state().alarmed = false;
            gate.let_in();
        });
    }

    /// A slot is free again. If its task ended while this thread was letting it in (it was refused), the loop above
    /// goes on; calling it here would nest a call for each task of the queue.
    fn leave(self: &Arc<Self>) {
        self.state().running -= 1;
        if !Here::is(self) {
            self.let_in();
        }
    }
}

impl State {
    fn front(&mut self) -> Front {
        let Some(first) = self.waiting.front() else { return Front::Stay };
        let pass = if first.control.is_cancelled() { Pass::Cancelled } else { Pass::Slot };
        if pass == Pass::Slot {
            if self.running >= self.at_once || self.alarmed {
                return Front::Stay;
            }
            if let Err(wait) = self.bucket.take(Instant::now()) {
                self.alarmed = true;
                return Front::Later(wait);
            }
            self.running += 1;
        }
        self.waiting.pop_front().map_or(Front::Stay, |first| Front::Go(first, pass))
    }
}

#[derive(Debug)]
struct Limited {
    gate: Arc<Gate>,
    caller_runs: bool,
    inner: Arc<dyn Tasks>,
}

impl Tasks for Limited {
    fn submit(&self, task: Task, done: Done) {
        let has_rate = !self.gate.state().bucket.each.is_zero();
        match if has_rate { self.gate.timer.start() } else { Ok(()) } {
            Err(error) => done.call(Outcome::Failed(error)),
            Ok(()) if self.caller_runs => self.submit_here(task, done),
            Ok(()) => {
                let (gate, inner) = (self.gate.clone(), self.inner.clone());
                self.gate.queue(task.control(), move |pass| admit(&gate, &*inner, task, done, pass));
            }
        }
    }
}

impl Limited {
    /// Where the caller runs the tasks, the caller waits, too. A task inside a task has the outer one's slot, since
    /// the outer one stands still meanwhile.
    fn submit_here(&self, task: Task, done: Done) {
        if RUNS_HERE.get() == Arc::as_ptr(&self.gate) {
            return self.inner.submit(task, done);
        }
        let turn = Arc::new((Latch::new(), Mutex::new(Pass::Cancelled)));
        let told = turn.clone();
        self.gate.queue(task.control(), move |pass| {
            *told.1.lock().unwrap_or_else(PoisonError::into_inner) = pass;
            told.0.set();
        });
        turn.0.wait(None);
        let pass = *turn.1.lock().unwrap_or_else(PoisonError::into_inner);
        let _outer = Outer(RUNS_HERE.replace(Arc::as_ptr(&self.gate)));
        admit(&self.gate, &*self.inner, task, done, pass);
    }
}

thread_local! {
    /// The gate that the task which the calling thread runs in `submit` came through; null if none.
    static RUNS_HERE: Cell<*const Gate> = const { Cell::new(std::ptr::null()) };
}

/// Puts back the gate of the task around this one.
struct Outer(*const Gate);

impl Drop for Outer {
    fn drop(&mut self) {
        RUNS_HERE.set(self.0);
    }
}

fn admit(gate: &Arc<Gate>, inner: &dyn Tasks, task: Task, done: Done, pass: Pass) {
    if pass == Pass::Cancelled {
        return done.call(Outcome::cancelled());
    }
    let slot = Slot(gate.clone());
    let done = Done::new(move |outcome| {
        let _given_back_behind = slot;
        // First, so that nobody sees the next task run beside one whose outcome is not told.
        done.call(outcome);
    });
    inner.submit(task, done);
}

/// A slot that is taken; free again when this is dropped, also if a callback panics.
struct Slot(Arc<Gate>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        write!(f, "Gate({} of {}, {} wait)", state.running, state.at_once, state.waiting.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_per_time() {
        for (text, milliseconds) in
            [("10/s", 100), ("600/m", 100), ("2/h", 1_800_000), ("5/250ms", 50), ("0.5/s", 2000)]
        {
            assert_eq!(
                text.parse::<Rate>().ok().unwrap().each,
                Duration::from_millis(milliseconds),
                "{text}"
            );
        }
        for text in ["10", "/s", "0/s", "-1/s", "10/x", "nan/s", "10/"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_one_each_time() {
        let (now, each) = (Instant::now(), Duration::from_millis(100));
        let mut bucket = Bucket { each, burst: 3, full_at: now };
        for _ in 0..3 {
            assert_eq!(bucket.take(now), Ok(()));
        }
        assert_eq!(bucket.take(now), Err(each));
        assert_eq!(bucket.take(now + each), Ok(()));
        assert_eq!(bucket.take(now + each), Err(each));
        let rested = now + each * 100;
        for _ in 0..3 {
            assert_eq!(bucket.take(rested), Ok(()));
        }
        assert_eq!(bucket.take(rested), Err(each));
    }

    #[test]
    fn a_place_without_a_rate_always_has_a_token() {
        let now = Instant::now();
        let mut bucket = Bucket { each: Duration::ZERO, burst: 1, full_at: now };
        assert!((0..1000).all(|_| bucket.take(now).is_ok()));
    }
}
