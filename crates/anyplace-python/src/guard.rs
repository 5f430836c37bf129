//! What has to be the same for a function's pickle to be good once more.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple, PyWeakrefMethods, PyWeakrefReference};

/// All of these hold, or the pickle is of the past.
pub(crate) struct Guard(Vec<Check>);

/// One thing that was looked at when the pickle was made. `_guards` writes each as a tuple that begins with its name.
enum Check {
    /// The function has this attribute.
    Attribute(Py<PyString>, Expected),
    /// The function has no attributes of the user's.
    Bare,
    /// The closure's variable at this position is this.
    Cell(usize, Expected),
    /// The name is this among the function's globals; or not among them.
    Global(Py<PyString>, Option<Expected>),
    /// The module is loaded, and was not loaded again since.
    Module(Py<PyString>, Py<PyAny>),
    /// The function is what its module has under this path.
    Found(Py<PyString>, Vec<Py<PyString>>),
    /// Another function that this one calls is the same, too.
    Helper(Py<PyWeakrefReference>, Guard),
}

/// An object, known weakly if something might wait for its end.
enum Expected {
    Held(Py<PyAny>),
    Weak(Py<PyWeakrefReference>),
}

impl Guard {
    pub(crate) fn new(checks: &Bound<'_, PyTuple>) -> PyResult<Self> {
        checks
            .iter()
            .map(|check| Check::new(&check.cast_into::<PyTuple>()?))
            .collect::<PyResult<_>>()
            .map(Self)
    }

    /// Whether the function and all that it leans on is what it was.
    pub(crate) fn holds(&self, function: &Bound<'_, PyAny>) -> PyResult<bool> {
        for check in &self.0 {
            if !check.holds(function)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Check {
    fn new(check: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let name: String = check.get_item(0)?.extract()?;
        let text = |at| Ok::<_, PyErr>(check.get_item(at)?.cast_into::<PyString>()?.unbind());
        let expected = |at| Ok::<_, PyErr>(Expected::new(check.get_item(at)?));
        Ok(match name.as_str() {
            "attribute" => Self::Attribute(text(1)?, expected(2)?),
            "cell" => Self::Cell(check.get_item(1)?.extract()?, expected(2)?),
            "global" => Self::Global(text(1)?, Some(expected(2)?)),
            "no global" => Self::Global(text(1)?, None),
            "module" => Self::Module(text(1)?, check.get_item(2)?.unbind()),
            "found" => Self::Found(text(1)?, check.get_item(2)?.extract()?),
            "helper" => {
                let helper = check.get_item(1)?.cast_into::<PyWeakrefReference>()?.unbind();
                Self::Helper(helper, Guard::new(&check.get_item(2)?.cast_into()?)?)
            }
            _ => Self::Bare,
        })
    }

    fn holds(&self, function: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = function.py();
        Ok(match self {
            Self::Attribute(name, expected) => expected.is(&function.getattr(name)?),
            Self::Bare => function.getattr(intern!(py, "__dict__"))?.is_empty()?,
            Self::Cell(at, expected) => {
                let cells = function.getattr(intern!(py, "__closure__"))?.cast_into::<PyTuple>()?;
                let content = cells.get_item(*at)?.getattr(intern!(py, "cell_contents"));
                content.is_ok_and(|content| expected.is(&content))
            }
            Self::Global(name, expected) => {
                let globals = function.getattr(intern!(py, "__globals__"))?.cast_into::<PyDict>()?;
                match (globals.get_item(name)?, expected) {
                    (Some(value), Some(expected)) => expected.is(&value),
                    (value, expected) => value.is_none() && expected.is_none(),
                }
            }
            Self::Module(name, spec) => match module(py, name)? {
                Some(module) => module.getattr(intern!(py, "__spec__")).is_ok_and(|own| own.is(spec)),
                None => false,
            },
            Self::Found(name, path) => match module(py, name)? {
                Some(module) => follow(module, path).is_ok_and(|found| found.is(function)),
                None => false,
            },
            Self::Helper(helper, guard) => match helper.bind(py).upgrade() {
                Some(helper) => guard.holds(&helper)?,
                None => false,
            },
        })
    }
}

impl Expected {
    fn new(object: Bound<'_, PyAny>) -> Self {
        match object.cast_into::<PyWeakrefReference>() {
            Ok(weak) => Self::Weak(weak.unbind()),
            Err(error) => Self::Held(error.into_inner().unbind()),
        }
    }

    fn is(&self, object: &Bound<'_, PyAny>) -> bool {
        match self {
            Self::Held(expected) => object.is(expected),
            Self::Weak(weak) => weak.bind(object.py()).upgrade().is_some_and(|expected| object.is(&expected)),
        }
    }
}

/// What `sys.modules` has under this name.
fn module<'py>(py: Python<'py>, name: &Py<PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
    static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let modules = MODULES.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?.unbind())
    })?;
    modules.bind(py).get_item(name)
}

fn follow<'py>(module: Bound<'py, PyAny>, path: &[Py<PyString>]) -> PyResult<Bound<'py, PyAny>> {
    path.iter().try_fold(module, |found, part| found.getattr(part))
}
