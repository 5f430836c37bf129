//! Messages: several buffers at once, and what travels beside them.

use super::Socket;
use super::control;
use super::patience::Patience;
use super::receive::{flags_of, manner};
use super::sys::{self, Received};
use super::view::View;
use super::wait::{Begin, LONG, Until, take};
use super::{address::Address, host};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};
use std::ffi::c_int;
use std::io::{IoSlice, IoSliceMut};

/// What `recvmsg` gives besides the bytes: what came beside them, flags, and who sent it.
type Beside<'py> = (Bound<'py, PyList>, c_int, Bound<'py, PyAny>);

impl Socket {
    /// What `recvmsg` gives.
    pub(super) fn message<'py>(
        &self,
        py: Python<'py>,
        length: isize,
        beside: isize,
        flags: c_int,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let length = usize::try_from(length)
            .map_err(|_| PyValueError::new_err("negative buffer size in recvmsg()"))?;
        let mut room = vec![0; length];
        let (read, (beside, flags, from)) =
            self.receive_message(py, &mut [IoSliceMut::new(&mut room)], beside, flags)?;
        (PyBytes::new(py, &room[..read.min(length)]), beside, flags, from).into_pyobject(py)
    }

    /// What `recvmsg_into` gives.
    pub(super) fn message_into<'py>(
        &self,
        buffers: &Bound<'py, PyAny>,
        beside: isize,
        flags: c_int,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let py = buffers.py();
        let buffers = items(buffers, "recvmsg_into() argument 1 must be an iterable")?;
        let mut views = buffers.iter().map(View::writable).collect::<PyResult<Vec<_>>>()?;
        let mut rooms: Vec<_> = views.iter_mut().map(|view| IoSliceMut::new(view.initialized())).collect();
        let (read, (beside, flags, from)) = self.receive_message(py, &mut rooms, beside, flags)?;
        (read, beside, flags, from).into_pyobject(py)
    }

    fn receive_message<'py>(
        &self,
        py: Python<'py>,
        into: &mut [IoSliceMut<'_>],
        beside: isize,
        flags: c_int,
    ) -> PyResult<(usize, Beside<'py>)> {
        let beside = u32::try_from(beside).ok().filter(|beside| *beside <= i32::MAX.unsigned_abs());
        let beside =
            beside.ok_or_else(|| PyValueError::new_err("invalid ancillary data buffer length"))? as usize;
        let mut control = vec![0_u64; beside.div_ceil(size_of::<u64>())];
        let length = into.iter().map(|room| room.len()).sum();
        let plan = manner(self.timeout.patience(), flags, length);
        let flags = flags_of(plan.1, flags);
        let got = take(py, &self.fd, plan, |fd| sys::recvmsg(fd, into, &mut control, beside, flags))?;
        let Received { length, control: came, flags, from } = got;
        let control: Vec<u8> = control.iter().flat_map(|word| word.to_ne_bytes()).take(came).collect();
        let parts = control::parts(&control);
        let from = from.to_python(py).inspect_err(|_| control::close(&parts))?;
        Ok((length, (control::to_python(py, &parts)?, flags, from)))
    }

    /// What `sendmsg` gives: how many bytes went.
    pub(super) fn sent_message(
        &self,
        buffers: &Bound<'_, PyAny>,
        beside: Option<&Bound<'_, PyAny>>,
        flags: c_int,
        address: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<usize> {
        let py = buffers.py();
        let buffers = items(buffers, "sendmsg() argument 1 must be an iterable")?;
        let views = buffers.iter().map(View::of).collect::<PyResult<Vec<_>>>()?;
        let control = beside.map_or(Ok(Vec::new()), control_of)?;
        let to = address.filter(|address| !address.is_none());
        let to = to.map(|to| host::parse(self.family(), to, "sendmsg")).transpose()?;
        let parts: Vec<&[u8]> = views.iter().map(View::bytes).collect();
        self.send_message(py, &parts, &control, flags, to.as_ref())
    }

    fn send_message(
        &self,
        py: Python<'_>,
        parts: &[&[u8]],
        control: &[u8],
        flags: c_int,
        to: Option<&Address>,
    ) -> PyResult<usize> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let patience = self.timeout.patience();
        // Descriptors go with the first byte, once, and the rest follows: the system does both.
        let begin = match patience {
            Patience::Forever if flags & libc::MSG_DONTWAIT == 0 => Begin::Blocking,
            _ if length > LONG => Begin::Long,
            _ => Begin::Short,
        };
        let patience = if flags & libc::MSG_DONTWAIT != 0 && patience == Patience::Forever {
            Patience::Not
        } else {
            patience
        };
        let flags = flags_of(begin, flags);
        take(py, &self.fd, (Until::Writable, begin, patience), |fd| {
            let from: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
            sys::sendmsg(fd, &from, control, flags, to)
        })
    }
}

fn items<'py>(items: &Bound<'py, PyAny>, message: &'static str) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let items = items.try_iter().map_err(|_| PyTypeError::new_err(message))?;
    items.collect()
}

/// What is to travel beside a message, in the system's form.
fn control_of(beside: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let mut control = Vec::new();
    for part in items(beside, "sendmsg() argument 2 must be an iterable")? {
        let part = part.cast::<PyTuple>().ok().filter(|part| part.len() == 3).cloned();
        let wrong = || PyTypeError::new_err("[sendmsg() ancillary data items must be 3-tuples]");
        let part = part.ok_or_else(wrong)?;
        let (level, kind) = (part.get_item(0)?.extract()?, part.get_item(1)?.extract()?);
        control::put(&mut control, level, kind, View::of(&part.get_item(2)?)?.bytes());
    }
    Ok(control)
}
