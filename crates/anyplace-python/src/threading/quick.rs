//! Calls of a lock that cost as little as calls of the interpreter's own.
//!
//! A lock is taken and let go of in ten nanoseconds, and PyO3's preparations for a call cost twice that. So the calls that
//! mostly succeed at once are plain functions, which look at the lock first and prepare only what has to wait. The
//! interpreter calls a method quickest on objects of exactly the class that it was made for, which is why they are made for
//! the class that users see.

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::ffi;
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::pyclass::boolean_struct::True;
use pyo3::types::{PyTuple, PyType};
use pyo3::{Borrowed, PyClass};
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A lock of ours.
pub(crate) trait Quick: PyClass<Frozen = True> + Sync {
    /// What the arguments of `acquire` are called.
    const NAMES: [&'static str; 2] = ["blocking", "timeout"];
    /// Whether a timeout of None is none.
    const TAKES_NONE: bool = false;
    /// Whether `release` takes how often, as `n`.
    const RELEASES_MANY: bool = false;

    /// Takes it if that is possible at once.
    fn try_take(&self) -> bool;

    /// Takes it as the arguments of a call say.
    fn acquire(
        &self,
        py: Python<'_>,
        blocking: Option<&Bound<'_, PyAny>>,
        timeout: Option<f64>,
    ) -> PyResult<bool>;

    /// Takes it, waiting for it if need be.
    fn take(&self, py: Python<'_>) -> PyResult<bool> {
        Quick::acquire(self, py, None, None)
    }

    /// Lets go of it.
    fn let_go(&self) -> PyResult<()>;

    /// Lets go of it as often as the argument of a call says.
    fn let_go_often(&self, _: Python<'_>, _often: &Bound<'_, PyAny>) -> PyResult<()> {
        self.let_go()
    }
}

/// Gives a class, which inherits from `T`, methods that cost less to call.
pub(crate) fn quicken<T: Quick>(class: &Bound<'_, PyType>) -> PyResult<()> {
    let acquire = ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: acquire::<T> };
    let enter = ffi::PyMethodDefPointer { PyCFunction: enter::<T> };
    let release = ffi::PyMethodDefPointer { PyCFunction: release::<T> };
    let exit = ffi::PyMethodDefPointer { PyCFunctionFast: exit::<T> };
    add::<T>(class, c"acquire", acquire, ffi::METH_FASTCALL | ffi::METH_KEYWORDS)?;
    add::<T>(class, c"__enter__", enter, ffi::METH_NOARGS)?;
    if T::RELEASES_MANY {
        let release = ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: release_often::<T> };
        add::<T>(class, c"release", release, ffi::METH_FASTCALL | ffi::METH_KEYWORDS)?;
    } else {
        add::<T>(class, c"release", release, ffi::METH_NOARGS)?;
    }
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
    // SAFETY: the interpreter calls it while attached, on an object of the method's class, and holds that meanwhile.
    let lock = unsafe { lock::<T>(slf) };
    guarded(|| {
        Python::attach(|py| {
            // SAFETY: it gives so many arguments by position, and behind them one for each name.
            let [blocking, timeout] = unsafe { arguments(py, "acquire", T::NAMES, args, count, keywords) }?;
            let timeout = timeout.filter(|timeout| !(T::TAKES_NONE && timeout.is_none()));
            let timeout = timeout.map(|timeout| timeout.extract()).transpose()?;
            let taken = lock.acquire(py, blocking.as_ref(), timeout)?;
            // SAFETY: the thread is attached.
            Ok(unsafe { ffi::PyBool_FromLong(taken.into()) })
        })
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

unsafe extern "C" fn release_often<T: Quick>(
    slf: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    if keywords.is_null() && count == 0 {
        // SAFETY: the interpreter calls this as `release`.
        return unsafe { release::<T>(slf, std::ptr::null_mut()) };
    }
    // SAFETY: as in `acquire`.
    let lock = unsafe { lock::<T>(slf) };
    guarded(|| {
        Python::attach(|py| {
            // SAFETY: as in `acquire`.
            let [often] = unsafe { arguments(py, "release", ["n"], args, count, keywords) }?;
            often.map_or_else(|| lock.let_go(), |often| lock.let_go_often(py, &often))?;
            Ok(py.None().into_ptr())
        })
    })
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

/// The arguments of a call of `function`, in the order of their names.
///
/// # Safety
/// `args` are `count` objects, and one more for each of `keywords`, which is null or a tuple of names.
unsafe fn arguments<'py, const MOST: usize>(
    py: Python<'py>,
    function: &str,
    names: [&str; MOST],
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> PyResult<[Option<Bound<'py, PyAny>>; MOST]> {
    // SAFETY: null or a tuple, says the caller.
    let keywords = unsafe { Bound::from_borrowed_ptr_or_opt(py, keywords) };
    let keywords = keywords.map(Bound::cast_into::<PyTuple>).transpose()?;
    let count = count as usize;
    if count > MOST {
        let message = format!("{function}() takes at most {MOST} arguments ({count} given)");
        return Err(PyTypeError::new_err(message));
    }
    // SAFETY: so many there are, and they are alive while the call lasts, says the caller.
    let given = |index: usize| unsafe { Bound::from_borrowed_ptr(py, *args.add(index)) };
    let mut found = std::array::from_fn(|index| (index < count).then(|| given(index)));
    for (name, index) in keywords.iter().flatten().zip(count..) {
        let name: PyBackedStr = name.extract()?;
        let place = names.iter().position(|known| **known == *name);
        let free = place.map(|place| &mut found[place]).filter(|found| found.is_none());
        let error = || PyTypeError::new_err(format!("{function}() got an unexpected argument '{name}'"));
        *free.ok_or_else(error)? = Some(given(index));
    }
    Ok(found)
}
