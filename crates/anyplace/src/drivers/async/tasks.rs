//! At most N at once: a task takes a free slot or waits its turn, and gives its slot to the next when it ends.
//!
//! One thread at a time hands out slots (`handing`): a future that ends while it is being started only frees its
//! slot, and the thread that started it goes on. So a million futures that end at once do not nest a million calls.

use super::runtime::LazyRuntime;
use crate::driver::Tasks;
use crate::outcome::{Done, Outcome};
use crate::task::{Control, Ending, Task};
use crate::work::{Call, Future, Work};
use crate::{Error, Kind};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// How long a future gets to come to its next await once it is ended.
const TO_END: Duration = Duration::from_secs(1);

pub(super) struct Slots {
    myself: Weak<Self>,
    at_once: usize,
    runtime: LazyRuntime,
    state: Mutex<State>,
    /// A task has ended while the place is being closed.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    /// Slots that were used and are free; then those never used, from `fresh` on.
    free: Vec<usize>,
    fresh: usize,
    /// Who is in which slot.
    running: Vec<Option<Control>>,
    waiting: VecDeque<(Task, Done)>,
    handing: bool,
    closing: bool,
}

impl State {
    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.iter().all(Option::is_none)
    }

    fn enter(&mut self, slot: usize, control: Control) {
        if self.running.len() <= slot {
            self.running.resize_with(slot + 1, || None);
        }
        self.running[slot] = Some(control);
    }
}

impl Slots {
    pub(super) fn new(at_once: usize) -> Arc<Self> {
        Arc::new_cyclic(|myself| Self {
            myself: myself.clone(),
            at_once,
            runtime: LazyRuntime::default(),
            state: Mutex::default(),
            ended: Condvar::new(),
        })
    }

    /// Ends what waits for a slot.
    pub(super) fn cancel(&self) {
        let waiting = std::mem::take(&mut self.state().waiting);
        waiting.into_iter().for_each(|(_, done)| done.call(Outcome::cancelled()));
    }

    /// Ends what still runs, and waits until it is gone: `false` if something never comes to an await.
    pub(super) fn close(&self) -> bool {
        let running: Vec<Control> = {
            let mut state = self.state();
            state.closing = true;
            state.running.iter().flatten().cloned().collect()
        };
        for control in running {
            control.kill(Ending::Cancelled);
        }
        let state = self.state();
        let is_busy = |state: &mut State| !state.is_idle();
        let waited =
            self.ended.wait_timeout_while(state, TO_END, is_busy).unwrap_or_else(PoisonError::into_inner);
        let is_idle = waited.0.is_idle();
        drop(waited);
        self.runtime.close();
        is_idle
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hand_out(&self) {
        if std::mem::replace(&mut self.state().handing, true) {
            return;
        }
        while let Some((task, done, slot)) = self.next() {
            self.begin(task, done, slot);
        }
    }

    /// The next task with a slot for it; ends the handing out when there is none.
    fn next(&self) -> Option<(Task, Done, usize)> {
        let mut state = self.state();
        let slot = state.free.last().copied().unwrap_or(state.fresh);
        if slot >= self.at_once || state.waiting.is_empty() {
            state.handing = false;
            return None;
        }
        if state.free.pop().is_none() {
            state.fresh += 1;
        }
        let (task, done) = state.waiting.pop_front()?;
        // In one step with leaving the queue, so that closing never misses it.
        state.enter(slot, task.control());
        Some((task, done, slot))
    }

    /// Nothing runs in the slot any more. Closing does not wait for what hears of it, which may be what closes.
    fn ended(&self, slot: usize) {
        let mut state = self.state();
        state.running[slot] = None;
        if state.closing {
            self.ended.notify_all();
        }
    }

    /// The outcome is told: the slot is free for the next.
    fn leave(&self, slot: usize) {
        self.state().free.push(slot);
    }

    fn begin(&self, task: Task, done: Done, slot: usize) {
        let control = task.control();
        let (slots, over) = (self.myself.clone(), control.clone());
        let done = Done::new(move |outcome| {
            over.clear_kill();
            let slots = slots.upgrade();
            slots.iter().for_each(|slots| slots.ended(slot));
            done.call(outcome);
            if let Some(slots) = slots {
                slots.leave(slot);
                slots.hand_out();
            }
        });
        if !task.start(slot) {
            return done.call(Outcome::cancelled());
        }
        let context = task.context(slot, self.at_once.min(anyplace_sync::usable_cores()));
        match task.work {
            Work::Call(Call::Future(future)) => self.start(future, context, control, done),
            work => done.call(Outcome::Failed(refused(&work))),
        }
    }

    fn start(&self, future: Box<dyn Future>, context: crate::Context, control: Control, done: Done) {
        let ending = Arc::new(Mutex::new(None));
        let asked = ending.clone();
        let done = Done::new(move |outcome| done.call(as_asked(outcome, *lock(&asked))));
        let abort = future.start(context, &self.runtime, done);
        control.on_kill(move |why| {
            *lock(&ending) = Some(why);
            abort();
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A task that was ended because its time was over failed by that, however its future took it.
fn as_asked(outcome: Outcome, ending: Option<Ending>) -> Outcome {
    match (outcome, ending) {
        (Outcome::Cancelled(error), Some(Ending::Timeout)) => Outcome::Failed(
            Error::new(Kind::Timeout, "the task was ended: its time was over").with_retry(error.retry()),
        ),
        (outcome, _) => outcome,
    }
}

fn refused(work: &Work) -> Error {
    Error::new(Kind::Unsupported, format!("an event loop does not run {}", work.kind().name()))
        .with_help("give it an `async` function, or run plain ones in `threads:`")
}

impl Tasks for Slots {
    fn submit(&self, task: Task, done: Done) {
        let mut state = self.state();
        if state.closing {
            drop(state);
            // Its runtime is gone, and nobody would end another.
            return done.call(Outcome::too_late());
        }
        state.waiting.push_back((task, done));
        drop(state);
        self.hand_out();
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slots({})", self.at_once)
    }
}
