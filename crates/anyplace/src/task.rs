//! A work on its way: its numbers, its options, and the state that its handle, its driver and its layers share.

pub(crate) mod away;
mod shared;

pub(crate) use shared::Shared;
pub use shared::{Ending, Started};

use crate::context::Context;
use crate::place::Scope;
use crate::work::Work;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A work with its number, its options, and the control that its handle shares.
///
/// A task may stand for a chunk of a map: then `items` is more than one and `index` is the first item's.
pub struct Task {
    /// The number of the submit or map in its place, from 0.
    pub id: u64,
    /// The first item's position in its map; 0 for a single task.
    pub index: u64,
    /// How many items it stands for.
    pub items: u32,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// What to do.
    pub work: Work,
    /// What the caller wants of it.
    pub options: TaskOptions,
    pub(crate) shared: Arc<Shared>,
}

/// What a caller wants of a task, beside the work itself.
#[derive(Clone, Debug, Default)]
pub struct TaskOptions {
    /// The name that errors, traces and progress show.
    pub name: Option<Arc<str>>,
    /// Doing it twice does no harm: it may be repeated after a crash in the middle.
    pub idempotent: bool,
    /// How long one attempt may run before it is ended; layers and callers set it, places that can kill keep it.
    pub timeout: Option<Duration>,
}

impl Task {
    pub(crate) fn new(
        id: u64,
        index: u64,
        items: u32,
        work: Work,
        options: TaskOptions,
        scope: Arc<Scope>,
    ) -> Self {
        Self { id, index, items, attempt: 1, work, options, shared: Arc::new(Shared::new(scope)) }
    }

    /// Marks the task as begun on `worker`, unless it was cancelled meanwhile: then it must not run, and its
    /// outcome is [`Outcome::cancelled`](crate::Outcome::cancelled).
    #[must_use]
    pub fn start(&self, worker: usize) -> bool {
        self.shared.start(Started { task: self.id, index: self.index, attempt: self.attempt, worker })
    }

    /// What the running task may know about itself.
    pub fn context(&self, worker: usize, workers: usize) -> Context {
        let root_seed = self.shared.scope.seed;
        Context { task: self.id, index: self.index, attempt: self.attempt, worker, workers, root_seed }
    }

    /// The control that the task shares with its handle and its layers.
    pub fn control(&self) -> Control {
        Control(self.shared.clone())
    }

    /// The next attempt of the same task, with the same control; `None` if the work was used up.
    pub fn again(&self, work: Work) -> Self {
        let Self { id, index, items, attempt, options, shared, .. } = self;
        Self {
            id: *id,
            index: *index,
            items: *items,
            attempt: attempt + 1,
            work,
            options: options.clone(),
            shared: shared.clone(),
        }
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Task {}[{}..+{}] attempt {}: {:?}",
            self.id, self.index, self.items, self.attempt, self.work
        )
    }
}

/// Watches and ends a task, from whichever side: the caller's handle, a layer, the driver.
#[derive(Clone)]
pub struct Control(pub(crate) Arc<Shared>);

impl Control {
    /// Cancels the task if it has not begun: `true` if it now never will.
    pub fn cancel(&self) -> bool {
        self.0.cancel()
    }

    /// Whether the task was cancelled, by its handle or by the closing of its place, before it began.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Whether a worker runs the task now.
    pub fn is_running(&self) -> bool {
        self.0.is_running()
    }

    /// Asks the place to end the running task: `true` if it can and will. The outcome follows.
    ///
    /// A task that has not begun is cancelled instead.
    pub fn kill(&self, ending: Ending) -> bool {
        self.0.kill(ending)
    }

    /// For drivers that can kill: how to end the task that just started. Called at once if that was asked before.
    pub fn on_kill(&self, end: impl Fn(Ending) + Send + Sync + 'static) {
        self.0.on_kill(Box::new(end));
    }

    /// Forgets how to end it: the attempt is over, its worker may already run another task.
    pub fn clear_kill(&self) {
        self.0.clear_kill();
    }

    /// For layers: calls `observer` each time an attempt begins, on the worker's thread.
    pub fn on_start(&self, observer: impl Fn(&Started) + Send + Sync + 'static) {
        self.0.on_start(Box::new(observer));
    }

    /// For `retry`: the attempt is over, the task waits again (and can be cancelled again). `false` if it was
    /// cancelled or its place was closed meanwhile: then it must not be tried again.
    #[must_use]
    pub fn wait_again(&self) -> bool {
        self.0.wait_again()
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Control")
    }
}
