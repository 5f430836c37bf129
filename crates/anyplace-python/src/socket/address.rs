//! Addresses in the system's form, and as Python shows them.

use libc::{sockaddr, socklen_t};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use std::ffi::{OsStr, c_int};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;

/// Where the path begins in the address of a unix socket.
const PATH: usize = 2;
/// How long such a path may be, with the zero at its end.
pub(super) const LONGEST_PATH: usize = 108;

/// An address in the system's form: the family, and what the family makes of the rest.
#[derive(Clone)]
#[repr(C, align(8))]
pub(super) struct Address {
    bytes: [u8; Self::ROOM as usize],
    length: socklen_t,
}

impl Default for Address {
    fn default() -> Self {
        Self { bytes: [0; Self::ROOM as usize], length: 0 }
    }
}

impl Address {
    /// As `sockaddr_storage`: every family's addresses have room in so much.
    pub(super) const ROOM: socklen_t = 128;

    pub(super) fn of_ip4(ip: Ipv4Addr, port: u16) -> Self {
        Self::of(libc::AF_INET, &[&port.to_be_bytes(), &ip.octets(), &[0; 8]])
    }

    pub(super) fn of_ip6(ip: Ipv6Addr, port: u16, flow: u32, scope: u32) -> Self {
        let parts: [&[u8]; 4] =
            [&port.to_be_bytes(), &flow.to_be_bytes(), &ip.octets(), &scope.to_ne_bytes()];
        Self::of(libc::AF_INET6, &parts)
    }

    /// A path ends with a zero; a name that begins with one, or is empty, is no path, and has no end but its length.
    ///
    /// Nothing if it is too long.
    pub(super) fn of_unix(path: &[u8]) -> Option<Self> {
        let is_name = path.first().is_none_or(|first| *first == 0);
        let end: &[u8] = if is_name { &[] } else { &[0] };
        (path.len() + end.len() <= LONGEST_PATH).then(|| Self::of(libc::AF_UNIX, &[path, end]))
    }

    fn of(family: c_int, parts: &[&[u8]]) -> Self {
        let mut address = Self::default();
        let mut length = PATH;
        address.bytes[..PATH].copy_from_slice(&(family as u16).to_ne_bytes());
        for part in parts {
            address.bytes[length..length + part.len()].copy_from_slice(part);
            length += part.len();
        }
        address.length = length as socklen_t;
        address
    }

    pub(super) fn as_ptr(&self) -> *const sockaddr {
        self.bytes.as_ptr().cast()
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut sockaddr {
        self.bytes.as_mut_ptr().cast()
    }

    pub(super) fn length(&self) -> socklen_t {
        self.length
    }

    /// The system says how long the whole is, which may be more than there was room for.
    pub(super) fn set_length(&mut self, length: socklen_t) {
        self.length = length.min(Self::ROOM);
    }

    pub(super) fn family(&self) -> c_int {
        u16::from_ne_bytes(self.part(0)).into()
    }

    fn part<const N: usize>(&self, start: usize) -> [u8; N] {
        std::array::from_fn(|index| self.bytes[start + index])
    }

    /// What Python shows: None if there is none, as the sender of a stream's bytes.
    pub(super) fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if (self.length as usize) < PATH {
            return Ok(py.None().into_bound(py));
        }
        match self.family() {
            libc::AF_INET => (self.ip4(py), self.port()).into_pyobject(py).map(Bound::into_any),
            libc::AF_INET6 => {
                let ip = Ipv6Addr::from(self.part::<16>(8));
                let flow = u32::from_be_bytes(self.part(4));
                let scope = u32::from_ne_bytes(self.part(24));
                (ip.to_string(), self.port(), flow, scope).into_pyobject(py).map(Bound::into_any)
            }
            libc::AF_UNIX => self.unix(py),
            family => {
                let rest = PyBytes::new(py, &self.bytes[PATH..self.length as usize]);
                (family, rest).into_pyobject(py).map(Bound::into_any)
            }
        }
    }

    fn port(&self) -> u16 {
        u16::from_be_bytes(self.part(2))
    }

    fn ip4<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        let ip = Ipv4Addr::from(self.part::<4>(4));
        if ip == Ipv4Addr::LOCALHOST {
            return pyo3::intern!(py, "127.0.0.1").clone();
        }
        PyString::new(py, &ip.to_string())
    }

    /// A path is text, and a name without a path is bytes.
    fn unix<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let path = &self.bytes[PATH..self.length as usize];
        if path.first() == Some(&0) {
            return Ok(PyBytes::new(py, path).into_any());
        }
        let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
        let path = OsStr::from_bytes(&path[..end]);
        Ok(path.into_pyobject(py)?.into_any())
    }
}
