//! How asyncio tasks stand in the lines of threads: each has a turn as a thread has, and looks again when that is called.
//!
//! One thread, which is there while somebody awaits and a moment longer, hears the bell of all of them and tells their
//! loops. It only tells: whether the wait is over, a task finds out itself, on its loop's thread.

use crate::gil;
use anyplace_sync::ground::{Bell, Here, Turn, is_called};
use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::types::PyBool;
use std::collections::HashMap;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::AcqRel, Ordering::Acquire};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the thread stays when nobody awaits: starting another costs more than its sleep.
const LINGER: Duration = Duration::from_millis(200);

/// A task's turn in the line of one of the classes of ``anyplace.threading``.
#[pyclass(frozen, module = "anyplace._core")]
pub(crate) struct ThreadTurn(Mutex<Option<Standing>>);

/// What is asked whenever the turn is called; nothing while it has to wait.
type Attempt = dyn FnMut(Python<'_>, &mut Turn<'static, Here>) -> Option<Py<PyAny>> + Send;

struct Standing {
    turn: Turn<'static, Here>,
    attempt: Box<Attempt>,
    /// By what the thread knows it, once it waits.
    watched: Option<u32>,
    /// Where the line is: the turn is dropped first.
    _object: Py<PyAny>,
}

impl ThreadTurn {
    /// A turn in the line of something that lies in `object`, and so stays where it is while this lives. `label` says where
    /// in the program it waits.
    pub(super) fn new<T: PyClass, S: Sync + 'static, F>(
        object: &Bound<'_, T>,
        shared: &S,
        label: &str,
        attempt: F,
    ) -> Self
    where
        F: Fn(Python<'_>, &'static S, &mut Turn<'static, Here>) -> Option<Py<PyAny>> + Send + 'static,
    {
        // SAFETY: it lies in `object`, as the caller promises, which `Standing` keeps alive and drops last. The reference goes
        // nowhere but into the turn and the attempt.
        let shared: &'static S = unsafe { &*ptr::from_ref(shared) };
        let mut turn = Turn::new(&Here);
        turn.stay_in_line();
        turn.label(0, label);
        let attempt =
            Box::new(move |py: Python<'_>, turn: &mut Turn<'static, Here>| attempt(py, shared, turn));
        let object = object.clone().into_any().unbind();
        Self(Mutex::new(Some(Standing { turn, attempt, watched: None, _object: object })))
    }

    fn standing(&self) -> MutexGuard<'_, Option<Standing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl ThreadTurn {
    /// Looks whether the wait is over: what it gives, or None.
    pub(super) fn look(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let mut standing = self.standing();
        let standing = standing.as_mut()?;
        standing.forget();
        (standing.attempt)(py, &mut standing.turn)
    }

    /// Has `wake` called, on another thread, when it is time to look again; false if it is already.
    fn watch(&self, wake: Py<PyAny>) -> PyResult<bool> {
        let mut standing = self.standing();
        let Some(standing) = standing.as_mut() else { return Ok(false) };
        standing.watched = Watch::here().add(&standing.turn, wake)?;
        Ok(standing.watched.is_some())
    }

    /// Leaves the line. What it was called for is the next one's.
    fn leave(&self) {
        drop(self.standing().take());
    }
}

impl Standing {
    fn forget(&mut self) {
        // What is forgotten is dropped after the mutex is released: that may run anything.
        let wake = self.watched.take().and_then(|number| Watch::here().watched().wakes.remove(&number));
        drop(wake);
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.forget();
    }
}

/// Who is to be told when which turn is called.
struct Watch {
    /// In a child of `fork` this one stayed with the parent, and its mutex perhaps locked.
    generation: u32,
    watched: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    /// What the thread hears; 0 if there is no thread.
    bell: u32,
    wakes: HashMap<u32, Py<PyAny>>,
}

impl Watch {
    /// That of this process.
    fn here() -> &'static Self {
        static HERE: AtomicPtr<Watch> = AtomicPtr::new(ptr::null_mut());
        let generation = anyplace_sync::fork_generation();
        loop {
            let known = HERE.load(Acquire);
            // SAFETY: null, or made below and never freed.
            if let Some(watch) = unsafe { known.as_ref() }.filter(|watch| watch.generation == generation) {
                return watch;
            }
            let made = Box::into_raw(Box::new(Self { generation, watched: Mutex::default() }));
            if HERE.compare_exchange(known, made, AcqRel, Acquire).is_err() {
                // SAFETY: `into_raw` gave it above, and nobody else has seen it.
                drop(unsafe { Box::from_raw(made) });
            }
        }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number by which the turn, which stands in line, is known; nothing if it is called already.
    fn add(&'static self, turn: &Turn<'static, Here>, wake: Py<PyAny>) -> PyResult<Option<u32>> {
        let mut watched = self.watched();
        if watched.bell == 0 {
            watched.bell = self.start()?;
        }
        let number = turn.watch(watched.bell);
        // The thread looks under this lock, after the bell was rung: so it finds this one.
        if let Some(number) = number {
            watched.wakes.insert(number, wake);
        }
        Ok(number)
    }

    /// Starts the thread; gives the number of its bell.
    fn start(&'static self) -> PyResult<u32> {
        let bell = Bell::new(&Here);
        let number = bell.number();
        std::thread::Builder::new().name("anyplace-await".into()).spawn(move || self.listen(&bell))?;
        Ok(number)
    }

    fn listen(&self, bell: &Bell<'static, Here>) {
        loop {
            let until = Instant::now() + LINGER;
            bell.hear(Some(until));
            let called = self.called();
            let was_quiet = called.is_empty() && Instant::now() >= until;
            if !called.is_empty() {
                gil::with(|py| called.into_iter().for_each(|wake| tell(py, wake)));
            }
            let mut watched = self.watched();
            if was_quiet && watched.wakes.is_empty() {
                watched.bell = 0;
                return;
            }
        }
    }

    /// Takes those whose turns were called.
    fn called(&self) -> Vec<Py<PyAny>> {
        let mut watched = self.watched();
        let called: Vec<u32> =
            watched.wakes.keys().copied().filter(|number| is_called(&Here, *number)).collect();
        called.iter().filter_map(|number| watched.wakes.remove(number)).collect()
    }
}

/// What a wait gives that gives nothing else.
pub(super) fn yes(py: Python<'_>) -> Py<PyAny> {
    PyBool::new(py, true).to_owned().into_any().unbind()
}

/// What a wait gives that ended badly.
pub(super) fn no(py: Python<'_>) -> Py<PyAny> {
    PyBool::new(py, false).to_owned().into_any().unbind()
}

fn tell(py: Python<'_>, wake: Py<PyAny>) {
    if let Err(error) = wake.call0(py) {
        error.write_unraisable(py, Some(wake.bind(py)));
    }
}
