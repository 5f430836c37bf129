//! Addresses as Python programs write them.

use super::address::Address;
use pyo3::exceptions::{PyOSError, PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyByteArray, PyBytes, PyString, PyTuple};
use std::ffi::c_int;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The largest flow that an IPv6 packet has room for.
const LARGEST_FLOW: u32 = 0xf_ffff;

/// The address that the argument of a method stands for; hosts that are names are looked up, which may take long.
///
/// # Errors
/// `TypeError` and `OverflowError` for what is no address of the family; `gaierror` for a name that nobody knows.
pub(super) fn parse(family: c_int, address: &Bound<'_, PyAny>, method: &str) -> PyResult<Address> {
    match family {
        libc::AF_UNIX => unix(address),
        libc::AF_INET => ip4(tuple(address, "AF_INET", method)?, method),
        libc::AF_INET6 => ip6(tuple(address, "AF_INET6", method)?, method),
        _ => Err(PyOSError::new_err(format!("{method}(): bad family"))),
    }
}

fn tuple<'a, 'py>(
    address: &'a Bound<'py, PyAny>,
    family: &str,
    method: &str,
) -> PyResult<&'a Bound<'py, PyTuple>> {
    address.cast().map_err(|_| {
        let given = address.get_type();
        let given = given.name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
        PyTypeError::new_err(format!("{method}(): {family} address must be tuple, not {given}"))
    })
}

fn ip4(address: &Bound<'_, PyTuple>, method: &str) -> PyResult<Address> {
    if address.len() != 2 {
        return Err(PyTypeError::new_err(format!("{method}(): AF_INET address must be a pair (host, port)")));
    }
    let host = Host::of(&address.get_item(0)?)?;
    let port = port(&address.get_item(1)?, method)?;
    Ok(Address::of_ip4(host.ip4(address.py())?, port))
}

fn ip6(address: &Bound<'_, PyTuple>, method: &str) -> PyResult<Address> {
    if !(2..=4).contains(&address.len()) {
        let message = format!("{method}(): AF_INET6 address must be (host, port[, flowinfo[, scopeid]])");
        return Err(PyTypeError::new_err(message));
    }
    let host = Host::of(&address.get_item(0)?)?;
    let port = port(&address.get_item(1)?, method)?;
    let number = |index| if index < address.len() { address.get_item(index)?.extract() } else { Ok(0) };
    let (flow, scope) = (number(2)?, number(3)?);
    if flow > LARGEST_FLOW {
        return Err(PyOverflowError::new_err(format!("{method}(): flowinfo must be 0-{LARGEST_FLOW}.")));
    }
    Ok(Address::of_ip6(host.ip6(address.py())?, port, flow, scope))
}

fn port(port: &Bound<'_, PyAny>, method: &str) -> PyResult<u16> {
    let number: i64 = port.extract().map_err(|error: PyErr| {
        if error.is_instance_of::<PyOverflowError>(port.py()) { out_of_range(method) } else { error }
    })?;
    u16::try_from(number).map_err(|_| out_of_range(method))
}

fn out_of_range(method: &str) -> PyErr {
    PyOverflowError::new_err(format!("{method}(): port must be 0-65535."))
}

fn unix(address: &Bound<'_, PyAny>) -> PyResult<Address> {
    let py = address.py();
    let path = if address.is_instance_of::<PyString>() {
        py.import("os")?.call_method1("fsencode", (address,))?
    } else {
        address.clone()
    };
    let path = super::view::View::of(&path)?;
    Address::of_unix(path.bytes()).ok_or_else(|| PyOSError::new_err("AF_UNIX path too long"))
}

/// A host as the program wrote it.
enum Host<'py> {
    Text(Bound<'py, PyString>),
    /// As sent to a name server.
    Encoded(Bound<'py, PyAny>, String),
}

impl<'py> Host<'py> {
    fn of(host: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = host.cast::<PyString>() {
            let encoded = text.to_str().is_ok_and(str::is_ascii);
            return if encoded { Ok(Self::Text(text.clone())) } else { Self::encode(text) };
        }
        let bytes = if let Ok(bytes) = host.cast::<PyBytes>() {
            bytes.as_bytes().to_vec()
        } else if let Ok(bytes) = host.cast::<PyByteArray>() {
            bytes.to_vec()
        } else {
            return Err(PyTypeError::new_err(
                "str, bytes or bytearray expected, not ".to_owned() + host.get_type().name()?.to_str()?,
            ));
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Self::Encoded(host.clone(), text))
    }

    fn encode(text: &Bound<'py, PyString>) -> PyResult<Self> {
        let encoded = text.call_method1("encode", ("idna",));
        let encoded = encoded.map_err(|_| PyTypeError::new_err("encoding of hostname failed"))?;
        Self::of(&encoded)
    }

    fn text(&self) -> &str {
        match self {
            Self::Text(text) => text.to_str().unwrap_or_default(),
            Self::Encoded(_, text) => text,
        }
    }

    fn ip4(&self, py: Python<'py>) -> PyResult<Ipv4Addr> {
        match self.text() {
            "" => Ok(Ipv4Addr::UNSPECIFIED),
            "<broadcast>" => Ok(Ipv4Addr::BROADCAST),
            text => text.parse().or_else(|_| self.look_up(py, libc::AF_INET)),
        }
    }

    fn ip6(&self, py: Python<'py>) -> PyResult<Ipv6Addr> {
        match self.text() {
            "" => Ok(Ipv6Addr::UNSPECIFIED),
            "<broadcast>" => Err(PyOSError::new_err("address family mismatched")),
            text => text.parse().or_else(|_| self.look_up(py, libc::AF_INET6)),
        }
    }

    /// Asks whom the standard library asks.
    fn look_up<T: std::str::FromStr>(&self, py: Python<'py>, family: c_int) -> PyResult<T> {
        static LOOK_UP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let look_up = LOOK_UP.import(py, "_socket", "getaddrinfo")?;
        let found = match self {
            Self::Text(text) => look_up.call1((text, py.None(), family, libc::SOCK_DGRAM)),
            Self::Encoded(bytes, _) => look_up.call1((bytes, py.None(), family, libc::SOCK_DGRAM)),
        }?;
        let ip: String = found.get_item(0)?.get_item(4)?.get_item(0)?.extract()?;
        // A link's name behind it is what the scope says.
        let ip = ip.split('%').next().unwrap_or_default();
        ip.parse().map_err(|_| PyOSError::new_err("address family mismatched"))
    }
}
