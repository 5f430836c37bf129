//! Files and folders over streams, and where they arrive.

use super::steps::{Limit, late, told};
use super::stream::{Handed, Stream};
use crate::{door, gil};
use anyplace::keys::Keys;
use anyplace::net::Stream as EngineStream;
use anyplace::net::files::{Event, Receiving, Sending, Transfer as EngineTransfer, reach};
use anyplace::serve::{Inbox as EngineInbox, Terms};
use anyplace_sync::Latch;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// What came of a transfer of files, in numbers.
#[pyclass(frozen, eq, module = "anyplace")]
#[derive(PartialEq)]
pub(crate) struct Transfer(EngineTransfer);

#[pymethods]
impl Transfer {
    /// Files that were written.
    #[getter]
    fn files(&self) -> u64 {
        self.0.files
    }

    /// Folders that were made.
    #[getter]
    fn folders(&self) -> u64 {
        self.0.folders
    }

    /// Bytes that went from one end to the other.
    #[getter]
    fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// Files and folders that were there already.
    #[getter]
    fn there(&self) -> u64 {
        self.0.there
    }

    /// What was skipped: it is nothing that is sent, such as a symbolic link.
    #[getter]
    fn skipped(&self) -> u64 {
        self.0.skipped
    }

    fn __repr__(&self) -> String {
        let EngineTransfer { files, folders, bytes, there, skipped, .. } = self.0;
        format!(
            "<anyplace.Transfer files={files} folders={folders} bytes={bytes} there={there} skipped={skipped}>"
        )
    }
}

/// What ``anyplace.Stream.send_files`` does.
#[pyfunction]
pub(crate) fn send_files(
    py: Python<'_>,
    stream: &Stream,
    paths: Vec<PathBuf>,
    patience: f64,
    progress: Option<Py<PyAny>>,
) -> PyResult<Transfer> {
    let mut sending = Sending::new(paths).strict().patience(seconds(patience)?);
    if let Some(progress) = progress {
        sending = sending.on_event(teller(progress));
    }
    transfer(py, stream.open()?, |stream| sending.over(stream))
}

/// What ``anyplace.Stream.receive_files`` does.
#[pyfunction]
pub(crate) fn receive_files(
    py: Python<'_>,
    stream: &Stream,
    folder: PathBuf,
    force: bool,
    limit: Option<u64>,
    patience: f64,
    progress: Option<Py<PyAny>>,
) -> PyResult<Transfer> {
    let mut receiving = Receiving::into(folder).strict().force(force).patience(seconds(patience)?);
    if let Some(limit) = limit {
        receiving = receiving.limit(limit);
    }
    if let Some(progress) = progress {
        receiving = receiving.on_event(teller(progress));
    }
    transfer(py, stream.open()?, |stream| receiving.over(stream))
}

/// A transfer takes long, so it has a thread of its own, and who waits for it hears signals. One that raises breaks it off.
fn transfer(
    py: Python<'_>,
    stream: EngineStream,
    run: impl FnOnce(&EngineStream) -> anyplace::Result<EngineTransfer> + Send + 'static,
) -> PyResult<Transfer> {
    let theirs = stream.clone();
    told(py, aside(py, move || run(&theirs), || stream.abort())?).map(Transfer)
}

/// Does something long on a thread of its own. If a signal raises meanwhile, it is told to give up, and is waited for.
fn aside<R: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce() -> R + Send + 'static,
    give_up: impl FnOnce() + Send,
) -> PyResult<R> {
    let over = Arc::new(Latch::new());
    let ring = Ring(over.clone());
    let working = thread::Builder::new().name("anyplace-files".to_owned()).spawn(move || {
        let _ring = ring;
        work()
    })?;
    let waited = door::wait(py, None, |until| over.wait(Some(until)));
    let joined = door::pass(py, || {
        if waited.is_err() {
            give_up();
        }
        working.join()
    });
    waited?;
    Ok(joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

/// Tells that it is over, also after a panic.
struct Ring(Arc<Latch>);

impl Drop for Ring {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// Tells how much of which file is there.
fn teller(progress: Py<PyAny>) -> impl FnMut(Event<'_>) + Send {
    let (mut path, mut there, mut length) = (PathBuf::new(), 0, 0);
    move |event| {
        match event {
            Event::Begins { path: begun, length: whole, from } => {
                (path, there, length) = (begun.to_owned(), from, whole);
            }
            Event::Moves(bytes) => there += bytes,
            _ => return,
        }
        gil::with(|py| {
            if let Err(error) = progress.call1(py, (path.as_os_str(), there, length)) {
                error.write_unraisable(py, Some(progress.bind(py)));
            }
        });
    }
}

fn seconds(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| PyValueError::new_err(format!("{seconds} is no number of seconds")))
}

fn keys() -> Keys {
    Keys::new(anyplace_cli::keys_folder())
}

/// What ``anyplace.reach`` makes a stream of.
#[pyfunction]
pub(crate) fn reach_stream(py: Python<'_>, address: String, timeout: f64) -> PyResult<Handed> {
    let until = Instant::now() + seconds(timeout)?;
    let reached = aside(py, move || reach(&address, &keys(), until), || ())?;
    told(py, reached).map(Handed::new)
}

/// The part of ``anyplace.Inbox`` that the engine does.
#[pyclass(subclass, frozen, weakref, module = "anyplace._core")]
pub(crate) struct Inbox(Arc<EngineInbox>);

#[pymethods]
impl Inbox {
    #[new]
    #[pyo3(signature = (address, *, expires=86400.0, once=true, ticket=true))]
    fn new(py: Python<'_>, address: &str, expires: Option<f64>, once: bool, ticket: bool) -> PyResult<Self> {
        let lasts = expires.map(seconds).transpose()?;
        let terms = Terms { lasts, once, ticket, ..EngineInbox::TERMS };
        let opened = door::pass(py, || EngineInbox::open(address, &keys(), terms));
        told(py, opened).map(|inbox| Self(Arc::new(inbox)))
    }

    /// The address by which senders reach it. At ``tcp:`` there is a ticket in it, which lets in whoever has it: it is a
    /// secret, and what ``repr`` shows is the address without it.
    #[getter]
    fn address(&self) -> String {
        self.0.address().reveal()
    }

    /// Where it listens: the address without a ticket, with the port that the system gave.
    #[getter]
    fn endpoint(&self) -> String {
        self.0.endpoint().to_string()
    }

    fn _shown(&self) -> String {
        self.0.address().to_string()
    }

    /// The next sender that was let in; nothing once it is closed.
    fn _accept(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Handed>> {
        let Limit::By(deadline) = Limit::of(timeout)? else { return Ok(None) };
        let mut next = None;
        let has_come = door::wait(py, deadline, |until| {
            // Until then, so the only error is that nobody came.
            next = self.0.accept(Some(until)).ok();
            next.is_some()
        })?;
        if !has_come {
            return Err(late(py, &format!("accept at `{}`", self.endpoint())));
        }
        Ok(next.flatten().map(|arrival| Handed::new(arrival.stream)))
    }

    /// Let nobody in any more: who waits in it is told. Who has arrived can go on.
    fn close(&self, py: Python<'_>) {
        door::pass(py, || self.0.close());
    }
}
