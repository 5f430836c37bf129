//! The interpreter's lock (the GIL) on the engine's threads.
//!
//! Taking the lock from another thread costs a sleep and a wake-up, 5-50 µs, unless it is free at that moment. Three
//! habits keep it free when it is wanted, or make wanting it rare:
//!
//! - *A thread has one thread state for life*, and *keeps the lock from one task to the next*: it lets go right
//!   before it would rest ([`anyplace_sync::before_rest`]), so a queue of short tasks costs one hand-over.
//! - *Who has its result looks whether the worker is about to let go* (`LINGERING`) and spins that long.
//! - *A worker that gets a task looks whether its caller is about to wait* (`OPEN_DOORS`) and spins that long: a
//!   caller that submits and then waits opens its door within a microsecond or two.
//!
//! Nothing depends on these looks but speed: whoever looked in vain takes the lock as everybody does.

use pyo3::ffi;
use pyo3::prelude::*;
use std::cell::{Cell, OnceCell};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Threads that wait in a door, without the lock.
static OPEN_DOORS: AtomicUsize = AtomicUsize::new(0);
/// Threads that keep the lock though their task is done.
static LINGERING: AtomicUsize = AtomicUsize::new(0);
/// The interpreter ends: no thread of ours may ask for the lock again.
static ENDED: AtomicBool = AtomicBool::new(false);
/// How many more times a worker does not spin for the lock, since spinning was of no use.
static IN_VAIN: AtomicUsize = AtomicUsize::new(0);

/// About what a wake-up costs.
const SPIN: Duration = Duration::from_micros(30);
/// A lock that came this fast was free.
const AT_ONCE: Duration = Duration::from_micros(2);
/// How often not to spin after a spin in vain.
const REST: usize = 64;

thread_local! {
    static SEAT: OnceCell<Seat> = const { OnceCell::new() };
}

/// The thread state of one of the engine's threads, and whether the thread holds the lock by it.
struct Seat {
    ensured: ffi::PyGILState_STATE,
    state: *mut ffi::PyThreadState,
    held: Cell<bool>,
    lingers: Cell<bool>,
    /// Doors that this thread waits in: a task that runs inside of one must not keep the lock.
    doors: Cell<usize>,
}

/// Runs `work` with the lock. A thread of the engine keeps the lock until it rests.
///
/// `None` if the interpreter ends.
pub(crate) fn with<R>(work: impl FnOnce(Python<'_>) -> R) -> Option<R> {
    if ENDED.load(Ordering::Acquire) {
        return None;
    }
    if !is_ours() {
        return Some(Python::attach(work));
    }
    SEAT.with(|seat| {
        let seat = seat.get_or_init(Seat::new);
        let outermost = seat.take();
        let result = Python::attach(work);
        if outermost {
            seat.linger();
        }
        Some(result)
    })
}

/// Runs `work` without the lock, on any thread, and takes the lock again.
pub(crate) fn without<R: Send>(py: Python<'_>, work: impl FnOnce() -> R + Send) -> R {
    SEAT.with(|seat| {
        let seat = seat.get();
        let held = seat.is_some_and(|seat| seat.held.replace(false));
        seat.inspect(|seat| seat.doors.set(seat.doors.get() + 1));
        let result = py.detach(|| {
            OPEN_DOORS.fetch_add(1, Ordering::Relaxed);
            let result = work();
            OPEN_DOORS.fetch_sub(1, Ordering::Relaxed);
            spin_until(|| LINGERING.load(Ordering::Relaxed) == 0);
            result
        });
        seat.inspect(|seat| {
            seat.doors.set(seat.doors.get() - 1);
            seat.held.set(held);
        });
        result
    })
}

/// Tells all threads that the interpreter ends.
pub(crate) fn end() {
    ENDED.store(true, Ordering::Release);
}

/// A thread that the interpreter does not know, or that sits on its seat already.
fn is_ours() -> bool {
    // SAFETY: may be called at any time from any thread; it only reads the thread's own state.
    SEAT.with(|seat| seat.get().is_some()) || unsafe { ffi::PyGILState_GetThisThreadState() }.is_null()
}

impl Seat {
    /// Makes this thread known to the interpreter; it holds the lock afterwards.
    fn new() -> Self {
        // SAFETY: the interpreter runs (`ENDED` is not set, and it is only set when no thread of a place is left).
        let ensured = unsafe { ffi::PyGILState_Ensure() };
        // SAFETY: the line above attached this thread.
        let state = unsafe { ffi::PyThreadState_Get() };
        LINGERING.fetch_add(1, Ordering::Relaxed);
        Self { ensured, state, held: Cell::new(true), lingers: Cell::new(true), doors: Cell::new(0) }
    }

    /// Sees to it that this thread holds the lock; false if a caller further out sees to it already.
    fn take(&self) -> bool {
        if self.lingers.replace(false) {
            LINGERING.fetch_sub(1, Ordering::Relaxed);
            return true;
        }
        if self.held.get() {
            return false;
        }
        let spun_in_vain = !wait_for_a_door();
        let asked = Instant::now();
        // SAFETY: `state` is this thread's own, and the thread does not hold the lock.
        unsafe { ffi::PyEval_RestoreThread(self.state) };
        if spun_in_vain && asked.elapsed() < AT_ONCE {
            IN_VAIN.store(REST, Ordering::Relaxed);
        }
        self.held.set(true);
        true
    }

    /// Keeps the lock for the next task, unless this thread waits for something in between.
    fn linger(&self) {
        if self.doors.get() > 0 || anyplace_sync::current_worker().is_none() {
            return self.let_go();
        }
        if !self.lingers.replace(true) {
            LINGERING.fetch_add(1, Ordering::Relaxed);
        }
        anyplace_sync::before_rest(|| SEAT.with(|seat| seat.get().into_iter().for_each(Self::let_go)));
    }

    fn let_go(&self) {
        if self.held.replace(false) {
            // SAFETY: this thread holds the lock, by `state`.
            unsafe { ffi::PyEval_SaveThread() };
        }
        if self.lingers.replace(false) {
            LINGERING.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Seat {
    /// The thread ends: the interpreter forgets it.
    fn drop(&mut self) {
        if ENDED.load(Ordering::Acquire) {
            return;
        }
        self.take();
        // SAFETY: `ensured` is from `PyGILState_Ensure` on this thread, which holds the lock.
        unsafe { ffi::PyGILState_Release(self.ensured) };
    }
}

/// Waits until somebody waits in a door, for about as long as a wake-up costs; false if nobody came.
fn wait_for_a_door() -> bool {
    let rests = IN_VAIN.load(Ordering::Relaxed);
    if rests > 0 {
        IN_VAIN.store(rests - 1, Ordering::Relaxed);
        return true;
    }
    spin_until(|| OPEN_DOORS.load(Ordering::Relaxed) > 0)
}

fn spin_until(mut found: impl FnMut() -> bool) -> bool {
    if found() {
        return true;
    }
    if anyplace_sync::usable_cores() < 2 {
        return false;
    }
    let until = Instant::now() + SPIN;
    while Instant::now() < until {
        for _ in 0..16 {
            if found() {
                return true;
            }
            std::hint::spin_loop();
        }
    }
    false
}
