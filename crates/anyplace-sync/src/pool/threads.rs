//! The pool's threads: how many there are, starting one more, waiting for the last to end.

use crate::primitives::{
    Condvar, Mutex,
    atomic::{
        AtomicUsize,
        Ordering::{Acquire, Release},
    },
    lock,
    thread::{Builder, JoinHandle},
};
use std::io;
use std::time::Instant;

#[derive(Debug)]
pub(super) struct Threads {
    started: AtomicUsize,
    /// How many may be started. It falls to what there is when the system refuses one: asking again with every job
    /// would cost more than the missing thread.
    limit: AtomicUsize,
    ledger: Mutex<Ledger>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Ledger {
    alive: usize,
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            started: AtomicUsize::new(0),
            limit: AtomicUsize::new(limit),
            ledger: Mutex::new(Ledger::default()),
            changed: Condvar::new(),
        }
    }

    pub(super) fn started(&self) -> usize {
        self.started.load(Acquire)
    }

    pub(super) fn may_start(&self) -> bool {
        self.started() < self.limit.load(Acquire)
    }

    /// Starts the first thread if nobody has; `main` is what it runs.
    pub(super) fn start_first(
        &self,
        name: &str,
        main: impl FnOnce(usize) + Send + 'static,
    ) -> io::Result<bool> {
        let mut ledger = lock(&self.ledger);
        if self.started() > 0 {
            return Ok(false);
        }
        self.start(&mut ledger, name, main).map(|()| true)
    }

    /// Starts one more thread if the limit and the system allow it. If not, they never will again.
    pub(super) fn start_another(&self, name: &str, main: impl FnOnce(usize) + Send + 'static) -> bool {
        let mut ledger = lock(&self.ledger);
        if !self.may_start() {
            return false;
        }
        let started = self.start(&mut ledger, name, main).is_ok();
        if !started {
            self.limit.store(self.started(), Release);
        }
        started
    }

    fn start(
        &self,
        ledger: &mut Ledger,
        name: &str,
        main: impl FnOnce(usize) + Send + 'static,
    ) -> io::Result<()> {
        let index = self.started();
        let handle = Builder::new().name(format!("{name}-{index}")).spawn(move || main(index))?;
        ledger.handles.push(handle);
        ledger.alive += 1;
        self.started.store(index + 1, Release);
        Ok(())
    }

    /// The last act of a thread.
    pub(super) fn ended(&self) {
        lock(&self.ledger).alive -= 1;
        self.changed.notify_all();
    }

    /// Makes those who wait for the end look again.
    pub(super) fn look_again(&self) {
        drop(lock(&self.ledger));
        self.changed.notify_all();
    }

    /// Waits until no thread is alive and `still` holds, at most until `deadline`; then joins the threads.
    pub(super) fn join(&self, still: impl Fn() -> bool, deadline: Option<Instant>) -> bool {
        let mut ledger = lock(&self.ledger);
        while ledger.alive > 0 || !still() {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            ledger = match left {
                Some(left) if left.is_zero() => return false,
                Some(left) => {
                    self.changed.wait_timeout(ledger, left).map_or_else(|e| e.into_inner().0, |(g, _)| g)
                }
                None => self.changed.wait(ledger).unwrap_or_else(std::sync::PoisonError::into_inner),
            };
        }
        let handles = std::mem::take(&mut ledger.handles);
        drop(ledger);
        // They have ended but for their last instructions; a panic there is no concern of whoever waits.
        handles.into_iter().for_each(|handle| drop(handle.join()));
        true
    }
}
