//! Errors of the engine as exceptions, and exceptions as errors of the engine.

use anyplace::{Error, Exit, Kind, Outcome, Remote, Retry};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict};
use std::error::Error as _;

/// The exception for an error: the task's own if it raised one, else the class of `anyplace` for its kind.
pub(crate) fn to_python(py: Python<'_>, error: &Error) -> PyErr {
    match error.source().and_then(|source| source.downcast_ref::<PyErr>()) {
        Some(own) => own.clone_ref(py),
        None => of_anyplace(py, error),
    }
}

/// The exception of `anyplace` for an error; what is below it becomes its cause.
pub(crate) fn of_anyplace(py: Python<'_>, error: &Error) -> PyErr {
    let built = build(py, error);
    built.map_or_else(|failed| failed, |exception| PyErr::from_value(exception))
}

fn build<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    static BUILD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let told = told(py, error)?;
    if let Some((remote, payload)) = own_of_worker(error) {
        return rebuild(py, remote, payload, &told);
    }
    let cause = error.source().and_then(|source| source.downcast_ref::<PyErr>()).map(|own| value(py, own));
    let build = BUILD.import(py, "anyplace._errors", "build")?;
    build.call1((error.kind().name(), error.message(), told, error.help(), cause))
}

/// What a worker's task itself raised, or what anyplace raised there, with the pickle of it.
fn own_of_worker(error: &Error) -> Option<(&Remote, &[u8])> {
    let remote = error.remote()?;
    let is_own = error.kind() == Kind::TaskFailed || remote.type_name.starts_with("anyplace.");
    remote.payload.as_deref().filter(|_| is_own).map(|payload| (remote, payload))
}

fn rebuild<'py>(
    py: Python<'py>,
    remote: &Remote,
    payload: &[u8],
    told: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    static REBUILD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let rebuild = REBUILD.import(py, "anyplace._remote", "rebuild")?;
    rebuild.call1((&remote.type_name, &remote.message, &remote.traceback, PyBytes::new(py, payload), told))
}

/// The attributes of the exception, as `anyplace.Error` documents them.
fn told<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyDict>> {
    let told = PyDict::new(py);
    told.set_item("place", error.place())?;
    told.set_item("operation", error.operation())?;
    told.set_item("attempt", error.attempt())?;
    told.set_item("retry", retry(error.retry()))?;
    told.set_item("exit", error.exit().map(exit))?;
    told.set_item("log_tail", error.log_tail())?;
    if let Some(remote) = error.remote() {
        told.set_item("type_name", &remote.type_name)?;
        told.set_item("remote_traceback", &remote.traceback)?;
    }
    Ok(told)
}

fn retry(retry: Retry) -> &'static str {
    match retry {
        Retry::Never => "never",
        Retry::Safe => "safe",
        Retry::MayRepeat => "may repeat",
    }
}

/// As `subprocess` tells it: the code, or the negative number of the signal.
fn exit(exit: Exit) -> i32 {
    match exit {
        Exit::Code(code) => code,
        Exit::Signal(signal) => -signal,
    }
}

/// How a task ended that raised `raised` in this process. The exception itself travels along.
pub(crate) fn raised(py: Python<'_>, raised: PyErr, attempt: u32) -> Outcome {
    let error = Error::new(Kind::TaskFailed, sentence(py, &raised)).with_retry(Retry::MayRepeat);
    Outcome::Failed(error.on_attempt(attempt).with_source(raised))
}

/// The last line that Python would print of the exception.
pub(crate) fn sentence(py: Python<'_>, raised: &PyErr) -> String {
    let name = raised.get_type(py).name().map_or_else(|_| "exception".to_owned(), |name| name.to_string());
    match raised.value(py).str() {
        Ok(text) if !text.to_string_lossy().is_empty() => format!("{name}: {}", text.to_string_lossy()),
        _ => name,
    }
}

/// Whether it says that something cannot travel.
pub(crate) fn is_not_serializable(py: Python<'_>, error: &PyErr) -> bool {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    CLASS.import(py, "anyplace._errors", "NotSerializable").is_ok_and(|class| error.is_instance(py, class))
}

/// The exception itself, with its traceback: before Python 3.12 they travel apart.
pub(crate) fn value(py: Python<'_>, raised: &PyErr) -> Py<PyAny> {
    raised.clone_ref(py).into_value(py).into_any()
}
