//! A Python callable as work that travels: one call, or a chunk of a map.

use crate::item::Item;
use anyplace::work::{Arguments, Encoding, Function, Packer, Payload, Pickled, Work};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// The function of a map: pickled once for all chunks, so that they all run the same.
pub(crate) struct Portable(Arc<Function>);

impl Portable {
    pub(crate) fn new(py: Python<'_>, callable: &Bound<'_, PyAny>) -> PyResult<Self> {
        function(py, callable).map(Self)
    }

    /// The chunk's calls. An item whose arguments cannot travel fails in its place, and costs no other item.
    pub(crate) fn each(&self, py: Python<'_>, items: &[Item], single: bool) -> PyResult<Work> {
        static DUMP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let dump = DUMP.import(py, "anyplace._pickling", "dump_item")?;
        let payload = |item: &Item| payload(&dump.call1((item.arguments(py)?,))?);
        if let ([item], true) = (items, single) {
            return Ok(work(self.0.clone(), Arguments::One(payload(item)?)));
        }
        let mut packer = Packer::default();
        for item in items {
            packer.push(payload(item)?.as_ref());
        }
        Ok(work(self.0.clone(), Arguments::Each(packer.finish())))
    }
}

/// A call: `arguments` begin with the callable.
///
/// # Errors
/// `anyplace.NotSerializable` names what cannot travel.
pub(crate) fn one(
    py: Python<'_>,
    arguments: &Bound<'_, PyTuple>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Work> {
    static DUMP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let dump = DUMP.import(py, "anyplace._pickling", "dump_arguments")?;
    let function = function(py, &arguments.get_item(0)?)?;
    let dumped = dump.call1((arguments.get_slice(1, arguments.len()), keywords))?;
    Ok(work(function, Arguments::One(payload(&dumped)?)))
}

/// A function of this process with its arguments, for what workers do first.
pub(crate) fn first(py: Python<'_>, initializer: &Py<PyAny>, initargs: &Py<PyTuple>) -> PyResult<Pickled> {
    let (bytes, name, arguments): (Vec<u8>, String, Vec<u8>) =
        py.import("anyplace._worker")?.getattr("first")?.call1((initializer, initargs))?.extract()?;
    let arguments = Payload::new(Encoding::Pickle, arguments);
    Ok(Pickled { function: Arc::new(hashed(bytes, name)), arguments: Arguments::One(arguments) })
}

/// What a task of another process returned.
pub(crate) fn load(py: Python<'_>, bytes: &[u8]) -> PyResult<Py<PyAny>> {
    static LOAD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let load = LOAD.import(py, "anyplace._pickling", "load_result")?;
    Ok(load.call1((PyBytes::new(py, bytes),))?.unbind())
}

fn function(py: Python<'_>, callable: &Bound<'_, PyAny>) -> PyResult<Arc<Function>> {
    static DUMP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let dump = DUMP.import(py, "anyplace._pickling", "dump_function")?;
    let (bytes, name): (Vec<u8>, String) = dump.call1((callable,))?.extract()?;
    Ok(Arc::new(hashed(bytes, name)))
}

fn hashed(bytes: Vec<u8>, name: String) -> Function {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    Function { id: hasher.finish(), name, bytes: bytes.into() }
}

fn payload(dumped: &Bound<'_, PyAny>) -> PyResult<Payload> {
    Ok(Payload::new(Encoding::Pickle, dumped.cast::<PyBytes>()?.as_bytes()))
}

fn work(function: Arc<Function>, arguments: Arguments) -> Work {
    Work::Pickled(Pickled { function, arguments })
}
