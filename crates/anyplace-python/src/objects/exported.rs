//! A Python object that is called from elsewhere.

use crate::worker::{Arguments, Phase, failure, load_arguments};
use crate::{error, gil, pickle, plain};
use anyplace::serve::objects::{Answer, Object, Reach, Reply, Request, Verb};
use anyplace::work::{Encoding, Payload};
use anyplace::{Error, Kind, Result, Retry};
use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyFrozenSet, PyString, PyTuple};
use std::sync::Arc;

/// A Python object with what its class exposes.
pub(crate) struct Exported {
    pub(crate) object: Py<PyAny>,
    class: String,
    exposed: Py<PyFrozenSet>,
}

impl Exported {
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let exposed = helper(object.py(), "exposed")?.call1((object,))?.cast_into::<PyFrozenSet>()?.unbind();
        let class = helper(object.py(), "class_of")?.call1((object,))?.extract()?;
        Ok(Self { object: object.clone().unbind(), class, exposed })
    }

    /// Whether somebody who has found it by its name can do anything with it.
    pub(crate) fn exposes_nothing(&self, py: Python<'_>) -> bool {
        self.exposed.bind(py).is_empty()
    }

    /// The attribute of that name, unless it is not for the caller.
    pub(crate) fn attribute<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        reach: Reach,
    ) -> PyResult<Bound<'py, PyAny>> {
        let name = PyString::new(py, name);
        self.check(&name, reach)?;
        self.object.bind(py).getattr(name)
    }

    pub(crate) fn set(
        &self,
        py: Python<'_>,
        name: &str,
        value: &Bound<'_, PyAny>,
        reach: Reach,
    ) -> PyResult<()> {
        let name = PyString::new(py, name);
        self.check(&name, reach)?;
        self.object.bind(py).setattr(name, value)
    }

    fn check(&self, name: &Bound<'_, PyString>, reach: Reach) -> PyResult<()> {
        let is_public = name.to_str().is_ok_and(|name| !name.starts_with('_') && !name.contains('.'));
        if is_public && (reach == Reach::Public || self.exposed.bind(name.py()).contains(name)?) {
            return Ok(());
        }
        let why = if is_public { "does not expose" } else { "has, for others, no" };
        Err(PyAttributeError::new_err(format!("'{}' {why} '{name}'", self.class)))
    }

    /// The names of methods that the caller may use.
    pub(crate) fn methods<'py>(&self, py: Python<'py>, reach: Reach) -> PyResult<Bound<'py, PyTuple>> {
        let exposed = (reach == Reach::Exposed).then(|| self.exposed.bind(py));
        Ok(helper(py, "methods")?.call1((&self.object, exposed))?.cast_into()?)
    }

    fn answer(&self, py: Python<'_>, request: &Request<'_>) -> Result<Answer, Failed> {
        if request.arguments.encoding == Encoding::Pickle && !request.trusted {
            return Err(Failed::Refused(untrusted()));
        }
        let raised = Failed::in_phase(py, Phase::Call);
        match request.verb {
            Verb::Call => {
                let arguments =
                    load_arguments(py, request.arguments).map_err(Failed::in_phase(py, Phase::Arguments))?;
                let method = self.attribute(py, request.method, request.reach).map_err(&raised)?;
                answered(&arguments.call(&method).map_err(&raised)?)
            }
            Verb::Get => answered(&self.attribute(py, request.method, request.reach).map_err(&raised)?),
            Verb::Set => {
                let value = one(py, request).map_err(Failed::in_phase(py, Phase::Arguments))?;
                self.set(py, request.method, &value, request.reach).map_err(&raised)?;
                answered(&py.None().into_bound(py))
            }
            Verb::Describe => answered(self.methods(py, request.reach).map_err(&raised)?.as_any()),
            Verb::Next => Err(Failed::Refused(request.unknown())),
        }
    }
}

fn one<'py>(py: Python<'py>, request: &Request<'_>) -> PyResult<Bound<'py, PyAny>> {
    match load_arguments(py, request.arguments)? {
        Arguments::One(value) => Ok(value),
        Arguments::Many(values, _) => values.get_item(0),
    }
}

/// What a call gave, as it travels.
fn answered(result: &Bound<'_, PyAny>) -> Result<Answer, Failed> {
    let py = result.py();
    let mut bytes = Vec::new();
    if plain::dump(result, &mut bytes) {
        return Ok(Answer::Value(Payload::new(Encoding::Plain, bytes)));
    }
    let kind = helper(py, "kind").and_then(|kind| kind.call1((result,))?.extract::<u8>());
    match kind.map_err(Failed::in_phase(py, Phase::Result))? {
        VALUES => {
            let values = helper(py, "one_by_one").and_then(|one_by_one| one_by_one.call1((result,)));
            let values = values.map_err(Failed::in_phase(py, Phase::Result))?;
            Ok(Answer::Stream(Box::new(Making(Some(values.unbind())))))
        }
        AWAITABLE => Ok(later(result.clone().unbind())),
        _ => payload(result).map(Answer::Value),
    }
}

/// What `_objects.kind` tells: values that are made one by one, or something to await.
const VALUES: u8 = 1;
const AWAITABLE: u8 = 2;

fn payload(value: &Bound<'_, PyAny>) -> Result<Payload, Failed> {
    let mut bytes = Vec::new();
    if plain::dump(value, &mut bytes) {
        return Ok(Payload::new(Encoding::Plain, bytes));
    }
    let dumped = pickle::dump(value, "dump_result").map_err(Failed::in_phase(value.py(), Phase::Result))?;
    Ok(dumped.payload(None))
}

/// A generator as a stream.
struct Making(Option<Py<PyAny>>);

impl Iterator for Making {
    type Item = Result<Payload>;

    fn next(&mut self) -> Option<Result<Payload>> {
        let made = gil::with(|py| {
            let next = self.0.as_ref()?.bind(py).try_iter().and_then(|mut values| values.next().transpose());
            let value = next.map_err(Failed::in_phase(py, Phase::Call)).transpose()?;
            Some(value.and_then(|value| payload(&value)).map_err(|failed| failed.told(py)))
        });
        made.flatten()
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        let values = self.0.take();
        // Python's destructors need its lock; the interpreter may be gone.
        gil::with(|_| drop(values));
    }
}

/// The answer when the coroutine has ended; it runs in the loop of this process's objects.
fn later(awaitable: Py<PyAny>) -> Answer {
    Answer::Later(Box::new(move |reply| {
        gil::with(|py| {
            let told = Told(std::sync::Mutex::new(Some(reply)));
            let begun = Bound::new(py, told).and_then(|told| {
                helper(py, "begin_async")?.call1((awaitable.bind(py), told.getattr("tell")?))
            });
            if let Err(error) = begun {
                error.write_unraisable(py, None);
            }
            drop(awaitable);
        });
    }))
}

/// Whom to tell what a coroutine gave.
#[pyclass(frozen)]
struct Told(std::sync::Mutex<Option<Reply>>);

#[pymethods]
impl Told {
    fn tell(&self, py: Python<'_>, value: &Bound<'_, PyAny>, raised: Option<Bound<'_, PyAny>>) {
        let answer = match raised {
            Some(raised) => Err(Failed::in_phase(py, Phase::Call)(PyErr::from_value(raised)).told(py)),
            None => payload(value).map(Answer::Value).map_err(|failed| failed.told(py)),
        };
        let reply = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(reply) = reply {
            py.detach(|| reply(answer));
        }
    }
}

/// Why there is no answer.
enum Failed {
    Raised(PyErr, Phase),
    Refused(Error),
}

impl Failed {
    fn in_phase(_: Python<'_>, phase: Phase) -> impl Fn(PyErr) -> Self {
        move |error| Self::Raised(error, phase)
    }

    fn told(self, py: Python<'_>) -> Error {
        match self {
            Self::Raised(error, phase) => failure(py, error, phase),
            Self::Refused(error) => error,
        }
    }
}

impl Object for Exported {
    fn ask(&self, request: &Request<'_>) -> Result<Answer> {
        let answer = gil::with(|py| self.answer(py, request).map_err(|failed| failed.told(py)));
        answer.unwrap_or_else(|| Err(ending()))
    }

    fn class(&self) -> &str {
        &self.class
    }
}

impl Drop for Exported {
    fn drop(&mut self) {
        gil::with(|py| {
            let nothing = py.None();
            drop(std::mem::replace(&mut self.object, nothing));
        });
    }
}

/// As an object that is called from elsewhere.
pub(crate) fn export(object: &Bound<'_, PyAny>) -> PyResult<Arc<Exported>> {
    Exported::new(object).map(Arc::new)
}

fn untrusted() -> Error {
    Error::new(
        Kind::PermissionDenied,
        "these arguments are a pickle, and pickles are not read from this caller",
    )
    .with_retry(Retry::Safe)
    .with_help("call it with numbers, texts, bytes and tuples of them, or ask for a ticket that may run code")
}

fn ending() -> Error {
    Error::new(Kind::WorkerLost, "the interpreter that has the object ends").with_retry(Retry::Safe)
}

pub(super) fn helper<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("anyplace._objects").map(Bound::unbind))?;
    module.bind(py).getattr(name)
}

/// An engine's error as an exception.
pub(super) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    error::to_python(py, error)
}
