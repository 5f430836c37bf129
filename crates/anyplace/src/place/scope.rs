//! The lifetime of a place: open, closed, cancelled; and how many accepted tasks have no outcome yet.

use crate::driver::Layer;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

thread_local! {
    /// The places whose tasks this thread runs, the innermost last: a task may wait for another and run it itself.
    static RUNS: RefCell<Vec<*const Scope>> = const { RefCell::new(Vec::new()) };
}

/// Shared by a place and all its tasks.
pub(crate) struct Scope {
    pub(crate) seed: u64,
    /// The place's address, for errors.
    pub(crate) place: String,
    tasks: AtomicU64,
    live: AtomicUsize,
    /// Places that were folded from this driver: the last one to go closes it.
    owners: AtomicUsize,
    closed: AtomicBool,
    cancelled: AtomicBool,
    /// Those who must hear when the place is cancelled or closed.
    layers: Mutex<Vec<Weak<dyn Layer>>>,
    idle: Mutex<()>,
    became_idle: Condvar,
}

impl Scope {
    pub(crate) fn new(place: String, seed: u64) -> Self {
        Self {
            seed,
            place,
            tasks: AtomicU64::new(0),
            live: AtomicUsize::new(0),
            owners: AtomicUsize::new(1),
            closed: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
            layers: Mutex::default(),
            idle: Mutex::new(()),
            became_idle: Condvar::new(),
        }
    }

    pub(crate) fn next_task(&self) -> u64 {
        self.tasks.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn hand_over(&self) {
        self.owners.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn is_last(&self) -> bool {
        self.owners.fetch_sub(1, Ordering::AcqRel) == 1
    }

    pub(crate) fn enter(&self) {
        self.live.fetch_add(1, Ordering::Relaxed);
    }

    /// A task has its outcome. The last one wakes whoever closes the place.
    ///
    /// SeqCst on both sides: either we see `closed`, or the closer sees that nobody is left.
    pub(crate) fn leave(&self) {
        if self.live.fetch_sub(1, Ordering::SeqCst) == 1 && self.closed.load(Ordering::SeqCst) {
            let _guard = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            self.became_idle.notify_all();
        }
    }

    pub(crate) fn live(&self) -> usize {
        self.live.load(Ordering::SeqCst)
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        self.layers().iter().for_each(|layer| layer.on_cancel());
    }

    /// Tells the layers that the place is closed.
    pub(crate) fn release_layers(&self) {
        self.layers().iter().for_each(|layer| layer.on_close());
    }

    /// Lets these layers hear when the place is cancelled or closed.
    pub(crate) fn watch(&self, layers: &[Arc<dyn Layer>]) {
        let mut watched = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        watched.retain(|layer| {
            layer.upgrade().is_some_and(|old| !layers.iter().any(|new| Arc::ptr_eq(&old, new)))
        });
        watched.extend(layers.iter().map(Arc::downgrade));
    }

    fn layers(&self) -> Vec<Arc<dyn Layer>> {
        let watched = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        watched.iter().filter_map(Weak::upgrade).collect()
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Runs a task of the place on this thread.
    pub(crate) fn run<R>(&self, task: impl FnOnce() -> R) -> R {
        struct Back;
        impl Drop for Back {
            fn drop(&mut self) {
                RUNS.with_borrow_mut(Vec::pop);
            }
        }
        RUNS.with_borrow_mut(|runs| runs.push(std::ptr::from_ref(self)));
        let _back = Back;
        task()
    }

    /// Whether this thread runs one of the place's tasks now: it cannot wait until there is none.
    pub(crate) fn runs_here(&self) -> bool {
        RUNS.with_borrow(|runs| runs.iter().any(|scope| std::ptr::eq(*scope, self)))
    }

    /// Waits until every accepted task has its outcome: `false` if `limit` was over first.
    pub(crate) fn wait_idle(&self, limit: Duration) -> bool {
        let deadline = Instant::now().checked_add(limit);
        let mut guard = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while self.live() > 0 {
            let left =
                deadline.map_or(Duration::from_secs(3600), |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return false;
            }
            guard = self.became_idle.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}
