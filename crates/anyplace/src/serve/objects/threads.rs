//! The threads on which objects are called: as many as calls need.
//!
//! A call may take long, or wait for another call that waits for this one. So no call may stand in line behind calls that
//! do not end: who has waited for a moment while all threads were busy gets a thread of its own. Calls that are short are
//! done by few threads, since none of them waits so long.
//!
//! | there is | a call that comes |
//! |---|---|
//! | an idle thread | wakes it |
//! | fewer threads at work than cores, or one that has said that it waits | gets a new one |
//! | none of these | is left to whoever is free first; a thread that only watches takes it after [`MOMENT`] |

use crate::context::{caught, within_engine};
use crate::peer::Peer;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// So long a call waits for a thread that is busy.
const MOMENT: Duration = Duration::from_millis(1);

/// A thread that has had nothing to do for so long ends.
const IDLE: Duration = Duration::from_secs(5);

thread_local! {
    /// Whether this thread is one of these.
    static OURS: Cell<bool> = const { Cell::new(false) };
}

thread_local! {
    /// Whether this thread does what comes next by itself, and what that is.
    static NEXT: RefCell<Next> = const { RefCell::new(Next::Elsewhere) };
}

thread_local! {
    /// Whom this thread hears between two calls.
    static HEARD: RefCell<Option<Peer>> = const { RefCell::new(None) };
}

enum Next {
    Elsewhere,
    Wanted,
    Here(Job),
}

/// A thread that has answered a call hears for so long whether its caller goes on.
const LISTENING: Duration = Duration::from_millis(20);

pub(super) type Job = Box<dyn FnOnce() + Send>;

/// Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Threads(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    /// Rung for idle threads.
    bell: Condvar,
    /// Rung for the one that watches.
    watch: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    idle: usize,
    /// Threads that do something, and do not wait for a call of theirs.
    busy: usize,
    is_watched: bool,
    /// How many jobs were taken so far.
    taken: u64,
}

impl Threads {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a thread do this.
    pub(super) fn run(&self, job: Job) {
        let Some(job) = keep(job) else { return };
        let mut state = self.lock();
        state.jobs.push_back(job);
        self.look_after(state);
    }

    /// Calls an object for `peer`, by `call`. The thread then hears by itself what comes from there, and does what that is: a caller
    /// that goes on from call to call costs no hand-over from thread to thread.
    pub(super) fn call(&self, peer: &Peer, call: Job) {
        let Some(call) = keep(call) else { return };
        let (threads, peer) = (self.clone(), peer.clone());
        self.run(Box::new(move || {
            caught(call);
            while let Some(job) = threads.listen(&peer) {
                HEARD.set(Some(peer.clone()));
                caught(job);
                HEARD.set(None);
            }
        }));
    }

    /// What comes next from there; nothing if it is for others, or nothing comes for long.
    fn listen(&self, peer: &Peer) -> Option<Job> {
        NEXT.set(Next::Wanted);
        let until = Some(Instant::now() + LISTENING);
        let is_there = || NEXT.with_borrow(|next| matches!(next, Next::Here(_)));
        self.waiting(Some(peer), || peer.lead(until, is_there));
        match NEXT.replace(Next::Elsewhere) {
            Next::Here(job) => Some(job),
            _ => {
                peer.stop_leading();
                None
            }
        }
    }

    /// Sees to it that somebody takes what waits.
    fn look_after(&self, mut state: MutexGuard<'_, State>) {
        if state.jobs.is_empty() {
            return;
        }
        if state.idle >= state.jobs.len() {
            self.0.bell.notify_one();
        } else if state.busy + state.idle < enough() {
            self.start(state);
        } else if state.is_watched {
            self.0.watch.notify_one();
        } else {
            state.is_watched = true;
            self.start_watching(state);
        }
    }

    fn start(&self, mut state: MutexGuard<'_, State>) {
        state.busy += 1;
        drop(state);
        let threads = self.clone();
        let started = spawn(move || {
            threads.work();
        });
        if !started {
            // What waits is done by those that are there.
            self.lock().busy -= 1;
        }
    }

    fn work(&self) {
        OURS.set(true);
        while let Some(job) = self.next() {
            caught(job);
        }
    }

    /// The next job; nothing if there was none for long. The caller counts as busy, and does not afterwards.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                state.taken += 1;
                return Some(job);
            }
            state.busy -= 1;
            state.idle += 1;
            let (after, waited) =
                self.0.bell.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = after;
            state.idle -= 1;
            if waited.timed_out() && state.jobs.is_empty() {
                return None;
            }
            state.busy += 1;
        }
    }

    fn start_watching(&self, state: MutexGuard<'_, State>) {
        drop(state);
        let threads = self.clone();
        if !spawn(move || threads.watch()) {
            self.lock().is_watched = false;
        }
    }

    /// Starts a thread for what waits while nothing goes on.
    fn watch(&self) {
        let mut state = self.lock();
        loop {
            let taken = state.taken;
            let time = if state.jobs.is_empty() { IDLE } else { MOMENT };
            let (after, waited) =
                self.0.watch.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner);
            state = after;
            if !waited.timed_out() {
                continue;
            }
            if state.jobs.is_empty() && time == IDLE {
                state.is_watched = false;
                return;
            }
            if !state.jobs.is_empty() && state.taken == taken {
                self.start(state);
                state = self.lock();
            }
        }
    }

    /// Waits for something, from `whom` if that is known, that may need one of these threads; the caller may be one itself.
    pub(super) fn waiting<R>(&self, whom: Option<&Peer>, wait: impl FnOnce() -> R) -> R {
        if !OURS.get() {
            return wait();
        }
        HEARD.with_borrow(|heard| {
            // Others hear it meanwhile.
            heard
                .iter()
                .filter(|heard| !whom.is_some_and(|whom| whom.is(heard)))
                .for_each(Peer::stop_leading);
        });
        let mut state = self.lock();
        state.busy -= 1;
        self.look_after(state);
        let result = wait();
        self.lock().busy += 1;
        result
    }
}

/// Keeps the job for this thread, if it wants one and has none.
fn keep(job: Job) -> Option<Job> {
    NEXT.with_borrow_mut(|next| {
        if !matches!(next, Next::Wanted) {
            return Some(job);
        }
        *next = Next::Here(job);
        None
    })
}

fn enough() -> usize {
    anyplace_sync::usable_cores().max(2)
}

fn spawn(work: impl FnOnce() + Send + 'static) -> bool {
    let named = thread::Builder::new().name("anyplace-object".to_owned());
    named.spawn(move || within_engine(work)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    const SOON: Duration = Duration::from_secs(20);

    #[test]
    fn no_job_waits_behind_jobs_that_do_not_end() {
        let threads = Threads::default();
        let (tell, told) = channel();
        let gate = Arc::new(anyplace_sync::Latch::new());
        for number in 0..40 {
            let (tell, gate) = (tell.clone(), gate.clone());
            threads.run(Box::new(move || {
                tell.send(number).unwrap();
                gate.wait(None);
            }));
        }
        let mut begun: Vec<_> = (0..40).map(|_| told.recv_timeout(SOON).unwrap()).collect();
        begun.sort_unstable();
        assert_eq!(begun, (0..40).collect::<Vec<_>>());
        gate.set();
    }

    #[test]
    fn short_jobs_are_done_by_few_threads() {
        let threads = Threads::default();
        let (tell, told) = channel();
        for _ in 0..2000 {
            let tell = tell.clone();
            threads.run(Box::new(move || tell.send(thread::current().id()).unwrap()));
        }
        let used: std::collections::HashSet<_> =
            (0..2000).map(|_| told.recv_timeout(SOON).unwrap()).collect();
        assert!(used.len() < 200, "{} threads", used.len());
    }

    #[test]
    fn a_job_that_panics_costs_no_thread() {
        let threads = Threads::default();
        let (tell, told) = channel();
        for number in 0..20 {
            let tell = tell.clone();
            threads.run(Box::new(move || {
                tell.send(number).unwrap();
                std::panic::resume_unwind(Box::new("on purpose"));
            }));
        }
        assert_eq!((0..20).map(|_| told.recv_timeout(SOON).unwrap()).sum::<i32>(), 190);
    }
}
