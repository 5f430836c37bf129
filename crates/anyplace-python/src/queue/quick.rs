//! `put(item)` and `get()` without the wrapper that PyO3 puts around a method.
//!
//! The wrapper counts the interpreter's lock, matches keywords and checks the class once more: as much as the whole of the
//! standard library's `SimpleQueue.put`. A call with anything but the plain arguments, or one that has to wait, goes the
//! usual way: through the method that PyO3 made.

use pyo3::PyClass;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use std::ffi::{CStr, CString};

/// A class whose items can be put and taken without a wait. Neither may run Python code or drop an object.
pub(crate) trait Quick: PyClass<Frozen = True> + Sync {
    /// Puts an item, if that needs nothing else; false if the method has to see to it.
    fn put_at_once(&self, py: Python<'_>, item: &Borrowed<'_, '_, PyAny>) -> bool;

    /// Takes an item, if that needs nothing else.
    fn get_at_once(&self, py: Python<'_>) -> Option<Py<PyAny>>;

    /// Where the methods that PyO3 made are kept.
    fn methods() -> &'static Methods;
}

/// The methods that PyO3 made.
pub(crate) struct Methods {
    put: PyOnceLock<Py<PyAny>>,
    get: PyOnceLock<Py<PyAny>>,
}

impl Methods {
    pub(super) const fn new() -> Self {
        Self { put: PyOnceLock::new(), get: PyOnceLock::new() }
    }
}

/// Puts quick methods in the place of the class's `put` and `get`.
pub(crate) fn install<Q: Quick>(py: Python<'_>) -> PyResult<()> {
    replace::<Q>(py, "put", put::<Q>, &Q::methods().put)?;
    replace::<Q>(py, "get", get::<Q>, &Q::methods().get)
}

fn replace<Q: Quick>(
    py: Python<'_>,
    name: &str,
    quick: ffi::PyCFunctionFastWithKeywords,
    slot: &PyOnceLock<Py<PyAny>>,
) -> PyResult<()> {
    let class = py.get_type::<Q>();
    let method = class.getattr(name)?;
    let (signature, doc) = (method.getattr("__text_signature__")?, method.getattr("__doc__")?);
    let doc = leaked(format!("{name}{signature}\n--\n\n{doc}"))?;
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: leaked(name.into())?.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: quick },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: doc.as_ptr(),
    }));
    // SAFETY: the definition lives for ever, and the class is one.
    let made = unsafe { ffi::PyDescr_NewMethod(class.as_type_ptr(), definition) };
    // SAFETY: a new reference, or null with an exception set.
    let made = unsafe { Bound::from_owned_ptr_or_err(py, made) }?;
    slot.get_or_init(py, || method.unbind());
    class.setattr(name, made)
}

/// Text for the interpreter, which keeps it as long as the class: for ever.
fn leaked(text: String) -> PyResult<&'static CStr> {
    Ok(Box::leak(CString::new(text)?.into_boxed_c_str()))
}

unsafe extern "C" fn put<Q: Quick>(
    queue: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls methods with its lock.
    let py = unsafe { Python::assume_attached() };
    if count == 1 && names.is_null() {
        // SAFETY: the caller keeps it alive.
        let queue = unsafe { Borrowed::from_ptr(py, queue) };
        // SAFETY: the descriptor has checked its class.
        let queue = unsafe { queue.cast_unchecked::<Q>() };
        // SAFETY: there is one argument, which the caller keeps alive.
        let item = unsafe { Borrowed::from_ptr(py, *arguments) };
        if queue.get().put_at_once(py, &item) {
            return py.None().into_ptr();
        }
    }
    // SAFETY: these are the arguments of this call.
    unsafe { at_length(&Q::methods().put, queue, arguments, count, names) }
}

unsafe extern "C" fn get<Q: Quick>(
    queue: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls methods with its lock.
    let py = unsafe { Python::assume_attached() };
    if count == 0 && names.is_null() {
        // SAFETY: the caller keeps it alive.
        let queue = unsafe { Borrowed::from_ptr(py, queue) };
        // SAFETY: the descriptor has checked its class.
        let queue = unsafe { queue.cast_unchecked::<Q>() };
        if let Some(item) = queue.get().get_at_once(py) {
            return item.into_ptr();
        }
    }
    // SAFETY: these are the arguments of this call.
    unsafe { at_length(&Q::methods().get, queue, arguments, count, names) }
}

/// Calls the method that PyO3 made.
///
/// # Safety
/// The arguments are those that the interpreter has called with, with its lock.
#[cold]
unsafe fn at_length(
    method: &PyOnceLock<Py<PyAny>>,
    queue: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    Python::attach(|py| {
        let count = usize::try_from(count).unwrap_or(0);
        // SAFETY: `count` positional arguments, and one for each name; all are kept alive by the caller.
        let argument = |at: usize| unsafe { Borrowed::from_ptr(py, *arguments.add(at)) };
        // SAFETY: the method's own object, kept alive by the caller.
        let queue = unsafe { Borrowed::from_ptr(py, queue) };
        // SAFETY: null, or a tuple of strings, kept alive by the caller.
        let names = unsafe { Bound::from_borrowed_ptr_or_opt(py, names) };
        let called = || {
            let positional = [queue].into_iter().chain((0..count).map(argument)).collect::<Vec<_>>();
            let keywords = PyDict::new(py);
            if let Some(names) = names {
                for (at, name) in names.try_iter()?.enumerate() {
                    keywords.set_item(name?, argument(count + at))?;
                }
            }
            let method = method.get(py).expect("the method was installed");
            method.bind(py).call(PyTuple::new(py, positional)?, Some(&keywords))
        };
        called().map_or_else(|error: PyErr| raise(py, error), Bound::into_ptr)
    })
}

fn raise(py: Python<'_>, error: PyErr) -> *mut ffi::PyObject {
    error.restore(py);
    std::ptr::null_mut()
}
