//! Python's data as MessagePack: None, bool, int, float, str, bytes, list, tuple and dict.
//!
//! Programs in any language can read it, and reading it runs nothing. What MessagePack has no form for travels in one of
//! its extensions: a tuple as [`TUPLE`], which holds an array; an int of more than 64 bits as [`LONG`], which holds its
//! digits. Subclasses are refused, since what they mean would be lost.

use anyplace::{Error, Kind};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

/// The extensions' numbers.
const TUPLE: u8 = 1;
const LONG: u8 = 2;
/// Deeper values are taken for endless ones.
const DEEPEST: usize = 100;

/// The value as bytes.
///
/// # Errors
/// `NotSerializable` for what is no data.
pub(super) fn dump(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let mut out = Vec::new();
    put(value, &mut out, 0)?;
    Ok(out)
}

/// The value of the bytes.
///
/// # Errors
/// `ValueError` if they are none.
pub(super) fn load<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let mut reader = Reader { bytes };
    let value = reader.value(py, 0)?;
    if reader.bytes.is_empty() { Ok(value) } else { Err(wrong()) }
}

fn put(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) -> PyResult<()> {
    if depth > DEEPEST {
        return Err(refused(value, "it is too deep, or holds itself"));
    }
    if value.is_none() {
        out.push(0xc0);
    } else if let Ok(value) = value.cast_exact::<PyBool>() {
        out.push(if value.is_true() { 0xc3 } else { 0xc2 });
    } else if let Ok(value) = value.cast_exact::<PyInt>() {
        put_int(value, out)?;
    } else if let Ok(value) = value.cast_exact::<PyFloat>() {
        out.push(0xcb);
        out.extend(value.value().to_be_bytes());
    } else if let Ok(text) = value.cast_exact::<PyString>() {
        let text = text.to_str().map_err(|_| refused(value, "it is no text: it has lone surrogates"))?;
        put_head(out, text.len(), Some((0xa0, 32)), Some(0xd9), 0xda)?;
        out.extend(text.as_bytes());
    } else if let Ok(bytes) = value.cast_exact::<PyBytes>() {
        put_bytes(bytes.as_bytes(), out)?;
    } else if let Ok(bytes) = value.cast_exact::<PyByteArray>() {
        put_bytes(&bytes.to_vec(), out)?;
    } else if let Ok(list) = value.cast_exact::<PyList>() {
        put_all(list.len(), list.iter(), out, depth)?;
    } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
        let mut inside = Vec::new();
        put_all(tuple.len(), tuple.iter(), &mut inside, depth)?;
        put_extension(TUPLE, &inside, out)?;
    } else if let Ok(dict) = value.cast_exact::<PyDict>() {
        put_head(out, dict.len(), Some((0x80, 16)), None, 0xde)?;
        for (key, value) in dict {
            put(&key, out, depth + 1)?;
            put(&value, out, depth + 1)?;
        }
    } else {
        return Err(refused(value, "it is no plain data"));
    }
    Ok(())
}

fn put_all<'py>(
    count: usize,
    values: impl Iterator<Item = Bound<'py, PyAny>>,
    out: &mut Vec<u8>,
    depth: usize,
) -> PyResult<()> {
    put_head(out, count, Some((0x90, 16)), None, 0xdc)?;
    for value in values {
        put(&value, out, depth + 1)?;
    }
    Ok(())
}

fn put_int(value: &Bound<'_, PyInt>, out: &mut Vec<u8>) -> PyResult<()> {
    match value.extract::<i64>() {
        Ok(number @ 0..=0x7f) => out.push(number as u8),
        Ok(number @ -32..0) => out.push(number as u8),
        Ok(number) => {
            out.push(0xd3);
            out.extend(number.to_be_bytes());
        }
        Err(_) => match value.extract::<u64>() {
            Ok(number) => {
                out.push(0xcf);
                out.extend(number.to_be_bytes());
            }
            Err(_) => put_extension(LONG, value.str()?.to_str()?.as_bytes(), out)?,
        },
    }
    Ok(())
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) -> PyResult<()> {
    put_head(out, bytes.len(), None, Some(0xc4), 0xc5)?;
    out.extend(bytes);
    Ok(())
}

fn put_extension(number: u8, inside: &[u8], out: &mut Vec<u8>) -> PyResult<()> {
    put_head(out, inside.len(), None, Some(0xc7), 0xc8)?;
    out.push(number);
    out.extend(inside);
    Ok(())
}

/// A length in as few bytes as it needs: in the mark itself, in one byte, in two, or in four.
fn put_head(
    out: &mut Vec<u8>,
    length: usize,
    own: Option<(u8, usize)>,
    one: Option<u8>,
    two: u8,
) -> PyResult<()> {
    match (own, one) {
        (Some((mark, room)), _) if length < room => out.push(mark | length as u8),
        (_, Some(mark)) if length <= 0xff => out.extend([mark, length as u8]),
        _ if length <= 0xffff => {
            out.push(two);
            out.extend((length as u16).to_be_bytes());
        }
        _ => {
            let length = u32::try_from(length);
            let length = length.map_err(|_| PyValueError::new_err("a message has less than 4 GiB"))?;
            out.push(two + 1);
            out.extend(length.to_be_bytes());
        }
    }
    Ok(())
}

#[cold]
fn refused(value: &Bound<'_, PyAny>, why: &str) -> PyErr {
    let kind = value.get_type();
    let kind = kind.name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
    let error = Error::new(Kind::NotSerializable, format!("cannot send this {kind}: {why}"));
    let help = "send what it is made of, or encode it and use `send_bytes`";
    super::steps::raised(value.py(), &error.with_help(help))
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn value<'py>(&mut self, py: Python<'py>, depth: usize) -> PyResult<Bound<'py, PyAny>> {
        if depth > DEEPEST {
            return Err(wrong());
        }
        let [mark] = self.part()?;
        match mark {
            0x00..=0x7f => int(py, mark),
            0xe0..=0xff => int(py, mark as i8),
            0x80..=0x8f => self.dict(py, usize::from(mark & 0x0f), depth),
            0x90..=0x9f => self.list(py, usize::from(mark & 0x0f), depth),
            0xa0..=0xbf => self.text(py, usize::from(mark & 0x1f)),
            0xc0 => Ok(py.None().into_bound(py)),
            0xc2 | 0xc3 => Ok(PyBool::new(py, mark == 0xc3).to_owned().into_any()),
            0xca => Ok(PyFloat::new(py, f32::from_be_bytes(self.part()?).into()).into_any()),
            0xcb => Ok(PyFloat::new(py, f64::from_be_bytes(self.part()?)).into_any()),
            0xcc => int(py, u8::from_be_bytes(self.part()?)),
            0xcd => int(py, u16::from_be_bytes(self.part()?)),
            0xce => int(py, u32::from_be_bytes(self.part()?)),
            0xcf => int(py, u64::from_be_bytes(self.part()?)),
            0xd0 => int(py, i8::from_be_bytes(self.part()?)),
            0xd1 => int(py, i16::from_be_bytes(self.part()?)),
            0xd2 => int(py, i32::from_be_bytes(self.part()?)),
            0xd3 => int(py, i64::from_be_bytes(self.part()?)),
            _ => self.long(py, mark, depth),
        }
    }

    /// What has a length behind its mark.
    fn long<'py>(&mut self, py: Python<'py>, mark: u8, depth: usize) -> PyResult<Bound<'py, PyAny>> {
        let length = match mark {
            0xc4 | 0xc7 | 0xd9 => u8::from_be_bytes(self.part()?).into(),
            0xc5 | 0xc8 | 0xda | 0xdc | 0xde => u16::from_be_bytes(self.part()?).into(),
            0xc6 | 0xc9 | 0xdb | 0xdd | 0xdf => u32::from_be_bytes(self.part()?) as usize,
            0xd4..=0xd8 => 1 << (mark - 0xd4),
            _ => return Err(wrong()),
        };
        match mark {
            0xc4..=0xc6 => Ok(PyBytes::new(py, self.take(length)?).into_any()),
            0xd9..=0xdb => self.text(py, length),
            0xdc | 0xdd => self.list(py, length, depth),
            0xde | 0xdf => self.dict(py, length, depth),
            _ => self.extension(py, length, depth),
        }
    }

    fn extension<'py>(
        &mut self,
        py: Python<'py>,
        length: usize,
        depth: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let [number] = self.part()?;
        let inside = self.take(length)?;
        match number {
            TUPLE => {
                let mut reader = Reader { bytes: inside };
                let list = reader.value(py, depth)?;
                let list = list.cast_into::<PyList>().map_err(|_| wrong())?;
                if reader.bytes.is_empty() { Ok(list.to_tuple().into_any()) } else { Err(wrong()) }
            }
            LONG => {
                let digits = std::str::from_utf8(inside).map_err(|_| wrong())?;
                py.get_type::<PyInt>().call1((digits,)).map_err(|_| wrong())
            }
            _ => Err(wrong()),
        }
    }

    fn text<'py>(&mut self, py: Python<'py>, length: usize) -> PyResult<Bound<'py, PyAny>> {
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| wrong())?;
        Ok(PyString::new(py, text).into_any())
    }

    fn list<'py>(&mut self, py: Python<'py>, count: usize, depth: usize) -> PyResult<Bound<'py, PyAny>> {
        // What was announced costs nothing until it is there.
        let list = PyList::empty(py);
        for _ in 0..count {
            list.append(self.value(py, depth + 1)?)?;
        }
        Ok(list.into_any())
    }

    fn dict<'py>(&mut self, py: Python<'py>, count: usize, depth: usize) -> PyResult<Bound<'py, PyAny>> {
        let dict = PyDict::new(py);
        for _ in 0..count {
            let key = self.value(py, depth + 1)?;
            dict.set_item(key, self.value(py, depth + 1)?).map_err(|_| wrong())?;
        }
        Ok(dict.into_any())
    }

    fn part<const N: usize>(&mut self) -> PyResult<[u8; N]> {
        let (part, rest) = self.bytes.split_first_chunk().ok_or_else(wrong)?;
        self.bytes = rest;
        Ok(*part)
    }

    fn take(&mut self, length: usize) -> PyResult<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or_else(wrong)?;
        self.bytes = rest;
        Ok(taken)
    }
}

fn int<'py, I: IntoPyObject<'py, Target = PyInt, Output = Bound<'py, PyInt>>>(
    py: Python<'py>,
    number: I,
) -> PyResult<Bound<'py, PyAny>>
where
    PyErr: From<I::Error>,
{
    Ok(number.into_pyobject(py)?.into_any())
}

#[cold]
fn wrong() -> PyErr {
    PyValueError::new_err("these bytes are no object of `send`")
}
