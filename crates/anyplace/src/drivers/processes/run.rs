//! One task on a slot's worker: what it is sent, how it may end, what is tried again.
//!
//! A worker that dies takes only what it ran along. What is declared idempotent is run again: a chunk item by item,
//! so that only the guilty one fails, and an item at most [`AGAIN`] times, so that one that kills every worker stops.

use super::bell::Wish;
use super::process::Death;
use super::slot::Slot;
use super::worker::{Event, Outbox, Worker};
use crate::context::Context;
use crate::error::{Error, Exit, Kind, Retry};
use crate::outcome::{ItemsWriter, Outcome, Value};
use crate::task::{Ending, Task, TaskOptions};
use crate::wire::{self, Callee, FromWorker, Kind as FrameKind, Malformed};
use crate::work::{Arguments, Function, Packed, Work};
use std::sync::Arc;
use std::time::Instant;

/// How often an idempotent item whose worker died is run again.
const AGAIN: u32 = 3;

/// How one run on a worker ended.
enum Ran {
    Replied(Outcome),
    /// Its worker died over it.
    Died(Error),
    /// It was ended on request, or its worker could not be replaced.
    Stopped(Outcome),
}

/// What one run is about.
struct Call<'a> {
    callee: Callee<'a>,
    function: Option<&'a Arc<Function>>,
    options: &'a TaskOptions,
    wish: &'a Wish,
}

impl Slot {
    /// Runs the task's work on the worker, which is ready.
    pub(super) fn run_work(&mut self, task: &Task, context: Context, wish: &Wish) -> Outcome {
        let options = &task.options;
        let (callee, function, arguments) = match &task.work {
            Work::Named(named) => (Callee::Named(&named.name), None, &named.arguments),
            Work::Pickled(pickled) => {
                (Callee::Defined(pickled.function.id), Some(&pickled.function), &pickled.arguments)
            }
            work => return Outcome::Failed(no_worker_for(work)),
        };
        let call = Call { callee, function, options, wish };
        match (self.run_once(&call, arguments, context), arguments) {
            (Ran::Replied(outcome) | Ran::Stopped(outcome), _) => outcome,
            (Ran::Died(error), _) if !options.idempotent => Outcome::Lost(error),
            (Ran::Died(error), Arguments::One(_)) => self.run_again(&call, arguments, context, error),
            (Ran::Died(_), Arguments::Each(calls)) => self.run_each(&call, calls, context),
        }
    }

    /// Runs the items of a chunk one by one, each on its own.
    fn run_each(&mut self, call: &Call<'_>, calls: &Packed, context: Context) -> Outcome {
        let mut items = ItemsWriter::default();
        for (index, payload) in (context.index..).zip(calls) {
            let (arguments, context) = (Arguments::One(payload.to_owned()), context.at(index));
            items.push(match self.run_once(call, &arguments, context) {
                Ran::Replied(outcome) | Ran::Stopped(outcome) => outcome,
                Ran::Died(error) => self.run_again(call, &arguments, context, error),
            });
        }
        Outcome::Returned(Value::Items(items.finish()))
    }

    fn run_again(
        &mut self,
        call: &Call<'_>,
        arguments: &Arguments,
        mut context: Context,
        error: Error,
    ) -> Outcome {
        let mut last = error;
        for _ in 0..AGAIN {
            context.attempt += 1;
            match self.run_once(call, arguments, context) {
                Ran::Replied(outcome) | Ran::Stopped(outcome) => return outcome,
                Ran::Died(error) => last = error,
            }
        }
        Outcome::Lost(last.with_retry(Retry::Never).with_help(format!(
            "it was run {} times and its worker died each time: it is the item that kills it",
            AGAIN + 1
        )))
    }

    fn run_once(&mut self, call: &Call<'_>, arguments: &Arguments, context: Context) -> Ran {
        if let Some(ending) = self.ending(call) {
            return Ran::Stopped(ended(ending, context));
        }
        if let Err(error) = self.ready(call.wish, &context) {
            return Ran::Stopped(
                self.ending(call).map_or(Outcome::Lost(error), |ending| ended(ending, context)),
            );
        }
        let Some(mut worker) = self.worker.take() else { unreachable!("a ready slot has a worker") };
        let ran = self.exchange(&mut worker, call, arguments, context);
        if matches!(ran, Ran::Replied(_)) {
            self.worker = Some(worker);
        }
        ran
    }

    /// Why the run should end, if it should.
    fn ending(&self, call: &Call<'_>) -> Option<Ending> {
        call.wish.made().or_else(|| self.shared.is_killing().then_some(Ending::Cancelled))
    }

    /// Sends the call and waits for its reply. Unless there is one, the worker is spent.
    fn exchange(&self, worker: &mut Worker, call: &Call<'_>, arguments: &Arguments, context: Context) -> Ran {
        let mut outbox = Outbox::default();
        if let Some(function) = call.function {
            let news = worker.known.call(function);
            news.forget.into_iter().for_each(|id| outbox.push(wire::forget(id)));
            if news.define {
                outbox.push(wire::define(function));
            }
        }
        outbox.push(wire::order(FrameKind::Task, call.callee, arguments, &context));
        worker.tasks += 1;
        let deadline = call.options.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            match worker.next(&mut outbox, &self.bell, deadline) {
                Event::Said(FromWorker::Reply(outcome)) => return Ran::Replied(outcome),
                Event::Said(FromWorker::Log(record)) => self.log(record),
                Event::Said(FromWorker::Welcome(_) | FromWorker::Born(_) | FromWorker::Unborn(..)) => {
                    return Ran::Died(nonsense(worker, None, context));
                }
                Event::Malformed(why) => return Ran::Died(nonsense(worker, Some(why), context)),
                Event::Ended => return Ran::Died(lost(&worker.reap(), call.options, context)),
                Event::Late => return Ran::Stopped(ended(Ending::Timeout, context)),
                Event::Rung => {
                    if let Some(ending) = self.ending(call) {
                        return Ran::Stopped(ended(ending, context));
                    }
                }
            }
        }
    }
}

/// The outcome of a run whose worker is killed on request.
fn ended(ending: Ending, context: Context) -> Outcome {
    let error = match ending {
        Ending::Cancelled => Error::new(Kind::Cancelled, "the task was ended on request while it ran"),
        Ending::Timeout => Error::new(Kind::Timeout, "the task ran longer than its time limit and was ended")
            .with_help("give it more time, or less to do"),
    };
    Outcome::from(error.with_retry(Retry::MayRepeat).on_attempt(context.attempt))
}

fn lost(death: &Death, options: &TaskOptions, context: Context) -> Error {
    let what = options.name.as_deref().map_or("the task".to_owned(), |name| format!("`{name}`"));
    let message = format!("worker process {} died while it ran {what}: {}", death.pid, death.exit);
    Error::new(Kind::WorkerLost, message)
        .with_exit(death.exit)
        .with_log_tail(death.tail.clone())
        .with_retry(Retry::MayRepeat)
        .on_attempt(context.attempt)
        .with_help(match death.exit {
            Exit::Signal(9) => {
                "likely out of memory: the kernel kills with SIGKILL; use fewer workers or less memory"
            }
            Exit::Signal(_) => "native code crashed: look at what the task calls outside its language",
            Exit::Code(_) => "the work ended its process: let it return or fail instead",
        })
}

fn nonsense(worker: &mut Worker, malformed: Option<Malformed>, context: Context) -> Error {
    let error = Error::new(Kind::WorkerLost, "a worker process said what no worker says and was ended")
        .with_log_tail(worker.reap().tail)
        .with_retry(Retry::MayRepeat)
        .on_attempt(context.attempt);
    match malformed {
        Some(malformed) => error.with_source(malformed),
        None => error,
    }
}

fn no_worker_for(work: &Work) -> Error {
    Error::new(Kind::Unsupported, format!("a worker process does not run {}", work.kind().name()))
        .with_help("open `threads:` for closures, `async:` for futures")
}
