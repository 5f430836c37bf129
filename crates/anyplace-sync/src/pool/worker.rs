//! The life of one thread: seek, run what there is, seek again, sleep, until nothing can come any more.

use super::config::{Job, PoolConfig};
use super::current;
use super::shared::Shared;
use crate::spin::{self, SEEKERS};
use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

/// Runs the thread `index`. Whoever started it counted it as a seeker.
pub(super) fn main<J: Job>(shared: &Arc<Shared<J>>, index: usize) {
    current::enter(shared.id(), index);
    let config = &shared.config;
    let hook =
        |hook: &Option<_>| hook.as_ref().into_iter().for_each(|hook: &super::config::WorkerHook| hook(index));
    guarded(config, || hook(&config.on_start));
    while let Some(job) = seek(shared) {
        shared.stop_seeking();
        run_all(shared, job, index);
        guarded(config, current::rest);
        shared.counts.start_seeking();
    }
    shared.counts.stop_seeking();
    guarded(config, || hook(&config.on_exit));
    shared.threads.ended();
}

/// Runs `job` and then whatever waits, without a word to the others: they were called when it came.
fn run_all<J: Job>(shared: &Shared<J>, job: J, index: usize) {
    let mut next = Some(job);
    while let Some(job) = next {
        guarded(&shared.config, || job.run(index));
        next = shared.queue.take();
    }
}

/// The next job, or nothing when none can come any more. Sleeps in between.
fn seek<J: Job>(shared: &Shared<J>) -> Option<J> {
    loop {
        // The word is read before the queue: if it was final, the queue holds all there will ever be.
        let last_look = shared.counts.look().is_final();
        let job = take(shared);
        if job.is_some() || last_look {
            return job;
        }
        if !spin(shared) {
            sleep(shared);
        }
    }
}

/// The next job, taken with what this thread needs for it.
fn take<J: Job>(shared: &Shared<J>) -> Option<J> {
    if shared.queue.is_empty() {
        return None;
    }
    guarded(&shared.config, current::prepare);
    let job = shared.queue.take();
    if job.is_none() {
        // Another thread was faster.
        guarded(&shared.config, current::rest);
    }
    job
}

/// Looks for a job for as long as a wake-up costs; true if it is worth taking a closer look.
fn spin<J: Job>(shared: &Shared<J>) -> bool {
    let time = shared.config.spin.unwrap_or(spin::DEFAULT);
    let news = || !shared.queue.is_empty() || shared.counts.look().is_closed();
    !time.is_zero() && SEEKERS.enter().is_some_and(|permit| permit.spin_until(Instant::now() + time, news))
}

/// Sleeps until called, unless there is something to do already.
fn sleep<J: Job>(shared: &Shared<J>) {
    let seen = shared.counts.fall_asleep();
    let awake = (seen.is_final() || !shared.queue.is_empty()) && shared.counts.rise();
    if !awake {
        shared.tokens.take();
    }
}

/// Runs what others wrote: a panic in it must not end the thread.
fn guarded(config: &PoolConfig, run: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
        dispose(config, payload);
    }
}

/// Hands the payload of a panic on. A payload that panics as it is dropped is left where it is.
fn dispose(config: &PoolConfig, payload: Box<dyn Any + Send>) {
    let drop_it = || config.on_panic.as_ref().map_or_else(|| (), |hook| hook(payload));
    if let Err(another) = catch_unwind(AssertUnwindSafe(drop_it)) {
        mem::forget(another);
    }
}
