//! How a Python call becomes work, by what the place takes.

use crate::call::{Each, Item, One};
use crate::error;
use crate::first::First;
use crate::pickled::{self, Portable};
use anyplace::work::Work;
use anyplace::work::WorkKind;
use anyplace::{Error, Limits};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use std::sync::Arc;

/// What a place of Python's makes of a call.
pub(crate) enum Making {
    /// Closures of this process, with what each thread does first.
    Closures(Option<Arc<First>>),
    /// Pickled callables, for worker processes.
    Pickled,
}

impl Making {
    /// The first kind of work that the place takes and Python can make.
    pub(crate) fn of(py: Python<'_>, limits: &Limits, first: Option<Arc<First>>) -> PyResult<Self> {
        for kind in limits.takes {
            match kind {
                WorkKind::Closure => return Ok(Self::Closures(first)),
                WorkKind::Pickled => return Ok(Self::Pickled),
                _ => {}
            }
        }
        let error = Error::config("the place runs no Python functions");
        Err(error::to_python(py, &error.with_help("open `processes:`, `threads:` or `async:`")))
    }

    /// The function of a map, as all its chunks take it.
    pub(crate) fn function(&self, py: Python<'_>, function: Py<PyAny>) -> PyResult<Py<PyAny>> {
        match self {
            Self::Closures(_) => Ok(function),
            Self::Pickled => Ok(Py::new(py, Portable::new(py, function.bind(py))?)?.into_any()),
        }
    }

    /// A call: `arguments` begin with the callable.
    pub(crate) fn one(
        &self,
        py: Python<'_>,
        arguments: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Work> {
        match self {
            Self::Closures(first) => Ok(One {
                run: copied_context(py)?.getattr("run")?.unbind(),
                arguments: arguments.clone().unbind(),
                keywords: keywords.map(|keywords| keywords.clone().unbind()),
                first: first.clone(),
            }
            .work()),
            Self::Pickled => pickled::one(py, arguments, keywords),
        }
    }

    /// A chunk of a map whose calls run in copies of `context`.
    pub(crate) fn each(
        &self,
        py: Python<'_>,
        function: &Py<PyAny>,
        context: &Py<PyAny>,
        items: Vec<Item>,
    ) -> PyResult<Work> {
        match self {
            Self::Closures(first) => Ok(Each {
                run: context.bind(py).call_method0("copy")?.getattr("run")?.unbind(),
                function: function.clone_ref(py),
                items,
                first: first.clone(),
            }
            .work()),
            Self::Pickled => function.bind(py).cast::<Portable>()?.get().each(py, &items),
        }
    }

    /// The error that broke the place, if one did.
    pub(crate) fn check(&self, py: Python<'_>) -> PyResult<()> {
        match self {
            Self::Closures(first) => first.as_ref().map_or(Ok(()), |first| first.check(py)),
            // The engine says so itself.
            Self::Pickled => Ok(()),
        }
    }
}

/// A copy of the caller's context variables.
pub(crate) fn copied_context(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static COPY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    COPY.import(py, "contextvars", "copy_context")?.call0()
}
