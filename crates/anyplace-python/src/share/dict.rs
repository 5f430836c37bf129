//! Values by key.

use super::home::home;
use super::item::PyItem;
use super::key::Key;
use super::raised::{raised, reached};
use super::ticket;
use crate::place::Place;
use anyplace::share::Dict;
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

/// The part of ``anyplace.share.Dict`` that the engine does.
#[pyclass(subclass, frozen, weakref, generic, mapping, module = "anyplace._core")]
pub(crate) struct SharedDict(Dict<Key, PyItem>);

#[pymethods]
impl SharedDict {
    #[new]
    #[pyo3(signature = (place=None, name="", *, _ticket=None))]
    fn new(
        py: Python<'_>,
        place: Option<&Bound<'_, Place>>,
        name: &str,
        _ticket: Option<&[u8]>,
    ) -> PyResult<Self> {
        ticket::or(py, _ticket, || home(place)?.dict(name)).map(Self)
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.find(key)?.ok_or_else(|| missing(key))
    }

    fn __setitem__(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.set(Key::new(key)?, PyItem::new(value)).map_err(|error| raised(key.py(), &error))
    }

    fn __delitem__(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        self.take(key)?.map(drop).ok_or_else(|| missing(key))
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.0.contains(&Key::new(key)?).map_err(|error| raised(key.py(), &error))
    }

    fn __len__(&self) -> PyResult<usize> {
        reached(|| self.0.len())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.keys(py)?.try_iter()?.into_any())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = other.py();
        let own = PyDict::from_sequence(self.items(py)?.as_any())?;
        match other.cast::<Self>() {
            Ok(other) => own.eq(PyDict::from_sequence(other.get().items(py)?.as_any())?),
            Err(_) => own.eq(other),
        }
    }

    /// Give the value of a key.
    ///
    /// Parameters
    /// ----------
    /// key : object
    ///     The key.
    /// default : object, optional
    ///     What is given if the key is not there.
    ///
    /// Returns
    /// -------
    /// object
    ///     The value, or the default.
    #[pyo3(signature = (key, default=None))]
    fn get<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let or_default = || default.unwrap_or_else(|| key.py().None().into_bound(key.py()));
        Ok(self.find(key)?.unwrap_or_else(or_default))
    }

    /// Take a key out and give its value.
    ///
    /// Parameters
    /// ----------
    /// key : object
    ///     The key.
    /// *default : object
    ///     What is given if the key is not there; without it, that raises KeyError.
    ///
    /// Returns
    /// -------
    /// object
    ///     The value, or the default.
    #[pyo3(signature = (key, *default))]
    fn pop<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self.take(key)? {
            Some(item) => item.object(key.py()),
            None => default.get_item(0).map_err(|_| missing(key)),
        }
    }

    /// Take out what was put last, and give its key and value.
    fn popitem<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let last = self.0.remove_last().map_err(|error| raised(py, &error))?;
        let (key, value) = last.ok_or_else(|| PyKeyError::new_err("popitem(): dictionary is empty"))?;
        PyTuple::new(py, [key.object(py)?, value.object(py)?])
    }

    /// Give the value of a key, after putting one there if there was none.
    ///
    /// Parameters
    /// ----------
    /// key : object
    ///     The key.
    /// default : object, optional
    ///     What is put there.
    ///
    /// Returns
    /// -------
    /// object
    ///     The value that is there now.
    #[pyo3(signature = (key, default=None))]
    fn setdefault<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = key.py();
        let default = default.unwrap_or_else(|| py.None().into_bound(py));
        let there = self.0.get_or_set(Key::new(key)?, PyItem::new(&default));
        let there = there.map_err(|error| raised(py, &error))?;
        there.map_or(Ok(default), |item| item.object(py))
    }

    /// Put several values.
    ///
    /// Parameters
    /// ----------
    /// other : mapping or iterable of pairs, default ()
    ///     The keys and values.
    /// **more
    ///     And by name.
    #[pyo3(signature = (other=None, /, **more))]
    fn update<'py>(
        &self,
        py: Python<'py>,
        other: Option<&Bound<'py, PyAny>>,
        more: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<()> {
        let all = py.get_type::<PyDict>().call((other.unwrap_or(&PyTuple::empty(py)),), more)?;
        let pairs = all.cast_into::<PyDict>()?.iter();
        let pairs: Vec<_> =
            pairs.map(|(key, value)| Ok((Key::new(&key)?, PyItem::new(&value)))).collect::<PyResult<_>>()?;
        self.0.update(pairs).map_err(|error| raised(py, &error))
    }

    /// Take all out.
    fn clear(&self, py: Python<'_>) -> PyResult<()> {
        self.0.clear().map_err(|error| raised(py, &error))
    }

    /// List the keys, in the order in which they were put.
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let keys = self.0.keys().map_err(|error| raised(py, &error))?;
        let keys: Vec<_> = keys.iter().map(|key| key.object(py)).collect::<PyResult<_>>()?;
        PyList::new(py, keys)
    }

    /// List the values, in the order of the keys.
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let items = self.0.items().map_err(|error| raised(py, &error))?;
        let values: Vec<_> = items.into_iter().map(|(_, value)| value.object(py)).collect::<PyResult<_>>()?;
        PyList::new(py, values)
    }

    /// List the pairs of key and value, in the order of the keys.
    fn items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let items = self.0.items().map_err(|error| raised(py, &error))?;
        let pair = |(key, value): (Key, PyItem)| PyTuple::new(py, [key.object(py)?, value.object(py)?]);
        let pairs: Vec<_> = items.into_iter().map(pair).collect::<PyResult<_>>()?;
        PyList::new(py, pairs)
    }

    /// Give a dict of this process with the same content.
    fn copy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        PyDict::from_sequence(self.items(py)?.as_any())
    }

    /// Its name; empty if it has none.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        ticket::reduce(slf, &slf.get().0)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let py = slf.py();
        // Debuggers show what is there whatever has become of it.
        let inside = slf.get().copy(py).and_then(|inside| Ok(inside.repr()?.to_string()));
        let inside = inside.unwrap_or_else(|error| format!("unreadable: {error}"));
        ticket::repr(slf, slf.get().0.name(), &inside)
    }
}

impl SharedDict {
    fn find<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let found = self.0.get(&Key::new(key)?).map_err(|error| raised(key.py(), &error))?;
        found.map(|item| item.object(key.py())).transpose()
    }

    fn take(&self, key: &Bound<'_, PyAny>) -> PyResult<Option<PyItem>> {
        self.0.remove(&Key::new(key)?).map_err(|error| raised(key.py(), &error))
    }
}

fn missing(key: &Bound<'_, PyAny>) -> PyErr {
    PyKeyError::new_err(key.clone().unbind())
}
