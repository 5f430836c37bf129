//! What travels beside a message, such as descriptors: (level, type, bytes) in the system's form.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use std::ffi::c_int;

/// Each part begins with its length, level and type, and ends where a word does.
const HEAD: usize = size_of::<libc::cmsghdr>();
const WORD: usize = size_of::<usize>();

/// A part of what travels beside a message.
pub(super) struct Part<'a> {
    level: c_int,
    kind: c_int,
    bytes: &'a [u8],
}

/// Puts a part behind the others.
pub(super) fn put(control: &mut Vec<u8>, level: c_int, kind: c_int, bytes: &[u8]) {
    control.extend((HEAD + bytes.len()).to_ne_bytes());
    control.extend(level.to_ne_bytes());
    control.extend(kind.to_ne_bytes());
    control.extend(bytes);
    control.resize(control.len().next_multiple_of(WORD), 0);
}

/// The parts of what came. One that was cut short, for want of room, has the bytes that there are.
pub(super) fn parts(mut control: &[u8]) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    while control.len() >= HEAD {
        let length = usize::from_ne_bytes(word(control, 0));
        if length < HEAD {
            break;
        }
        let end = length.min(control.len());
        let (level, kind) = (word(control, WORD), word(control, WORD + size_of::<c_int>()));
        let (level, kind) = (c_int::from_ne_bytes(level), c_int::from_ne_bytes(kind));
        parts.push(Part { level, kind, bytes: &control[HEAD..end] });
        control = &control[length.next_multiple_of(WORD).min(control.len())..];
    }
    parts
}

fn word<const N: usize>(control: &[u8], start: usize) -> [u8; N] {
    std::array::from_fn(|index| control[start + index])
}

/// The parts as Python shows them. If that fails, descriptors that came are closed: nobody would know of them.
pub(super) fn to_python<'py>(py: Python<'py>, parts: &[Part<'_>]) -> PyResult<Bound<'py, PyList>> {
    let told = parts.iter().map(|part| (part.level, part.kind, PyBytes::new(py, part.bytes)));
    PyList::new(py, told).inspect_err(|_| close(parts))
}

/// Closes the descriptors that came.
pub(super) fn close(parts: &[Part<'_>]) {
    for part in parts.iter().filter(|part| part.carries_descriptors()) {
        for fd in part.bytes.chunks_exact(size_of::<c_int>()) {
            // There is nobody to tell.
            drop(super::sys::close(c_int::from_ne_bytes(word(fd, 0))));
        }
    }
}

impl Part<'_> {
    fn carries_descriptors(&self) -> bool {
        self.level == libc::SOL_SOCKET && self.kind == libc::SCM_RIGHTS
    }
}
