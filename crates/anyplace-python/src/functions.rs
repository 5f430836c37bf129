//! Functions as they travel, made once for as long as they are the same.
//!
//! A function's pickle is used again only while its guard holds: a list of what the pickle was made from, looked at
//! one by one (`_guards` of the Python part makes it). What leans on files that may change is made anew after a
//! moment, since looking at files costs more than a call should. Functions are known weakly: nothing here keeps one.

use crate::guard::Guard;
use anyplace::work::Function;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType, PyWeakrefMethods, PyWeakrefReference};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a function is not compared with the files that it leans on.
const MOMENT: Duration = Duration::from_millis(10);

/// So many are known, dead ones included.
const MOST: usize = 512;

/// The functions of a place.
#[derive(Default)]
pub(crate) struct Functions(Mutex<HashMap<usize, Known>>);

/// A function that was seen.
struct Known {
    function: Py<PyWeakrefReference>,
    /// Made when it is seen again: many functions are seen once.
    made: Option<Made>,
}

struct Made {
    function: Arc<Function>,
    guard: Guard,
    until: Option<Instant>,
}

impl Functions {
    /// The function as it is now.
    ///
    /// # Errors
    /// `anyplace.NotSerializable` names what of it cannot travel.
    pub(crate) fn get(&self, callable: &Bound<'_, PyAny>) -> PyResult<Arc<Function>> {
        if !can_be_known(callable)? {
            return dump(callable, false).map(|(function, _)| function);
        }
        let seen = self.look(callable)?;
        if let Some(Some(function)) = seen {
            return Ok(function);
        }
        let (function, made) = dump(callable, seen.is_some())?;
        self.note(callable, made)?;
        Ok(function)
    }

    /// Whether it was seen; with the function if that is good still.
    fn look(&self, callable: &Bound<'_, PyAny>) -> PyResult<Option<Option<Arc<Function>>>> {
        // A guard may run Python code (of a module that finds its names by itself), which may come back here.
        let Ok(known) = self.0.try_lock() else { return Ok(None) };
        let Some(known) = known.get(&address(callable)).filter(|known| known.is(callable)) else {
            return Ok(None);
        };
        let made = known.made.as_ref().filter(|made| made.is_fresh());
        match made {
            Some(made) if made.guard.holds(callable)? => Ok(Some(Some(made.function.clone()))),
            _ => Ok(Some(None)),
        }
    }

    fn note(&self, callable: &Bound<'_, PyAny>, made: Option<Made>) -> PyResult<()> {
        let function = PyWeakrefReference::new(callable)?.unbind();
        // What goes may hold Python objects, and goes when the lock is free.
        let mut gone = Vec::new();
        if let Ok(mut known) = self.0.try_lock() {
            if known.len() >= MOST {
                gone.extend(known.drain().map(|(_, known)| known));
            }
            gone.extend(known.insert(address(callable), Known { function, made }));
        }
        drop(gone);
        Ok(())
    }
}

impl Known {
    fn is(&self, callable: &Bound<'_, PyAny>) -> bool {
        self.function.bind(callable.py()).upgrade().is_some_and(|function| function.is(callable))
    }
}

impl Made {
    fn is_fresh(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }
}

fn address(callable: &Bound<'_, PyAny>) -> usize {
    callable.as_ptr() as usize
}

/// Plain functions, classes and functions of extension modules; nothing that is bound to an object.
fn can_be_known(callable: &Bound<'_, PyAny>) -> PyResult<bool> {
    static TYPES: PyOnceLock<[Py<PyType>; 3]> = PyOnceLock::new();
    let py = callable.py();
    let types = TYPES.get_or_try_init(py, || {
        let types = py.import("types")?;
        let named = |name: &str| Ok::<_, PyErr>(types.getattr(name)?.cast_into::<PyType>()?.unbind());
        Ok::<_, PyErr>([
            named("FunctionType")?,
            named("BuiltinFunctionType")?,
            py.get_type::<PyType>().unbind(),
        ])
    })?;
    let own = callable.get_type();
    Ok(types.iter().any(|known| own.is(known)))
}

/// The function's pickle, and what it is good for if `is_guarded` and that can be told.
fn dump(callable: &Bound<'_, PyAny>, is_guarded: bool) -> PyResult<(Arc<Function>, Option<Made>)> {
    static DUMP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let dump = DUMP.import(callable.py(), "anyplace._pickling", "dump_function")?;
    let began = Instant::now();
    let dumped = dump.call1((callable,))?;
    let (bytes, name, leaning): (Vec<u8>, String, Bound<'_, PyAny>) = dumped.extract()?;
    let function = Arc::new(hashed(bytes, name));
    if !is_guarded || leaning.is_none() {
        return Ok((function, None));
    }
    let made = guard(callable, &leaning)?.map(|(guard, leans_on_files)| Made {
        function: function.clone(),
        guard,
        until: leans_on_files.then(|| began + MOMENT),
    });
    Ok((function, made))
}

fn guard(callable: &Bound<'_, PyAny>, leaning: &Bound<'_, PyAny>) -> PyResult<Option<(Guard, bool)>> {
    let py = callable.py();
    let guards = py.import(intern!(py, "anyplace._guards"))?;
    let checks = guards.getattr(intern!(py, "checks"))?.call1((callable, leaning))?;
    if checks.is_none() {
        return Ok(None);
    }
    let (checks, leans_on_files): (Bound<'_, PyTuple>, bool) = checks.extract()?;
    Ok(Some((Guard::new(&checks)?, leans_on_files)))
}

/// A callable of these bytes under their hash.
pub(crate) fn hashed(bytes: Vec<u8>, name: String) -> Function {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    Function { id: hasher.finish(), name, bytes: bytes.into() }
}
