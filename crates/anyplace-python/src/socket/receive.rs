//! Receiving bytes.

use super::Socket;
use super::address::Address;
use super::patience::Patience;
use super::sys;
use super::view::View;
use super::wait::{Begin, LONG, Until, attend, take, take_hoping};
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::slice;

/// So many bytes are received on the stack, and put into an object of their length.
const SMALL: usize = 16 << 10;

/// How a call with these flags is done: one that wants all it asked for waits in the system, which counts.
pub(super) fn manner(patience: Patience, flags: c_int, length: usize) -> (Until, Begin, Patience) {
    let begin = if length > LONG { Begin::Long } else { Begin::Short };
    let plan = |begin, patience| (Until::Readable, begin, patience);
    match patience {
        Patience::Forever if flags & libc::MSG_DONTWAIT != 0 => plan(begin, Patience::Not),
        Patience::Forever if flags & libc::MSG_WAITALL != 0 => plan(Begin::Blocking, patience),
        _ => plan(begin, patience),
    }
}

/// The flags for a step of such a call.
pub(super) fn flags_of(begin: Begin, flags: c_int) -> c_int {
    if begin == Begin::Blocking { flags } else { flags | libc::MSG_DONTWAIT }
}

/// The bytes of `room` that were written by the system.
fn written(room: &[MaybeUninit<u8>], length: usize) -> &[u8] {
    let room = &room[..length.min(room.len())];
    // SAFETY: the system has written so many.
    unsafe { slice::from_raw_parts(room.as_ptr().cast(), room.len()) }
}

/// An object of so many bytes, which nobody has written yet, and the room to do that.
fn unwritten(py: Python<'_>, length: usize) -> PyResult<(Bound<'_, PyBytes>, &mut [MaybeUninit<u8>])> {
    // SAFETY: the thread is attached; it gives a new object, or null with an exception set.
    let bytes = unsafe { ffi::PyBytes_FromStringAndSize(std::ptr::null(), length.cast_signed()) };
    // SAFETY: as above.
    let bytes = unsafe { Bound::from_owned_ptr_or_err(py, bytes) }?;
    // SAFETY: it is made of bytes.
    let bytes: Bound<'_, PyBytes> = unsafe { bytes.cast_into_unchecked() };
    // SAFETY: it has so many. Nobody else knows of the object before they are written; until then it holds them.
    let room = unsafe { slice::from_raw_parts_mut(ffi::PyBytes_AsString(bytes.as_ptr()).cast(), length) };
    Ok((bytes, room))
}

/// A size as Python gives it.
pub(super) fn size(size: isize, method: &str) -> PyResult<usize> {
    usize::try_from(size).map_err(|_| PyValueError::new_err(format!("negative buffersize in {method}")))
}

impl Socket {
    /// What `recv` gives.
    pub(super) fn received<'py>(
        &self,
        py: Python<'py>,
        length: usize,
        flags: c_int,
        patience: Patience,
    ) -> PyResult<Bound<'py, PyBytes>> {
        if length <= SMALL {
            let mut room = [const { MaybeUninit::uninit() }; SMALL];
            let read = self.receive(py, &mut room[..length], flags, patience)?;
            return Ok(PyBytes::new(py, written(&room, read)));
        }
        if self.is_stream() && flags == 0 {
            return self.received_of_stream(py, length, patience);
        }
        let mut room = Vec::with_capacity(length);
        let read = self.receive(py, room.spare_capacity_mut(), flags, patience)?;
        Ok(PyBytes::new(py, written(room.spare_capacity_mut(), read)))
    }

    /// As many bytes as there are, in an object that has just the room for them.
    fn received_of_stream<'py>(
        &self,
        py: Python<'py>,
        length: usize,
        patience: Patience,
    ) -> PyResult<Bound<'py, PyBytes>> {
        loop {
            let there = sys::available(self.fd()).unwrap_or(0).min(length);
            if there <= SMALL {
                // It may be the end, or nothing yet.
                return self.received(py, SMALL, 0, patience);
            }
            let (bytes, room) = unwritten(py, there)?;
            match self.receive(py, room, 0, Patience::Not) {
                Ok(read) if read == there => return Ok(bytes),
                Ok(read) => return Ok(PyBytes::new(py, written(room, read))),
                // Another thread was faster.
                Err(error) if is_not_yet(py, &error) && patience != Patience::Not => {
                    attend(py, &self.fd, Until::Readable, patience)?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Receives into `room`.
    pub(super) fn receive(
        &self,
        py: Python<'_>,
        room: &mut [MaybeUninit<u8>],
        flags: c_int,
        patience: Patience,
    ) -> PyResult<usize> {
        if room.is_empty() {
            return Ok(0);
        }
        let manner = manner(patience, flags, room.len());
        let flags = flags_of(manner.1, flags);
        take_hoping(py, &self.fd, &self.hope, manner, |fd| sys::recv(fd, room, flags))
    }

    /// What `recv_into` gives: how many bytes of `buffer` were written.
    pub(super) fn receive_into(
        &self,
        buffer: &Bound<'_, PyAny>,
        length: isize,
        flags: c_int,
        patience: Patience,
    ) -> PyResult<usize> {
        let mut view = View::writable(buffer)?;
        let room = part(&mut view, length, "recv_into")?;
        self.receive(buffer.py(), room, flags, patience)
    }

    /// What `recvfrom` gives: bytes, and who sent them.
    pub(super) fn received_from<'py>(
        &self,
        py: Python<'py>,
        length: usize,
        flags: c_int,
        patience: Patience,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyAny>)> {
        let mut small = [const { MaybeUninit::uninit() }; SMALL];
        let mut large = Vec::new();
        let room = if length <= SMALL {
            &mut small[..length]
        } else {
            large.reserve_exact(length);
            &mut large.spare_capacity_mut()[..length]
        };
        let (read, from) = self.receive_from(py, room, flags, patience)?;
        Ok((PyBytes::new(py, written(room, read)), from.to_python(py)?))
    }

    fn receive_from(
        &self,
        py: Python<'_>,
        room: &mut [MaybeUninit<u8>],
        flags: c_int,
        patience: Patience,
    ) -> PyResult<(usize, Address)> {
        let manner = manner(patience, flags, room.len());
        let flags = flags_of(manner.1, flags);
        take(py, &self.fd, manner, |fd| {
            let mut from = Address::default();
            sys::recvfrom(fd, room, flags, &mut from).map(|read| (read, from))
        })
    }

    /// What `recvfrom_into` gives: how many bytes of `buffer` were written, and who sent them.
    pub(super) fn receive_from_into<'py>(
        &self,
        buffer: &Bound<'py, PyAny>,
        length: isize,
        flags: c_int,
        patience: Patience,
    ) -> PyResult<(usize, Bound<'py, PyAny>)> {
        let mut view = View::writable(buffer)?;
        let room = part(&mut view, length, "recvfrom_into")?;
        let (read, from) = self.receive_from(buffer.py(), room, flags, patience)?;
        Ok((read, from.to_python(buffer.py())?))
    }
}

/// The first bytes of a buffer, as many as asked for; 0 is all.
fn part<'a>(view: &'a mut View, length: isize, method: &str) -> PyResult<&'a mut [MaybeUninit<u8>]> {
    let room = view.room();
    match size(length, method)? {
        0 => Ok(room),
        length if length > room.len() => {
            let small = format!("nbytes is greater than the length of the buffer in {method}");
            Err(PyValueError::new_err(small))
        }
        length => Ok(&mut room[..length]),
    }
}

fn is_not_yet(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<pyo3::exceptions::PyBlockingIOError>(py)
}
