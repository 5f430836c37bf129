//! Why nothing goes on in a place, as the parts that Python's report is made of.

use anyplace::share::Why;
use anyplace::share::why::{Deadlock, Involved, Link, Who};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

/// The report: its text, the objects, and the deadlocks.
pub(crate) fn parts<'py>(py: Python<'py>, why: &Why) -> PyResult<Bound<'py, PyTuple>> {
    let objects = list(py, &why.objects, involved)?;
    let deadlocks = list(py, &why.deadlocks, |py, Deadlock { links }| list(py, links, link))?;
    (why.to_string(), objects, deadlocks).into_pyobject(py)
}

fn list<'py, T, R: IntoPyObject<'py>>(
    py: Python<'py>,
    items: &[T],
    part: impl Fn(Python<'py>, &T) -> PyResult<R>,
) -> PyResult<Bound<'py, PyList>> {
    let parts: Vec<R> = items.iter().map(|item| part(py, item)).collect::<PyResult<_>>()?;
    PyList::new(py, parts)
}

fn involved<'py>(py: Python<'py>, object: &Involved) -> PyResult<Bound<'py, PyTuple>> {
    let (holders, waiters) = (list(py, &object.holders, who)?, list(py, &object.waiters, who)?);
    (object.kind.name(), &object.name, holders, waiters).into_pyobject(py)
}

fn link<'py>(py: Python<'py>, link: &Link) -> PyResult<Bound<'py, PyTuple>> {
    (who(py, &link.who)?, link.kind.name(), &link.name).into_pyobject(py)
}

fn who<'py>(py: Python<'py>, who: &Who) -> PyResult<Bound<'py, PyTuple>> {
    let since = who.since.map(|since| since.as_secs_f64());
    (who.to_string(), who.task, who.process, who.thread, since, &who.line).into_pyobject(py)
}
