//! What a worker does with a task: begin it unless it was cancelled, run it, say how it ended.
//!
//! Workers that are threads call `run` below. Workers that are processes of their own call [`serve`] with what runs
//! work in their language, an [`Interpreter`]; Rust programs do that in [`init`](crate::init).

mod ears;
mod greeting;
mod growing;
mod init;
mod lines;
mod link;
mod list;
mod memory;
mod named;
mod order;
mod replies;
mod serve;
mod table;
mod terms;
mod zygote;

pub use init::init;
pub(crate) use init::{MARKER, is_initialised};
pub use lines::Lines;
pub use link::Link;
pub(crate) use order::Functions;
pub use order::{Callee, Order};
pub use replies::Replies;
pub(crate) use replies::{Collected, Sink};
pub use serve::serve;
pub(crate) use table::SPOKEN;
pub use zygote::zygote;

use crate::context::within_engine;
use crate::error::{Error, Kind};
use crate::outcome::{Done, Outcome};
use crate::task::Task;
use crate::work::{Call, Work};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs work in a worker process for one language: the engine's own runs `#[anyplace::task]` functions, Python's
/// runs pickled callables and `module:function`.
pub trait Interpreter {
    /// Makes the calls of an order and tells how each ended. A call at position `p` runs in the order's context at
    /// its index plus `p`. If this panics, the calls that are not answered have failed by the panic.
    fn run(&mut self, order: &Order<'_>, replies: &mut Replies<'_>);

    /// Does what the place wants done before the first task. If it does not return, the place is broken.
    fn first(&mut self, order: &Order<'_>, replies: &mut Replies<'_>) {
        self.run(order, replies);
    }

    /// The language and its version, such as `python 3.12`: both ends of a place must speak the same.
    fn language(&self) -> String {
        "rust".to_owned()
    }

    /// Calls `wait`, which returns when there is something to do. Python lets go of its interpreter lock meanwhile.
    fn idle(&mut self, wait: &mut dyn FnMut()) {
        wait();
    }
}

/// Runs a closure's task on this thread, as worker `worker` of `workers`. A panic is an outcome, never the end of
/// the worker.
pub(crate) fn run(task: Task, done: Done, worker: usize, workers: usize) {
    // The closure may hold the last clone of its own place.
    within_engine(|| run_here(task, done, worker, workers));
}

fn run_here(task: Task, done: Done, worker: usize, workers: usize) {
    if !task.start(worker) {
        return done.call(Outcome::cancelled());
    }
    let context = task.context(worker, workers);
    let scope = &task.shared.scope;
    let outcome = match task.work {
        Work::Call(Call::Closure(closure)) => {
            let run = AssertUnwindSafe(|| scope.run(|| closure.run(&context)));
            catch_unwind(run).unwrap_or_else(|payload| {
                Outcome::Failed(Error::panicked(&*payload).on_attempt(context.attempt))
            })
        }
        work => Outcome::Failed(Error::new(
            Kind::Unsupported,
            format!("this worker does not run {}", work.kind().name()),
        )),
    };
    done.call(outcome);
}
