//! Calls of a lock that cost as little as calls of the interpreter's own.
//!
//! A lock is taken and let go of in ten nanoseconds, and PyO3's preparations for a call cost twice that. So the calls that
//! mostly succeed at once are plain functions, which look at the lock first; all else is left to the methods that PyO3
//! made. The interpreter calls a method quickest on objects of exactly the class that it was made for, which is why they
//! are made for the class that users see.

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;
use pyo3::types::{PyDict, PyTuple, PyType};
use pyo3::{Borrowed, PyClass};
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;

/// A lock of ours.
pub(super) trait Quick: PyClass<Frozen = True> + Sync {
    /// Takes it if that is possible at once.
    fn try_take(&self) -> bool;

    /// Takes it, waiting for it if need be.
    fn take(&self, py: Python<'_>) -> PyResult<bool>;

    /// Lets go of it.
    fn let_go(&self) -> PyResult<()>;
}

/// Gives a class, which inherits from `T`, methods that cost less to call.
pub(super) fn quicken<T: Quick>(class: &Bound<'_, PyType>) -> PyResult<()> {
    let acquire = ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: acquire::<T> };
    let enter = ffi::PyMethodDefPointer { PyCFunction: enter::<T> };
    let release = ffi::PyMethodDefPointer { PyCFunction: release::<T> };
    let exit = ffi::PyMethodDefPointer { PyCFunctionFast: exit::<T> };
    add::<T>(class, c"acquire", acquire, ffi::METH_FASTCALL | ffi::METH_KEYWORDS)?;
    add::<T>(class, c"__enter__", enter, ffi::METH_NOARGS)?;
    add::<T>(class, c"release", release, ffi::METH_NOARGS)?;
    add::<T>(class, c"__exit__", exit, ffi::METH_FASTCALL)
}

fn add<T: Quick>(
    class: &Bound<'_, PyType>,
    name: &'static CStr,
    method: ffi::PyMethodDefPointer,
    flags: i32,
) -> PyResult<()> {
    let py = class.py();
    let name_here = name.to_str().map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    // What PyO3 made for the base says how it is called.
    let doc = py.get_type::<T>().getattr(name_here)?.getattr("__doc__")?;
    let signature = py.get_type::<T>().getattr(name_here)?.getattr("__text_signature__")?;
    let text = format!("{}{signature}\n--\n\n{doc}\0", name_here);
    let doc = Box::leak(text.into_boxed_str()).as_ptr().cast();
    let definition =
        ffi::PyMethodDef { ml_name: name.as_ptr(), ml_meth: method, ml_flags: flags, ml_doc: doc };
    // SAFETY: the class is a heap type, and the definition lives as long as the program.
    let method = unsafe { ffi::PyDescr_NewMethod(class.as_type_ptr(), Box::leak(Box::new(definition))) };
    // SAFETY: it gives a new reference, or null with an exception set.
    let method = unsafe { Bound::from_owned_ptr_or_err(py, method) }?;
    class.setattr(name_here, method)
}

/// The lock behind an object that one of the methods above is called on.
///
/// # Safety
/// The calling thread is attached, and `slf` is an object of a class that inherits from `T`, which outlives `'a`.
unsafe fn lock<'a, T: Quick>(slf: *mut ffi::PyObject) -> &'a T {
    // SAFETY: the thread is attached, says the caller.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: the object is alive, says the caller.
    let object = unsafe { Borrowed::from_ptr(py, slf) };
    // SAFETY: it is of such a class, says the caller.
    let object = unsafe { object.cast_unchecked::<T>() };
    // SAFETY: the lock lies in the object, and lives as long as that does.
    unsafe { &*std::ptr::from_ref(object.get()) }
}

unsafe extern "C" fn acquire<T: Quick>(
    slf: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    if keywords.is_null() && count == 0 {
        // SAFETY: the interpreter calls this as `enter`.
        return unsafe { enter::<T>(slf, std::ptr::null_mut()) };
    }
    // SAFETY: the interpreter calls it while attached.
    let py = unsafe { Python::assume_attached() };
    guarded(|| {
        // SAFETY: the interpreter holds the object while its method runs.
        let this = unsafe { Borrowed::from_ptr(py, slf) };
        // SAFETY: it gives so many arguments by position, and behind them one for each name.
        let (arguments, keywords) = unsafe { arguments(py, args, count, keywords) }?;
        let all = [this.to_owned()].into_iter().chain(arguments);
        let method = py.get_type::<T>().getattr("acquire")?;
        Ok(method.call(PyTuple::new(py, all.collect::<Vec<_>>())?, keywords.as_ref())?.into_ptr())
    })
}

unsafe extern "C" fn enter<T: Quick>(slf: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls it while attached, on an object of the method's class, and holds that meanwhile.
    let lock = unsafe { lock::<T>(slf) };
    if lock.try_take() {
        // SAFETY: the thread is attached.
        return unsafe { ffi::PyBool_FromLong(1) };
    }
    guarded(|| {
        let taken = Python::attach(|py| lock.take(py))?;
        // SAFETY: the thread is attached.
        Ok(unsafe { ffi::PyBool_FromLong(taken.into()) })
    })
}

unsafe extern "C" fn release<T: Quick>(slf: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as in `enter`.
    let lock = unsafe { lock::<T>(slf) };
    match lock.let_go() {
        // SAFETY: None lives for ever.
        Ok(()) => unsafe { ffi::Py_NewRef(ffi::Py_None()) },
        Err(error) => guarded(|| Err(error)),
    }
}

unsafe extern "C" fn exit<T: Quick>(
    slf: *mut ffi::PyObject,
    _arguments: *mut *mut ffi::PyObject,
    _count: ffi::Py_ssize_t,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls this as `release`.
    unsafe { release::<T>(slf, std::ptr::null_mut()) }
}

/// Does as PyO3 does: an error is raised, and a panic is an error.
fn guarded(body: impl FnOnce() -> PyResult<*mut ffi::PyObject>) -> *mut ffi::PyObject {
    let result = catch_unwind(AssertUnwindSafe(body));
    let result = result.unwrap_or_else(|_| Err(PanicException::new_err("a lock panicked")));
    result.unwrap_or_else(|error| {
        Python::attach(|py| error.restore(py));
        std::ptr::null_mut()
    })
}

type Arguments<'py> = (Vec<Bound<'py, PyAny>>, Option<Bound<'py, PyDict>>);

/// The arguments of a call, by position and by name.
///
/// # Safety
/// `args` are `count` objects, and one more for each of `keywords`, which is null or a tuple of names.
unsafe fn arguments<'py>(
    py: Python<'py>,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> PyResult<Arguments<'py>> {
    // SAFETY: null or a tuple, says the caller.
    let names = unsafe { Bound::from_borrowed_ptr_or_opt(py, keywords) };
    let names = names.map(Bound::cast_into::<PyTuple>).transpose()?;
    let total = count as usize + names.as_ref().map_or(0, PyTupleMethods::len);
    // SAFETY: so many there are, says the caller.
    let all = if total == 0 { &[] } else { unsafe { slice::from_raw_parts(args, total) } };
    // SAFETY: they are alive while the call lasts.
    let object = |&argument: &*mut ffi::PyObject| unsafe { Bound::from_borrowed_ptr(py, argument) };
    let (positional, named) = all.split_at(count as usize);
    let Some(names) = names else { return Ok((positional.iter().map(object).collect(), None)) };
    let keywords = PyDict::new(py);
    names.iter().zip(named).try_for_each(|(name, value)| keywords.set_item(name, object(value)))?;
    Ok((positional.iter().map(object).collect(), Some(keywords)))
}
