//! What a running task may know about itself.

use crate::error;
use anyplace::{Error, Kind};
use pyo3::prelude::*;
use pyo3::sync::{OnceLockExt, PyOnceLock};
use std::sync::OnceLock;

/// What a running task knows about itself; `anyplace.current()` gives it.
///
/// The same on every place: only `worker` depends on where the task runs.
///
/// Examples
/// --------
/// >>> import anyplace
/// >>> def draw(_):
/// ...     return anyplace.current().random.random()
/// >>> with anyplace.open("threads:2", seed=7) as here, anyplace.open("inline:", seed=7) as there:
/// ...     list(here.map(draw, range(3))) == list(there.map(draw, range(3)))
/// True
#[pyclass(frozen, module = "anyplace")]
pub(crate) struct Context {
    context: anyplace::Context,
    random: OnceLock<PyResult<Py<PyAny>>>,
    numpy: OnceLock<PyResult<Py<PyAny>>>,
}

#[pymethods]
impl Context {
    /// The number of the ``submit`` or ``map`` in its place, from 0.
    #[getter]
    fn task(&self) -> u64 {
        self.context.task
    }

    /// The item's position in its map, from 0; 0 for a single task.
    #[getter]
    fn index(&self) -> u64 {
        self.context.index
    }

    /// Which attempt this is, from 1.
    #[getter]
    fn attempt(&self) -> u32 {
        self.context.attempt
    }

    /// Which of the place's workers runs the task, from 0.
    #[getter]
    fn worker(&self) -> usize {
        self.context.worker
    }

    /// How many workers the place has.
    #[getter]
    fn workers(&self) -> usize {
        self.context.workers
    }

    /// The task's own seed: 64 bits that depend on the place's seed, the task's number and the item's index only.
    #[getter]
    fn seed(&self) -> u64 {
        self.context.seed()
    }

    /// A ``random.Random`` with the task's seed, made when it is first asked for.
    #[getter]
    fn random(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        made(py, &self.random, || Ok(py.import("random")?.call_method1("Random", (self.seed(),))?.unbind()))
    }

    /// A ``numpy.random.Generator`` with the task's seed, made when it is first asked for.
    #[getter]
    fn numpy(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        made(py, &self.numpy, || {
            Ok(py.import("numpy.random")?.call_method1("default_rng", (self.seed(),))?.unbind())
        })
    }

    fn __repr__(&self) -> String {
        let anyplace::Context { task, index, attempt, worker, .. } = self.context;
        format!("<anyplace.Context task={task} index={index} attempt={attempt} worker={worker}>")
    }
}

fn made(
    py: Python<'_>,
    cell: &OnceLock<PyResult<Py<PyAny>>>,
    make: impl FnOnce() -> PyResult<Py<PyAny>>,
) -> PyResult<Py<PyAny>> {
    match cell.get_or_init_py_attached(py, make) {
        Ok(made) => Ok(made.clone_ref(py)),
        Err(error) => Err(error.clone_ref(py)),
    }
}

impl Context {
    pub(crate) fn new(context: anyplace::Context) -> Self {
        Self { context, random: OnceLock::new(), numpy: OnceLock::new() }
    }
}

/// The `contextvars.ContextVar` that keeps the object of the task that runs: coroutines and `asyncio.to_thread`
/// inherit it, and two calls of `current()` in a task share one generator.
pub(crate) fn variable(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static VARIABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = || {
        Ok::<_, PyErr>(py.import("contextvars")?.call_method1("ContextVar", ("anyplace.current",))?.unbind())
    };
    VARIABLE.get_or_try_init(py, make).map(|variable| variable.bind(py))
}

/// Tells what the running task knows about itself.
///
/// Returns
/// -------
/// Context
///     Its ``index``, ``attempt``, ``worker``, ``seed``, and generators with that seed.
///
/// Raises
/// ------
/// NotFound
///     If the caller is not inside a task.
#[pyfunction]
pub(crate) fn current(py: Python<'_>) -> PyResult<Py<Context>> {
    let variable = variable(py)?;
    let kept = variable.call_method1("get", (py.None(),))?.cast_into::<Context>().ok();
    let Some(context) = anyplace::current() else {
        return kept.map(Bound::unbind).ok_or_else(|| error::to_python(py, &outside()));
    };
    if let Some(kept) = kept.filter(|kept| kept.get().context == context) {
        return Ok(kept.unbind());
    }
    let made = Py::new(py, Context::new(context))?;
    variable.call_method1("set", (&made,))?;
    Ok(made)
}

fn outside() -> Error {
    Error::new(Kind::NotFound, "no task runs here")
        .during("current")
        .with_help("call `anyplace.current()` inside a function that a place runs")
}
