//! What the handles and the threads of a pool share, and the protocol between them (README.md).

use super::config::{Job, PoolConfig, Reason};
use super::counts::{Counts, Seen, Summons};
use super::queue::Queue;
use super::threads::Threads;
use super::{current, worker};
use crate::tokens::Tokens;
use std::sync::Arc;
use std::time::Instant;

#[derive(Debug)]
pub(super) struct Shared<J> {
    pub(super) config: PoolConfig,
    pub(super) queue: Queue<J>,
    pub(super) counts: Counts,
    pub(super) tokens: Tokens,
    pub(super) threads: Threads,
}

/// A submitter from its entry to its end; while there is one, no thread exits.
#[derive(Debug)]
pub(super) struct Submitter<'a, J: Job>(&'a Arc<Shared<J>>);

impl<J: Job> Shared<J> {
    pub(super) fn new(config: PoolConfig) -> Self {
        let threads = Threads::new(config.threads);
        Self { config, queue: Queue::new(), counts: Counts::new(), tokens: Tokens::new(), threads }
    }

    /// Announces a submitter, unless the pool is closed or has no thread.
    pub(super) fn enter(self: &Arc<Self>) -> Result<Submitter<'_, J>, Reason> {
        let seen = self.counts.enter();
        let submitter = Submitter(self);
        if seen.is_closed() {
            return Err(Reason::ShutDown);
        }
        if self.threads.started() == 0 {
            self.start_first().map_err(Reason::NoThread)?;
        }
        Ok(submitter)
    }

    /// Makes sure that somebody takes the queued jobs.
    pub(super) fn call(self: &Arc<Self>) {
        self.see_to(self.counts.summon(self.threads.may_start()));
    }

    fn see_to(self: &Arc<Self>, summons: Summons) {
        match summons {
            Summons::Nobody => {}
            Summons::Sleeper => self.tokens.give(1),
            Summons::NewThread => self.start_another(),
        }
    }

    /// A seeker stops seeking: the last one sees to the jobs that others left to it.
    pub(super) fn stop_seeking(self: &Arc<Self>) {
        if self.counts.stop_seeking().seekers() == 0 && !self.queue.is_empty() {
            self.call();
        }
    }

    pub(super) fn shut_down(&self) {
        self.counts.close();
        self.wake_all();
    }

    pub(super) fn join(self: &Arc<Self>, deadline: Option<Instant>) -> bool {
        self.shut_down();
        self.worker().is_none() && self.threads.join(|| self.counts.look().is_still(), deadline)
    }

    /// The index of the calling thread, if it is one of this pool's.
    pub(super) fn worker(self: &Arc<Self>) -> Option<usize> {
        current::worker_of(self.id())
    }

    pub(super) fn id(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self).addr()
    }

    fn start_first(self: &Arc<Self>) -> std::io::Result<()> {
        self.counts.start_seeking();
        let started = self.threads.start_first(&self.config.name, self.main());
        if !matches!(started, Ok(true)) {
            self.stop_seeking();
        }
        started.map(drop)
    }

    /// Starts the thread that has been counted as a seeker.
    fn start_another(self: &Arc<Self>) {
        if !self.threads.start_another(&self.config.name, self.main()) {
            self.stop_seeking();
            self.tell_if_closed(self.counts.look());
        }
    }

    fn main(self: &Arc<Self>) -> impl FnOnce(usize) + Send + use<J> {
        let shared = Arc::clone(self);
        move |index| worker::main(&shared, index)
    }

    fn wake_all(&self) {
        self.tokens.give(self.counts.summon_all());
    }

    /// Once the pool is closed, every step that may have been the last one wakes those who wait for it.
    fn tell_if_closed(&self, seen: Seen) {
        if seen.is_closed() {
            self.wake_all();
            self.threads.look_again();
        }
    }
}

impl<J: Job> Submitter<'_, J> {
    pub(super) fn push(&self, job: J) {
        self.0.queue.push(job);
    }

    /// Pushes a job and makes sure that somebody takes it, though more are to come.
    pub(super) fn push_and_call(&self, job: J) {
        self.push(job);
        self.0.call();
    }
}

impl<J: Job> Drop for Submitter<'_, J> {
    fn drop(&mut self) {
        // An empty queue means that what we pushed has been taken, and others see to what they push.
        let wanted = !self.0.queue.is_empty();
        let (seen, summons) = self.0.counts.leave(wanted, self.0.threads.may_start());
        self.0.see_to(summons);
        self.0.tell_if_closed(seen);
    }
}
