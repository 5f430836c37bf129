//! Options, by number.

use super::Socket;
use super::raised::raised;
use super::sys;
use super::view::View;
use pyo3::exceptions::{PyOSError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::ffi::c_int;

/// The longest option that can be asked for.
const LONGEST: isize = 1024;

impl Socket {
    /// What `getsockopt` gives: a number, or as many bytes as asked for.
    pub(super) fn option<'py>(
        &self,
        py: Python<'py>,
        level: c_int,
        name: c_int,
        length: isize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let fd = self.fd();
        if length == 0 {
            let number = sys::number(fd, level, name).map_err(|error| raised(py, &error))?;
            return Ok(number.into_pyobject(py)?.into_any());
        }
        if !(0..=LONGEST).contains(&length) {
            return Err(PyOSError::new_err("getsockopt buflen out of range"));
        }
        let mut room = vec![0; length.unsigned_abs()];
        let length = sys::option(fd, level, name, &mut room).map_err(|error| raised(py, &error))?;
        Ok(PyBytes::new(py, &room[..length]).into_any())
    }

    /// Sets an option to a number or bytes; or to nothing, of some length.
    pub(super) fn set_option(
        &self,
        py: Python<'_>,
        (level, name): (c_int, c_int),
        value: &Bound<'_, PyAny>,
        length: Option<u32>,
    ) -> PyResult<()> {
        let fd = self.fd();
        let set = match length {
            Some(length) if value.is_none() => sys::set_length_of_option(fd, level, name, length),
            Some(_) => return Err(PyTypeError::new_err("only None has a length of its own")),
            None if value.is_none() => {
                return Err(PyTypeError::new_err("a value of None needs its length behind it"));
            }
            None if value.hasattr("__index__")? => {
                let number: c_int = value.extract()?;
                sys::set_option(fd, level, name, &number.to_ne_bytes())
            }
            None => sys::set_option(fd, level, name, View::of(value)?.bytes()),
        };
        set.map_err(|error| raised(py, &error))
    }
}
