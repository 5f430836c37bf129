//! How tasks that end, and shared objects that are free, reach those who await them in an asyncio loop: through one
//! descriptor of the loop's, which whoever brings the news writes to, without the interpreter's lock, once for many.

use crate::future::Future;
use crate::settled::Settled;
use crate::share::Waiting as Awaited;
use pyo3::intern;
use pyo3::prelude::*;
use rustix::event::{EventfdFlags, eventfd};
use std::collections::HashMap;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// Where one asyncio loop hears of tasks that ended.
///
/// The loop watches its descriptor and calls ``deliver`` when that can be read.
#[pyclass(frozen, module = "anyplace._core")]
pub(crate) struct Mailbox {
    letters: Arc<Letters>,
    waiting: Mutex<Waiting>,
}

/// Who is to be told. Any thread may add to them.
#[derive(Default)]
struct Letters(Mutex<Ended>);

#[derive(Default)]
struct Ended {
    numbers: Vec<Number>,
    /// Nothing when the mailbox is gone: tasks may end long after their loop.
    descriptor: Option<OwnedFd>,
}

/// Whom a letter is for.
#[derive(Clone, Copy)]
enum Number {
    /// One who awaits a task, which ends once.
    Task(usize),
    /// One who awaits a shared object, and may be told more than once: no number is used again.
    Bell(u64),
}

/// Who waits, by number.
#[derive(Default)]
struct Waiting {
    entries: Vec<Option<Entry>>,
    free: Vec<usize>,
    bells: HashMap<u64, Py<PyAny>>,
    next_bell: u64,
}

/// A task, and the asyncio future of the loop that stands for it there.
struct Entry {
    future: Py<Future>,
    waiter: Py<PyAny>,
}

/// Tells of one task, or one object.
struct Letter {
    letters: Arc<Letters>,
    number: Number,
}

impl Wake for Letter {
    fn wake(self: Arc<Self>) {
        self.letters.add(self.number);
    }
}

impl Letters {
    fn ended(&self) -> MutexGuard<'_, Ended> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, number: Number) {
        let mut ended = self.ended();
        ended.numbers.push(number);
        // The others' letters are there already, and the loop has been told.
        if let (1, Some(descriptor)) = (ended.numbers.len(), &ended.descriptor) {
            // It can only fail when the counter is full, and a full counter wakes too.
            let _ = rustix::io::write(descriptor, &1u64.to_ne_bytes());
        }
    }

    /// Takes all that are there.
    fn take(&self) -> Vec<Number> {
        let mut ended = self.ended();
        let mut count = [0; 8];
        // Nothing to read means that it was delivered before.
        let _ = ended.descriptor.as_ref().map(|descriptor| rustix::io::read(descriptor, &mut count));
        std::mem::take(&mut ended.numbers)
    }
}

#[pymethods]
impl Mailbox {
    #[new]
    fn new() -> PyResult<Self> {
        let descriptor = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        let letters = Arc::new(Letters::default());
        letters.ended().descriptor = Some(descriptor.map_err(std::io::Error::from)?);
        Ok(Self { letters, waiting: Mutex::default() })
    }

    /// The descriptor that can be read when there is something to deliver.
    ///
    /// Returns
    /// -------
    /// int
    ///     It is the mailbox's own: nobody else closes it.
    fn fileno(&self) -> i32 {
        self.letters.ended().descriptor.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// Has ``waiter`` end as the task does; false if somebody awaits the task already, or it has none.
    fn expect(&self, future: &Bound<'_, Future>, waiter: Py<PyAny>) -> bool {
        let Some(handle) = future.get().to_await() else { return false };
        let number = Number::Task(self.waiting().add(Entry { future: future.clone().unbind(), waiter }));
        let letter = Arc::new(Letter { letters: self.letters.clone(), number });
        if handle.wake_when_done(&Waker::from(letter)) {
            self.letters.add(number);
        }
        true
    }

    /// Has ``waiter`` be told when there is reason to look again whether ``waiting`` has ended.
    ///
    /// Parameters
    /// ----------
    /// waiting : Waiting
    ///     The wait for a shared object.
    /// waiter : asyncio.Future
    ///     What ends then.
    ///
    /// Returns
    /// -------
    /// int or None
    ///     The number to ``forget`` afterwards; None if it has ended already.
    fn listen(&self, waiting: &Bound<'_, Awaited>, waiter: Py<PyAny>) -> Option<u64> {
        let number = self.waiting().add_bell(waiter);
        let letter = Arc::new(Letter { letters: self.letters.clone(), number: Number::Bell(number) });
        if waiting.get().look(&Waker::from(letter)) {
            self.forget(number);
            return None;
        }
        Some(number)
    }

    /// Tells nobody of that number any more.
    fn forget(&self, number: u64) {
        let waiter = self.waiting().bells.remove(&number);
        drop(waiter);
    }

    /// Tells those whose tasks ended, and those who have reason to look again.
    ///
    /// Returns
    /// -------
    /// int
    ///     How many still wait.
    fn deliver(&self, py: Python<'_>) -> PyResult<usize> {
        let mut ended = self.letters.take().into_iter();
        let told = ended.by_ref().try_for_each(|number| match number {
            Number::Task(number) => {
                let entry = self.waiting().take(number);
                entry.map_or(Ok(()), |entry| entry.end(py))
            }
            Number::Bell(number) => self.ring(py, number),
        });
        // A signal's handler may raise in the middle of one: the others are told at the next call.
        ended.for_each(|number| self.letters.add(number));
        told?;
        Ok(self.waiting().count())
    }
}

impl Mailbox {
    fn ring(&self, py: Python<'_>, number: u64) -> PyResult<()> {
        let waiter = self.waiting().bells.get(&number).map(|waiter| waiter.clone_ref(py));
        match waiter {
            Some(waiter) if !waiter.call_method0(py, intern!(py, "done"))?.is_truthy(py)? => {
                waiter.call_method1(py, intern!(py, "set_result"), (py.None(),)).map(drop)
            }
            _ => Ok(()),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        *self.letters.ended() = Ended::default();
    }
}

impl Entry {
    /// Ends the waiter as the task has ended, unless it was cancelled.
    fn end(self, py: Python<'_>) -> PyResult<()> {
        let waiter = self.waiter.bind(py);
        if waiter.call_method0(intern!(py, "done"))?.is_truthy()? {
            return Ok(());
        }
        match self.future.get().look(py) {
            Some(Settled::Returned(value)) => waiter.call_method1(intern!(py, "set_result"), (value,)),
            Some(Settled::Raised(error)) => {
                waiter.call_method1(intern!(py, "_fail"), (crate::error::value(py, error),))
            }
            Some(Settled::Cancelled(_)) | None => waiter.call_method0(intern!(py, "_end")),
        }
        .map(drop)
    }
}

impl Waiting {
    fn add(&mut self, entry: Entry) -> usize {
        match self.free.pop() {
            Some(number) => {
                self.entries[number] = Some(entry);
                number
            }
            None => {
                self.entries.push(Some(entry));
                self.entries.len() - 1
            }
        }
    }

    fn add_bell(&mut self, waiter: Py<PyAny>) -> u64 {
        self.next_bell += 1;
        self.bells.insert(self.next_bell, waiter);
        self.next_bell
    }

    fn take(&mut self, number: usize) -> Option<Entry> {
        let entry = self.entries.get_mut(number)?.take();
        if entry.is_some() {
            self.free.push(number);
        }
        entry
    }

    fn count(&self) -> usize {
        self.entries.len() - self.free.len() + self.bells.len()
    }
}
