//! The interpreter's lock (the GIL) on threads that wait for one another.
//!
//! Taking the lock from another thread costs a sleep and a wake-up, 25-50 µs, unless it is free at that moment. Three
//! habits keep it free when it is wanted, or make wanting it rare:
//!
//! - *A thread of the engine has one thread state for life*, and *keeps the lock from one task to the next*: it lets go
//!   right before it would rest ([`anyplace_sync::before_rest`]), so a queue of short tasks costs one hand-over.
//! - *An idle thread takes the lock before it takes a task* ([`anyplace_sync::before_work`]): while it waits, the thread
//!   that has the lock goes on with the queue, and no third thread is woken to wait for the same lock.
//! - *Who wants the lock looks first whether it is about to be let go*, and spins for it that long
//!   ([`crate::baton`]): who has just released a semaphore soon waits for the next, who has submitted a task for its
//!   result, and a worker that is done lets go.
//!
//! Nothing depends on that look but speed: whoever looked in vain takes the lock as everybody does.

use crate::baton;
use pyo3::ffi;
use pyo3::prelude::*;
use std::cell::{Cell, OnceCell};
use std::sync::atomic::{AtomicBool, Ordering};

/// The interpreter ends: no thread of ours may ask for the lock again.
static ENDED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static SEAT: OnceCell<Seat> = const { OnceCell::new() };
    /// Whether this thread has let go of the lock, and waits.
    static AWAY: Cell<bool> = const { Cell::new(false) };
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
        let _here = Away::go(false);
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
            baton::lay_down();
            let back = Away::go(true);
            let result = work();
            drop(back);
            baton::reach();
            result
        });
        baton::take();
        seat.inspect(|seat| {
            seat.doors.set(seat.doors.get() - 1);
            seat.held.set(held);
        });
        result
    })
}

/// Runs `wait` without the lock, whether or not this thread has it: for what waits in places where nobody knows.
pub(crate) fn wait(wait: &mut (dyn FnMut() + Send)) {
    // SAFETY: may be called at any time from any thread; it only reads the thread's own state.
    let is_known = !unsafe { ffi::PyGILState_GetThisThreadState() }.is_null();
    if AWAY.get() || !is_known || ENDED.load(Ordering::Acquire) {
        return wait();
    }
    Python::attach(|py| without(py, wait));
}

/// Puts back, also after a panic, whether this thread has let go of the lock.
struct Away(bool);

impl Away {
    fn go(is_away: bool) -> Self {
        Self(AWAY.replace(is_away))
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        AWAY.set(self.0);
    }
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
        baton::take();
        anyplace_sync::before_work(|| SEAT.with(|seat| seat.get().into_iter().for_each(Self::make_ready)));
        Self { ensured, state, held: Cell::new(true), lingers: Cell::new(true), doors: Cell::new(0) }
    }

    /// Takes the lock for the tasks that wait.
    fn make_ready(&self) {
        if !self.lingers.get() && !ENDED.load(Ordering::Acquire) {
            self.take();
            self.linger();
        }
    }

    /// Sees to it that this thread holds the lock; false if a caller further out sees to it already.
    fn take(&self) -> bool {
        if self.lingers.replace(false) {
            return true;
        }
        if self.held.get() {
            return false;
        }
        baton::reach();
        // SAFETY: `state` is this thread's own, and the thread does not hold the lock.
        unsafe { ffi::PyEval_RestoreThread(self.state) };
        baton::take();
        self.held.set(true);
        true
    }

    /// Keeps the lock for the next task, unless this thread waits for something in between.
    fn linger(&self) {
        if self.doors.get() > 0 || anyplace_sync::current_worker().is_none() {
            return self.let_go();
        }
        self.lingers.set(true);
        anyplace_sync::before_rest(|| SEAT.with(|seat| seat.get().into_iter().for_each(Self::let_go)));
    }

    fn let_go(&self) {
        self.lingers.set(false);
        if self.held.replace(false) {
            // SAFETY: this thread holds the lock, by `state`.
            unsafe { ffi::PyEval_SaveThread() };
            baton::lay_down();
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
        baton::lay_down();
    }
}
