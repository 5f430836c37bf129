//! Pickles: the standard library's C functions called directly, and `_pickling` of the Python part where a pickle
//! names what another process would take for something else, or where there is none.

use crate::lent::Lent;
use crate::{gil, plain};
use anyplace::Memory;
use anyplace::work::{Bytes, Encoding, Payload, PayloadRef};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyException;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyList};
use std::cell::RefCell;
use std::ffi::c_char;
use std::sync::Arc;

/// Buffers from this size on stand beside the pickle.
pub(crate) const LARGE: usize = 32 << 10;

/// From this size on, other threads may run Python while bytes are copied.
const SLOW: usize = 64 << 10;

/// The opcode that every name in a pickle of protocol 5 needs.
const STACK_GLOBAL: u8 = 0x93;

/// What is needed at each dump and load.
struct Tools {
    dumps: Py<PyAny>,
    loads: Py<PyAny>,
    /// `buffer_callback`, which goes to the [`Collector`].
    keywords: Py<PyDict>,
    /// Names of what is not to travel as it is.
    suspects: Vec<Py<PyBytes>>,
}

fn tools(py: Python<'_>) -> PyResult<&Tools> {
    static TOOLS: PyOnceLock<Tools> = PyOnceLock::new();
    TOOLS.get_or_try_init(py, || {
        // The rest of `pickle` takes longer to import than this.
        let pickle = py.import("_pickle")?;
        let keywords = PyDict::new(py);
        keywords.set_item("buffer_callback", Py::new(py, Collector)?)?;
        let suspects = py.import("anyplace._pickling")?.getattr("SUSPECTS")?.extract()?;
        Ok(Tools {
            dumps: pickle.getattr("dumps")?.unbind(),
            loads: pickle.getattr("loads")?.unbind(),
            keywords: keywords.unbind(),
            suspects,
        })
    })
}

/// A value as bytes: a pickle and what stands beside it.
pub(crate) struct Dumped<'py> {
    pub(crate) data: Bound<'py, PyBytes>,
    beside: Vec<Beside>,
}

/// A large part of a value.
enum Beside {
    /// It is in memory that workers see already.
    Lent(Bytes),
    /// It is Python's, and has to be copied.
    Python(PyBuffer<u8>),
}

/// Pickles a value. What the C functions cannot do, or must not, is left to the function `slowly` of `_pickling`.
pub(crate) fn dump<'py>(value: &Bound<'py, PyAny>, slowly: &str) -> PyResult<Dumped<'py>> {
    let py = value.py();
    match dump_quickly(value) {
        Ok(Some(dumped)) => return Ok(dumped),
        Ok(None) => {}
        Err(error) if error.is_instance_of::<PyException>(py) => {}
        Err(error) => return Err(error),
    }
    let data = py.import(intern!(py, "anyplace._pickling"))?.getattr(slowly)?.call1((value,))?;
    Ok(Dumped { data: data.cast_into()?, beside: Vec::new() })
}

/// The pickle, unless it may name what another process takes for something else.
fn dump_quickly<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Dumped<'py>>> {
    let (py, tools) = (value.py(), tools(value.py())?);
    let outer = COLLECTED.take();
    let dumped = tools.dumps.bind(py).call((value, 5), Some(tools.keywords.bind(py)));
    let beside = COLLECTED.replace(outer);
    let data = dumped?.cast_into::<PyBytes>()?;
    Ok(if is_suspect(&data, tools)? { None } else { Some(Dumped { data, beside }) })
}

fn is_suspect(data: &Bound<'_, PyBytes>, tools: &Tools) -> PyResult<bool> {
    if !data.as_bytes().contains(&STACK_GLOBAL) {
        return Ok(false);
    }
    for name in &tools.suspects {
        if data.contains(name)? {
            return Ok(true);
        }
    }
    Ok(false)
}

thread_local! {
    /// The large parts of the value that this thread dumps now.
    static COLLECTED: RefCell<Vec<Beside>> = const { RefCell::new(Vec::new()) };
}

/// Takes the large parts of values out of their pickles.
#[pyclass(frozen)]
struct Collector;

#[pymethods]
impl Collector {
    /// True lets the buffer stay in the pickle.
    fn __call__(&self, buffer: &Bound<'_, PyAny>) -> PyResult<bool> {
        let raw = buffer.call_method0(intern!(buffer.py(), "raw"))?;
        let beside = match raw.getattr(intern!(buffer.py(), "obj"))?.cast::<Lent>() {
            Ok(lent) => Beside::Lent(lent.get().bytes().clone()),
            Err(_) => Beside::Python(PyBuffer::get(&raw)?),
        };
        let stays = matches!(&beside, Beside::Python(buffer) if buffer.len_bytes() < LARGE);
        if !stays {
            COLLECTED.with_borrow_mut(|collected| collected.push(beside));
        }
        Ok(stays)
    }
}

impl Dumped<'_> {
    /// Whether there is anything that memory would be of use for.
    pub(crate) fn is_large(&self) -> bool {
        !self.beside.is_empty() || self.data.as_bytes().len() >= LARGE
    }

    /// The pickle as it travels, with its large parts where workers see them, if there is such memory.
    pub(crate) fn payload(self, memory: Option<&dyn Memory>) -> Payload {
        let py = self.data.py();
        let data = self.data.as_bytes();
        let kept = if data.len() < LARGE { None } else { keep(py, data, memory) };
        let bytes = kept.unwrap_or_else(|| data.into());
        Payload { encoding: Encoding::Pickle, bytes, buffers: self.buffers(memory) }
    }

    /// The pickle with everything large where Python has it, for who copies it at once.
    pub(crate) fn lent(self) -> Payload {
        let length = self.data.as_bytes().len();
        let bytes = match length {
            ..LARGE => self.data.as_bytes().into(),
            _ => Bytes::shared(Arc::new(PyBackedBytes::from(self.data)), 0..length),
        };
        let buffers = self.beside.into_iter().map(|beside| match beside {
            Beside::Lent(bytes) => bytes,
            Beside::Python(buffer) => {
                let length = buffer.len_bytes();
                Bytes::shared(Arc::new(Exported(buffer)), 0..length)
            }
        });
        Payload { encoding: Encoding::Pickle, bytes, buffers: buffers.collect() }
    }

    /// The large parts alone.
    pub(crate) fn buffers(&self, memory: Option<&dyn Memory>) -> Vec<Bytes> {
        let py = self.data.py();
        let bytes = |beside: &Beside| match beside {
            Beside::Lent(bytes) => bytes.clone(),
            Beside::Python(buffer) => {
                let bytes = exported(buffer);
                keep(py, bytes, memory).unwrap_or_else(|| Bytes::from(bytes.to_vec()))
            }
        };
        self.beside.iter().map(bytes).collect()
    }
}

/// The bytes of one of Python's objects.
fn exported(buffer: &PyBuffer<u8>) -> &[u8] {
    // SAFETY: the buffer is contiguous (`raw` said so), and stays while it is exported.
    unsafe { std::slice::from_raw_parts(buffer.buf_ptr().cast::<u8>(), buffer.len_bytes()) }
}

/// A large part, held while it is exported.
struct Exported(PyBuffer<u8>);

impl AsRef<[u8]> for Exported {
    fn as_ref(&self) -> &[u8] {
        exported(&self.0)
    }
}

fn keep(py: Python<'_>, bytes: &[u8], memory: Option<&dyn Memory>) -> Option<Bytes> {
    let memory = memory?;
    let copy = || memory.write(bytes.len(), &mut |room| room.copy_from_slice(bytes));
    if bytes.len() < SLOW { copy() } else { gil::without(py, copy) }
}

/// The value of a payload, which Python or anyplace wrote.
pub(crate) fn load<'py>(py: Python<'py>, payload: PayloadRef<'_>) -> PyResult<Bound<'py, PyAny>> {
    match payload.encoding {
        Encoding::Plain => plain::load(py, payload.bytes),
        _ => unpickle(py, payload.bytes, payload.buffers),
    }
}

fn unpickle<'py>(py: Python<'py>, bytes: &[u8], buffers: &[Bytes]) -> PyResult<Bound<'py, PyAny>> {
    let loads = tools(py)?.loads.bind(py);
    let data = Data::new(py, bytes)?;
    if buffers.is_empty() {
        return loads.call1((&data.0,));
    }
    let lent: Vec<_> = buffers.iter().map(|bytes| lend(py, bytes)).collect::<PyResult<_>>()?;
    let keywords = PyDict::new(py);
    keywords.set_item(intern!(py, "buffers"), PyList::new(py, lent)?)?;
    loads.call((&data.0,), Some(&keywords))
}

/// Bytes for an object that Python makes of them: the shared ones themselves, or a copy that is Python's.
pub(crate) fn lend<'py>(py: Python<'py>, bytes: &Bytes) -> PyResult<Bound<'py, PyAny>> {
    if bytes.is_shared() {
        return Ok(Bound::new(py, Lent::new(bytes.clone()))?.into_any());
    }
    Ok(PyByteArray::new(py, bytes).into_any())
}

/// Bytes as an object, for the time of a call.
struct Data<'py>(Bound<'py, PyAny>);

impl<'py> Data<'py> {
    fn new(py: Python<'py>, bytes: &[u8]) -> PyResult<Self> {
        if bytes.len() < LARGE {
            return Ok(Self(PyBytes::new(py, bytes).into_any()));
        }
        let (start, length) = (bytes.as_ptr().cast_mut().cast::<c_char>(), bytes.len().cast_signed());
        // SAFETY: it is released when this value is dropped, before the bytes can go.
        let view = unsafe { ffi::PyMemoryView_FromMemory(start, length, ffi::PyBUF_READ) };
        // SAFETY: a new reference, or null with an exception set.
        unsafe { Bound::from_owned_ptr_or_err(py, view) }.map(Self)
    }
}

impl Drop for Data<'_> {
    fn drop(&mut self) {
        let is_view = !self.0.is_exact_instance_of::<PyBytes>();
        if is_view && let Err(error) = self.0.call_method0(intern!(self.0.py(), "release")) {
            error.write_unraisable(self.0.py(), None);
        }
    }
}
