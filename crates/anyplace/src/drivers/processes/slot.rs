//! A slot: the thread that owns one worker process at a time, and runs one task after the other on it.

use super::bell::{Bell, Wish};
use super::not_started::NotStarted;
use super::shared::{Shared, Take};
use super::start;
use super::worker::{Event, Outbox, Worker};
use crate::context::caught;
use crate::error::{Error, Kind, Retry};
use crate::outcome::{Done, Outcome};
use crate::task::Task;
use crate::wire::FromWorker;
use rustix::event::{PollFd, PollFlags, poll};
use std::sync::Arc;
use std::time::Duration;

/// How long an idle worker has to leave when its place is closed, or when it has done its share of tasks.
const FAREWELL: Duration = Duration::from_secs(2);

pub(super) struct Slot {
    pub(super) number: usize,
    pub(super) shared: Arc<Shared>,
    pub(super) bell: Bell,
    pub(super) worker: Option<Worker>,
}

impl Slot {
    pub(super) fn new(number: usize, shared: Arc<Shared>, bell: Bell) -> Self {
        Self { number, shared, bell, worker: None }
    }

    /// Runs tasks until the place is closed.
    pub(super) fn run(mut self) {
        while let Some((task, done)) = self.next_task() {
            done.call(self.run_task(&task));
            self.retire();
        }
        self.say_farewell();
    }

    fn next_task(&mut self) -> Option<(Task, Done)> {
        loop {
            match self.shared.take(self.number) {
                Take::Task(task, done) => return Some((task, done)),
                Take::End => return None,
                Take::Wait => self.wait_idle(),
            }
        }
    }

    /// Waits for the bell. A worker that dies meanwhile is replaced when the next task comes, not before: one that
    /// cannot live is not started again and again.
    fn wait_idle(&mut self) {
        let Some(worker) = &mut self.worker else { return self.wait_for_bell() };
        match worker.next(&mut Outbox::default(), &self.bell, None) {
            Event::Said(FromWorker::Log(record)) => self.log(record),
            Event::Rung => {}
            Event::Said(_) | Event::Malformed(_) | Event::Ended | Event::Late => self.worker = None,
        }
    }

    fn wait_for_bell(&self) {
        // Interrupted or not, the caller looks whether there is something to do.
        let _ = poll(&mut [PollFd::new(&self.bell, PollFlags::IN)], None);
        self.bell.hush();
    }

    pub(super) fn log(&self, record: crate::work::Payload) {
        if let Some(on_log) = &self.shared.setup.on_log {
            caught(|| (on_log.0)(record));
        }
    }

    fn run_task(&mut self, task: &Task) -> Outcome {
        let (control, context) = (task.control(), task.context(self.number, self.shared.workers));
        if control.is_cancelled() {
            return Outcome::cancelled();
        }
        // The worker is ready before the task begins: until then it can be cancelled, and it is known not to have run.
        if let Err(error) = self.ready(&Wish::default(), &context)
            && !control.is_cancelled()
        {
            return Outcome::Lost(error.on_attempt(task.attempt));
        }
        let (wish, bell) = (Wish::default(), self.bell.clone());
        let wished = wish.clone();
        // Before it begins, so that nobody is told in between that the place cannot end it.
        control.on_kill(move |ending| {
            wished.make(ending);
            bell.ring();
        });
        if !task.start(self.number) {
            control.clear_kill();
            return Outcome::cancelled();
        }
        let outcome = self.run_work(task, context, &wish);
        control.clear_kill();
        outcome
    }

    /// Makes sure that there is a worker.
    ///
    /// # Errors
    /// Why there is none, and for this place will be none; or that somebody made the wish meanwhile.
    pub(super) fn ready(&mut self, wish: &Wish, context: &crate::Context) -> Result<(), Error> {
        // A task must not pay for a worker that died before it came.
        self.worker.take_if(|worker| worker.is_dead());
        while self.worker.is_none() {
            if let Some(error) = self.shared.broken() {
                return Err(error);
            }
            match start::start(self, wish, context) {
                Ok(worker) => {
                    self.shared.worker_is_ready();
                    self.worker = Some(worker);
                }
                Err(NotStarted::Died(error)) => self.shared.start_failed(error),
                Err(NotStarted::NoRoom(error)) => return Err(error),
                Err(NotStarted::Never(error)) => return Err(self.shared.break_down(error)),
                Err(NotStarted::Interrupted) => return Err(interrupted()),
            }
        }
        Ok(())
    }

    /// Replaces a worker that has done its share, or has kept more memory than it may have.
    fn retire(&mut self) {
        let memory = self.shared.terms.memory.unwrap_or(u64::MAX);
        let is_spent = |worker: &Worker| {
            worker.tasks >= self.shared.max_tasks || (memory < u64::MAX && worker.resident() > memory)
        };
        if self.worker.as_ref().is_some_and(is_spent) {
            self.say_farewell();
        }
    }

    fn say_farewell(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.end(FAREWELL, &self.bell, |said| {
                if let FromWorker::Log(record) = said {
                    self.log(record);
                }
            });
        }
    }
}

fn interrupted() -> Error {
    Error::new(Kind::PlaceClosed, "the place was closed before the task could begin").with_retry(Retry::Safe)
}
