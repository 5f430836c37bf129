//! Files and folders over streams.

use super::aside::aside;
use super::steps::told;
use super::stream::Stream;
use crate::future::seconds;
use crate::gil;
use anyplace::net::Stream as EngineStream;
use anyplace::net::files::{Event, Receiving, Sending, Transfer as EngineTransfer};
use pyo3::prelude::*;
use std::path::PathBuf;

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
    let mut sending = Sending::new(paths).strict().patience(told(py, seconds(patience))?);
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
    let mut receiving = Receiving::into(folder).strict().force(force).patience(told(py, seconds(patience))?);
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
    let give_up = move || {
        stream.abort();
        true
    };
    told(py, aside(py, move || run(&theirs), give_up)?).map(Transfer)
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
