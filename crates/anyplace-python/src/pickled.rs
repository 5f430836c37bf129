//! A Python callable as work for another process: its pickle, with those of its arguments (`_pickling.py`).

use crate::call::Item;
use anyplace::work::{Arguments, Encoding, Function, Payload, Pickled, Work};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// A call; `arguments` begin with the callable.
pub(crate) fn one(
    py: Python<'_>,
    arguments: &Bound<'_, PyTuple>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Work> {
    let function = function(&arguments.get_item(0)?)?;
    let payload = payload(py, &arguments.get_slice(1, arguments.len()), keywords)?;
    Ok(Work::Pickled(Pickled { function, arguments: Arguments::One(payload) }))
}

/// The calls of a chunk.
pub(crate) fn each(py: Python<'_>, function: Arc<Function>, items: Vec<Item>) -> Result<Work, Stuck> {
    let mut payloads = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        match item.arguments(py).and_then(|arguments| payload(py, arguments.bind(py), None)) {
            Ok(payload) => payloads.push(payload),
            Err(error) => return Err(Stuck { items, at, error }),
        }
    }
    Ok(Work::Pickled(Pickled { function, arguments: Arguments::Each(payloads) }))
}

/// A chunk with an item that cannot travel.
pub(crate) struct Stuck {
    /// All of the chunk.
    pub(crate) items: Vec<Item>,
    /// Which of them.
    pub(crate) at: usize,
    /// Why.
    pub(crate) error: PyErr,
}

impl Stuck {
    /// Work that fails in the item's stead, so that the item keeps its place and its number.
    pub(crate) fn work(&self, py: Python<'_>) -> PyResult<Work> {
        let function = function(&py.import("anyplace._errors")?.getattr("fail")?)?;
        let error = PyTuple::new(py, [self.error.value(py)])?;
        Ok(Work::Pickled(Pickled { function, arguments: Arguments::Each(vec![payload(py, &error, None)?]) }))
    }
}

/// The pickle of a callable.
pub(crate) fn function(callable: &Bound<'_, PyAny>) -> PyResult<Arc<Function>> {
    static DUMP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let dump = DUMP.import(callable.py(), "anyplace._pickling", "dump_function")?;
    let (bytes, name): (Vec<u8>, String) = dump.call1((callable,))?.extract()?;
    Ok(named(bytes, name))
}

/// What each worker process does before its first task.
pub(crate) fn first(py: Python<'_>, function: &Py<PyAny>, arguments: &Py<PyTuple>) -> PyResult<Pickled> {
    let first = py.import("anyplace._worker")?.getattr("first")?;
    let (bytes, name, arguments): (Vec<u8>, String, Vec<u8>) = first.call1((function, arguments))?.extract()?;
    let payload = Payload { encoding: Encoding::Pickle, bytes: arguments.into() };
    Ok(Pickled { function: named(bytes, name), arguments: Arguments::One(payload) })
}

fn named(bytes: Vec<u8>, name: String) -> Arc<Function> {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    Arc::new(Function { id: hasher.finish(), name, bytes })
}

fn payload(
    py: Python<'_>,
    arguments: &Bound<'_, PyTuple>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Payload> {
    static DUMP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let dumped = DUMP.import(py, "anyplace._pickling", "dump_arguments")?.call1((arguments, keywords))?;
    Ok(Payload { encoding: Encoding::Pickle, bytes: dumped.cast_into::<PyBytes>()?.as_bytes().into() })
}

/// The Python object that a payload of a worker stands for.
pub(crate) fn load(py: Python<'_>, payload: &Payload) -> PyResult<Py<PyAny>> {
    static LOAD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let load = LOAD.import(py, "anyplace._pickling", "load_result")?;
    Ok(load.call1((PyBytes::new(py, &payload.bytes),))?.unbind())
}
