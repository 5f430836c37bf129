//! What a place does with objects.

use super::exported::{export, helper, raise};
use super::proxy::Proxy;
use anyplace::work::{Encoding, Payload};
use anyplace::{Error, Kind, Making, Recipe, Retry, Serve};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::Arc;

/// The objects and names of a place.
#[pyclass(frozen, module = "anyplace._core")]
pub(crate) struct Serving {
    serve: Arc<dyn Serve>,
    place: anyplace::Place,
}

impl Serving {
    pub(crate) fn new(place: &anyplace::Place) -> anyplace::Result<Self> {
        Ok(Self { serve: place.serve()?, place: place.clone() })
    }
}

#[pymethods]
impl Serving {
    /// Whether the objects of the place are in this process.
    #[getter]
    fn keeps_here(&self) -> bool {
        self.serve.keeps_here()
    }

    /// Keeps an object of this process.
    fn keep<'py>(
        &self,
        object: &Bound<'py, PyAny>,
        class_: String,
        exclusive: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let making = Making::Made(export(object)?);
        self.created(object.py(), Recipe { making, class: class_, exclusive, restart: 0 })
    }

    /// Has an object made elsewhere, of what ``_objects.make`` reads.
    fn create<'py>(
        &self,
        of: &Bound<'py, PyBytes>,
        class_: String,
        exclusive: bool,
        restart: u32,
    ) -> PyResult<Bound<'py, PyAny>> {
        let making = Making::Encoded(Payload::new(Encoding::Pickle, of.as_bytes()));
        self.created(of.py(), Recipe { making, class: class_, exclusive, restart })
    }

    /// Lets others find the object of a proxy, or one of this process.
    fn publish(&self, py: Python<'_>, name: &str, object: &Bound<'_, PyAny>) -> PyResult<()> {
        let proxy = match object.cast::<Proxy>() {
            Ok(proxy) => proxy.get().caller(py)?.proxy,
            Err(_) => {
                let exported = export(object)?;
                if exported.exposes_nothing(py) {
                    return Err(raise(py, &exposes_nothing(object)));
                }
                py.detach(|| anyplace::Proxy::keep(exported)).map_err(|error| raise(py, &error))?
            }
        };
        py.detach(|| self.place.publish_proxy(name, &proxy)).map_err(|error| raise(py, &error))
    }

    fn unpublish(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        py.detach(|| self.serve.unpublish(name)).map_err(|error| raise(py, &error))
    }

    fn find<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let found = py.detach(|| self.serve.find(name)).map_err(|error| raise(py, &error))?;
        Proxy::make(py, found)
    }

    fn names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        py.detach(|| self.serve.names()).map_err(|error| raise(py, &error))
    }
}

impl Serving {
    fn created<'py>(&self, py: Python<'py>, recipe: Recipe) -> PyResult<Bound<'py, PyAny>> {
        let proxy = py.detach(|| self.serve.create(recipe)).map_err(|error| raise(py, &error))?;
        Proxy::make(py, proxy)
    }
}

fn exposes_nothing(object: &Bound<'_, PyAny>) -> Error {
    let class = helper(object.py(), "class_of").and_then(|class| class.call1((object,))?.extract::<String>());
    let class = class.unwrap_or_else(|_| "the object".to_owned());
    Error::new(Kind::ConfigInvalid, format!("`{class}` exposes nothing, so nobody could use it"))
        .during("publish")
        .with_retry(Retry::Safe)
        .with_help("mark its methods, or the whole class, with `@anyplace.expose`")
}
